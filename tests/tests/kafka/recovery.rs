//! Nothing is lost, and what comes again is the same.

use crate::{MINUTES, QUIET};
use harness::audit::Audit;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::setting::{Setting, count, diagrams, expected};
use harness::worker::Worker;
use mesh::schema::{Kind, Message};
use worker::results::Diagrams;

/// What a worker logs of a partition that it takes up at a checkpoint.
const RESUMED: &str = "taken up at the checkpoint";

fn undisturbed(kafka: &Kafka, input: &str, output: &str, count: usize) -> Audit {
    let mut worker = Worker::start(&Setting::new(kafka, input, output).unwrap().yaml()).unwrap();
    let mut audit = Audit::of(&kafka.connection(), output).unwrap();
    audit.read_until(count, MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    audit
}

#[test]
fn after_a_crash_the_outputs_are_those_of_an_undisturbed_run() {
    let kafka = Kafka::shared().unwrap();
    let points = Points { partitions: 4, series: 5, length: 10_000 };
    assert_eq!(points.count(), 200_000);
    kafka.create_topics("crash", &["crash-calm", "crash-killed"], 4).unwrap();
    points.feed(&kafka.connection(), "crash", 0..points.length).unwrap();
    let expected = expected(&points, "crash").unwrap();
    let calm = undisturbed(&kafka, "crash", "crash-calm", count(&points));
    assert_eq!(calm.repeated, 0, "an undisturbed run repeats nothing");

    let setting = Setting::new(&kafka, "crash", "crash-killed").unwrap();
    let yaml = setting.yaml();
    let mut killed = Audit::of(&kafka.connection(), "crash-killed").unwrap();
    let share = |tenths: usize| calm.outputs.len() * tenths / 10;

    let mut worker = Worker::start(&yaml).unwrap();
    killed.read_until(share(3), MINUTES, &mut worker).unwrap();
    let saved = || setting.metric("streaming_tda_checkpoints_total").iter().sum::<f64>() > 0.0;
    worker.wait_until("a checkpoint is saved", MINUTES, saved).unwrap();
    assert!(!worker.log().contains(RESUMED), "the first worker finds no checkpoint");
    worker.kill().unwrap();

    let mut worker = Worker::start(&yaml).unwrap();
    worker.wait_for(RESUMED, MINUTES).unwrap();
    killed.read_until(share(7), MINUTES, &mut worker).unwrap();
    worker.kill().unwrap();

    let mut worker = Worker::start(&yaml).unwrap();
    killed.read_until(calm.outputs.len(), MINUTES, &mut worker).unwrap();
    killed.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();

    assert!(killed.outputs == calm.outputs, "{}", difference(&killed, &calm));
    assert!(
        diagrams(&killed).unwrap() == expected,
        "the diagrams are not those of the engine alone"
    );
    assert!(killed.of_kind(Kind::Alerts).count() > 20, "there is something to alert about");
    println!("{} outputs, {} came again", calm.outputs.len(), killed.repeated);
    let (_, value) = killed.of_kind(Kind::Diagrams).next().unwrap();
    serde_json::from_slice::<Message<Diagrams>>(value).unwrap();
}

/// Which ids are missing, and which values differ.
fn difference(found: &Audit, wanted: &Audit) -> String {
    let missing: Vec<_> =
        wanted.outputs.keys().filter(|id| !found.outputs.contains_key(*id)).take(5).collect();
    let extra: Vec<_> =
        found.outputs.keys().filter(|id| !wanted.outputs.contains_key(*id)).take(5).collect();
    let differs =
        |(id, value): &(&String, &Vec<u8>)| wanted.outputs.get(*id).is_some_and(|w| w != *value);
    let other = found.outputs.iter().find(differs).map(|(id, value)| {
        let wanted = String::from_utf8_lossy(&wanted.outputs[id]).into_owned();
        format!("{id}:\n{}\n{wanted}", String::from_utf8_lossy(value))
    });
    format!("missing {missing:?}, too much {extra:?}, other bytes {other:?}")
}
