use super::*;
use crate::delivery::Topics;
use rdkafka::mocking::{MockCluster, MockCoordinator};
use std::sync::mpsc;

/// No real broker can be made to be lost to the client for good, and yet to come back.
#[test]
fn an_offset_that_the_client_holds_on_to_is_given_up_and_another_client_goes_on() {
    let (cluster, patience) = (MockCluster::new(2).unwrap(), Duration::from_secs(30));
    cluster.create_topic("input", 1, 1).unwrap();
    cluster.partition_leader("saved", 0, Some(1)).unwrap();
    cluster.coordinator(MockCoordinator::Group("group".into()), 2).unwrap();
    cluster.coordinator(MockCoordinator::Transaction("name/0".into()), 1).unwrap();
    let connection = Connection::to(cluster.bootstrap_servers());
    let topics = Topics { outputs: vec![], dead_letters: None, checkpoints: "saved".into() };
    let routes = Routes::find(&connection, &topics).unwrap();
    let group = Arc::new(Onlooker::new(&connection, "group", "input").unwrap());
    let mut log = Transactional::opener(&connection, "name", routes, group)(0);
    let record = Outgoing {
        to: Target::Checkpoints,
        id: "a".into(),
        key: None,
        payload: Some(b"a".into()),
        headers: Vec::new(),
        timestamp: None,
    };
    while !log.init().unwrap() {}
    log.begin().unwrap();
    log.append(&record).unwrap();
    cluster.broker_down(2).unwrap();
    let (tell, told) = mpsc::channel();
    // A call that does not end must not keep the test from ending.
    std::thread::spawn(move || {
        let given_up = log.commit_offset(7);
        _ = tell.send((given_up, log));
    });
    let (given_up, mut log) = told.recv_timeout(patience).expect("the call ends");
    assert!(matches!(given_up, Err(Trouble::Indefinite(_))), "{given_up:?}");
    cluster.broker_up(2).unwrap();
    while !log.init().unwrap() {}
    log.begin().unwrap();
    log.commit_offset(7).unwrap();
    log.commit().unwrap();
}

#[test]
fn a_client_that_lives_and_takes_no_more_records_is_not_fenced() {
    let send = |code| KafkaError::MessageProduction(code);
    assert!(matches!(judge(&send(Code::State), None), Trouble::Abortable(_)));
    let fatal = |code| Some((code, "why".to_owned()));
    for code in [Code::Fenced, Code::ProducerFenced, Code::InvalidProducerEpoch] {
        let trouble = judge(&send(Code::State), fatal(code));
        assert!(matches!(&trouble, Trouble::Fenced(why) if why == "why"), "{trouble:?}");
    }
    let ended = judge(&send(Code::State), fatal(Code::OutOfOrderSequenceNumber));
    assert!(matches!(ended, Trouble::Indefinite(_)), "{ended:?}");
}

#[test]
fn a_topic_that_is_not_what_it_was_is_for_a_person_to_look_at() {
    for code in [Code::UnknownPartition, Code::UnknownTopic] {
        match judge(&KafkaError::MessageProduction(code), None) {
            Trouble::Fatal(error) => assert!(error.to_string().contains("restart"), "{error}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_right_that_was_withdrawn_ends_the_worker_although_the_transaction_can_be_aborted() {
    let weigh = |code| {
        let error = KafkaError::MessageProduction(code);
        weigh(&error, Some(code), true, "why".into())
    };
    let withdrawn = weigh(Code::TopicAuthorizationFailed);
    assert!(matches!(withdrawn, Trouble::Fatal(_)), "{withdrawn:?}");
    let passing = weigh(Code::MessageTimedOut);
    assert!(matches!(passing, Trouble::Abortable(_)), "{passing:?}");
}
