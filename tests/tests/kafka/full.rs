//! A producer whose queue is full most of the time slows the worker down, and does nothing else.

use crate::{MINUTES, QUIET};
use harness::audit::Audit;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::setting::{Setting, count, diagrams, expected};
use harness::worker::Worker;

const POINTS: Points = Points { partitions: 2, series: 2, length: 2000 };

fn passes(delivery: &str) {
    let kafka = Kafka::shared().unwrap();
    let (input, output) = (format!("full-{delivery}"), format!("full-{delivery}-out"));
    kafka.create_topics(&input, &[&output], POINTS.partitions).unwrap();
    POINTS.feed(&kafka.connection(), &input, 0..POINTS.length).unwrap();
    let mut setting = Setting::new(&kafka, &input, &output).unwrap();
    // Room for three records: outputs, dead letters and checkpoints wait for each other.
    setting.kafka = format!(
        "  delivery: {delivery}
  properties: {{queue.buffering.max.messages: '3'}}"
    );
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let mut audit = Audit::of(&kafka.connection(), &output).unwrap();
    audit.read_until(count(&POINTS), MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    assert_eq!(audit.repeated, 0);
    assert!(
        diagrams(&audit).unwrap() == expected(&POINTS, &input).unwrap(),
        "not what the engine alone computes"
    );
}

#[test]
fn a_full_queue_of_acknowledged_records_empties_itself() {
    passes("at_least_once");
}

#[test]
fn a_full_queue_of_transactions_empties_itself() {
    passes("exactly_once");
}
