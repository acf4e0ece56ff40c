//! Partitions that change hands in an orderly way: nothing is lost, and nothing comes twice.

use crate::{MINUTES, QUIET};
use harness::audit::Audit;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::setting::{Setting, count, diagrams, expected};
use harness::worker::Worker;

const POINTS: Points = Points { partitions: 4, series: 2, length: 4000 };

#[test]
fn a_worker_that_is_told_to_stop_loses_and_repeats_nothing() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("stop", &["stop-out"], POINTS.partitions).unwrap();
    POINTS.feed(&kafka.connection(), "stop", 0..POINTS.length).unwrap();
    let (yaml, count) = (Setting::new(&kafka, "stop", "stop-out").unwrap().yaml(), count(&POINTS));
    let mut audit = Audit::of(&kafka.connection(), "stop-out").unwrap();
    for share in [1, 2, 3] {
        let mut worker = Worker::start(&yaml).unwrap();
        // The one before may have put all out: this one shall at least have begun to listen.
        worker.wait_for("metrics and health", MINUTES).unwrap();
        audit.read_until(count * share / 3, MINUTES, &mut worker).unwrap();
        worker.terminate().unwrap();
    }
    audit.read_rest(QUIET).unwrap();
    assert_eq!(audit.repeated, 0);
    assert!(
        diagrams(&audit).unwrap() == expected(&POINTS, "stop").unwrap(),
        "not what the engine alone computes"
    );
}

#[test]
fn partitions_move_between_workers_and_back() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("move", &["move-out"], POINTS.partitions).unwrap();
    let count = count(&POINTS);
    let mut audit = Audit::of(&kafka.connection(), "move-out").unwrap();
    let mut first =
        Worker::start(&Setting::new(&kafka, "move", "move-out").unwrap().yaml()).unwrap();
    POINTS.feed(&kafka.connection(), "move", 0..1000).unwrap();
    audit.read_until(count / 8, MINUTES, &mut first).unwrap();

    let second = Setting::new(&kafka, "move", "move-out").unwrap();
    let mut worker = Worker::start(&second.yaml()).unwrap();
    let both = || second.metric("streaming_tda_series{").len() == 2;
    worker.wait_until("two partitions have moved", MINUTES, both).unwrap();
    POINTS.feed(&kafka.connection(), "move", 1000..3000).unwrap();
    audit.read_until(count / 2, MINUTES, &mut worker).unwrap();
    let computed: f64 = second.metric("streaming_tda_points_total").iter().sum();
    assert!(computed > 0.0, "the second worker computed nothing");
    worker.terminate().unwrap();

    POINTS.feed(&kafka.connection(), "move", 3000..POINTS.length).unwrap();
    audit.read_until(count, MINUTES, &mut first).unwrap();
    audit.read_rest(QUIET).unwrap();
    first.terminate().unwrap();
    assert_eq!(audit.repeated, 0);
    assert!(
        diagrams(&audit).unwrap() == expected(&POINTS, "move").unwrap(),
        "not what the engine alone computes"
    );
}
