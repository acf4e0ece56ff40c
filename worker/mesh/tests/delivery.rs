//! Outputs acknowledged, then the checkpoint, then the offset: in this order, whatever the broker
//! of the outputs does.
#![allow(clippy::unwrap_used)]

use mesh::checkpoint::{Part, Past, Place, Reader, Remembered, Saved, Snapshot};
use mesh::schema::{Kind, Output};
use mesh::{
    Acknowledged, Batch, Connection, Delivery, Guarantee, Observer, Outgoing, Refused, Topics,
};
use rdkafka::mocking::MockCluster;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Silent;

impl Observer for Silent {
    fn acknowledged(&self, _: Acknowledged) {}
    fn refused(&self, _: Refused<'_>) {}
    fn saved(&self, _: i32, _: i64) {}
}

fn output(offset: i64) -> Outgoing {
    let output = Output {
        kind: Kind::Diagrams,
        id: format!("in/0/{offset}/diagrams/a"),
        series: "s".into(),
        offset,
        row: None,
        timestamp: Some(7),
        payload: b"{}".into(),
        event: Vec::new(),
    };
    output.into()
}

fn batch(offset: i64, state: &str) -> Batch {
    let (records, next) = (vec![output(offset)], offset + 1);
    Batch { records, next, snapshot: Some(snapshot(next, state)), waits: None }
}

fn snapshot(next: i64, state: &str) -> Snapshot {
    let state = Part::Changed(RawValue::from_string(state.into()).unwrap());
    let place = Place { start: 3, sample: 1, seen: (4, 0) };
    let series = vec![Remembered { series: "s".into(), place, state, points: Part::Absent }];
    Snapshot {
        settings: [("all".into(), "same".into())].into(),
        partitions: 1,
        next,
        series,
        ..Snapshot::default()
    }
}

fn state(saved: &Saved) -> &str {
    saved.series[0].state.as_ref().unwrap().get()
}

fn commits_within(delivery: &Delivery, time: Duration) -> BTreeMap<i32, i64> {
    let deadline = Instant::now() + time;
    let mut commits = delivery.commits();
    while commits.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        commits = delivery.commits();
    }
    commits
}

#[test]
fn nothing_is_committed_before_its_outputs_are_acknowledged() {
    // The outputs live on a broker that goes away, the checkpoints on one that stays.
    let cluster = MockCluster::new(2).unwrap();
    for (topic, leader) in [("out", 2), ("memory", 1), ("in", 1)] {
        cluster.create_topic(topic, 1, 2).unwrap();
        cluster.partition_leader(topic, 0, Some(leader)).unwrap();
    }
    let brokers = cluster.bootstrap_servers();
    let connection = Connection::to(brokers);
    let topics = Topics {
        outputs: vec![(Kind::Diagrams, "out".into())],
        dead_letters: None,
        checkpoints: "memory".into(),
    };
    let delivery = {
        let (names, guarantee) = (("g", "in"), Guarantee::AtLeastOnce);
        Delivery::start(&connection, names, &topics, guarantee, Arc::new(Silent)).unwrap()
    };
    let reader = Reader::new(&connection, "g", "memory").unwrap();
    let lease = delivery.lease(0, Default::default(), None);

    lease.deliver(batch(4, "[1]"));
    assert_eq!(commits_within(&delivery, Duration::from_secs(20)), [(0, 5)].into());
    cluster.broker_down(2).unwrap();
    lease.deliver(batch(5, "[2]"));
    lease.deliver(batch(6, "[3]"));
    assert_eq!(commits_within(&delivery, Duration::from_secs(2)), BTreeMap::new());
    let saved = reader.read("in", &[0]).unwrap().remove(&0).unwrap();
    assert_eq!((saved.next, state(&saved)), (5, "[1]"));

    cluster.broker_up(2).unwrap();
    let mut commits = BTreeMap::new();
    while commits != [(0, 7)].into() {
        commits = commits_within(&delivery, Duration::from_secs(30));
        assert!(!commits.is_empty(), "the broker is back, and nothing comes of it");
    }
    let saved = reader.read("in", &[0]).unwrap().remove(&0).unwrap();
    assert_eq!((saved.next, state(&saved)), (7, "[3]"));
}
