//! Inputs that are not what they were when the checkpoint was written.

use crate::{MINUTES, QUIET};
use harness::audit::Audit;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::setting::{Setting, count, diagrams, expected};
use harness::worker::Worker;
use mesh::Feed;
use mesh::checkpoint::{Past, Reader};
use mesh::topics::{self, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long a thousand new windows may take on a machine that others use.
const PATIENCE: Duration = Duration::from_secs(600);

const POINTS: Points = Points { partitions: 1, series: 2, length: 2000 };

#[test]
fn what_retention_took_is_begun_anew_and_the_rest_is_computed() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    kafka.create_topics("taken", &["taken-out"], 1).unwrap();
    let setting = Setting::new(&kafka, "taken", "taken-out").unwrap();
    let mut audit = Audit::of(&connection, "taken-out").unwrap();
    POINTS.feed(&connection, "taken", 0..1000).unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let half = count(&Points { length: 1000, ..POINTS });
    audit.read_until(half, MINUTES, &mut worker).unwrap();
    worker.terminate().unwrap();

    POINTS.feed(&connection, "taken", 1000..POINTS.length).unwrap();
    // Beyond the checkpoint at 1000, and all windows with it.
    topics::truncate(&connection, "taken", 0, POINTS.offset(0, 1200)).unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let done = || setting.metric("streaming_tda_lag{") == [0.0];
    worker.wait_until("nothing is left to do", MINUTES, done).unwrap();
    audit.read_rest(QUIET).unwrap();
    let offset = |id: &String| id.split('/').nth(2).unwrap().parse::<i64>().unwrap();
    let late = |id: &&String| offset(id) >= POINTS.offset(0, 1200);
    let anew: BTreeSet<_> = audit.outputs.keys().filter(late).map(offset).collect();
    // The first window is full after a hundred of the points that are left.
    // The windows of `wide` are full after a hundred of the points that are left, those of
    // `judged` after eighty-two.
    assert_eq!(anew.first(), Some(&POINTS.offset(0, 1281)), "{anew:?}");
    assert_eq!(anew.last(), Some(&POINTS.offset(1, POINTS.length - 1)));
    worker.terminate().unwrap();
}

/// A worker that has computed all points of an input, and ended.
fn computed(kafka: &Kafka, input: &str, output: &str, points: &Points) -> Setting {
    let setting = Setting::new(kafka, input, output).unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let mut audit = Audit::of(&kafka.connection(), output).unwrap();
    audit.read_until(count(points), MINUTES, &mut worker).unwrap();
    worker.terminate().unwrap();
    setting
}

/// How often a change was found.
fn changes(setting: &Setting, change: &str) -> f64 {
    let prefix = format!("streaming_tda_changes_total{{change=\"{change}\"}}");
    setting.metric(&prefix).iter().sum()
}

/// A worker that has computed 600 records of each partition and stands still. It remains a member
/// of its group.
fn frozen(kafka: &Kafka, points: &Points, input: &str, lines: &str) -> (Setting, Worker) {
    let output = format!("{input}-out");
    kafka.create_topics(input, &[&output], points.partitions).unwrap();
    points.feed(&kafka.connection(), input, 0..300).unwrap();
    let mut setting = Setting::new(kafka, input, &output).unwrap();
    setting.kafka = lines.into();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let mut audit = Audit::of(&kafka.connection(), &output).unwrap();
    audit.read_until(count(&Points { length: 300, ..*points }), MINUTES, &mut worker).unwrap();
    let lag = || setting.metric("streaming_tda_lag{").iter().all(|lag| *lag == 0.0);
    worker.wait_until("it is at the end", MINUTES, lag).unwrap();
    // Checkpoints and offsets are not far behind.
    std::thread::sleep(Duration::from_secs(1));
    worker.freeze().unwrap();
    (setting, worker)
}

/// Appends the points up to one of which it deletes those before another.
fn pass_by(kafka: &Kafka, points: &Points, input: &str) {
    points.feed(&kafka.connection(), input, 300..700).unwrap();
    for partition in 0..points.partitions {
        topics::truncate(&kafka.connection(), input, partition, points.offset(0, 400)).unwrap();
    }
}

/// What keeps a worker a member of its group while it stands still.
const PATIENT: &str = "  session_timeout_ms: 10000";

#[test]
fn what_retention_takes_while_a_worker_is_held_up_is_counted() {
    is_counted("passed", &POINTS, PATIENT);
}

#[test]
fn what_retention_takes_while_transactions_are_held_up_is_counted() {
    is_counted("missed", &POINTS, &format!("{PATIENT}\n  delivery: exactly_once"));
}

#[test]
fn what_retention_takes_of_several_partitions_is_counted() {
    let points = Points { partitions: 3, ..POINTS };
    is_counted("passed-3", &points, PATIENT);
    is_counted("missed-3", &points, "  group_protocol: consumer");
}

fn is_counted(input: &str, points: &Points, lines: &str) {
    let kafka = Kafka::shared().unwrap();
    let (setting, mut worker) = frozen(&kafka, points, input, lines);
    pass_by(&kafka, points, input);
    worker.thaw().unwrap();
    let times = f64::from(points.partitions);
    wait_for_changes(&mut worker, &setting, "records-lost", times);
    assert_eq!(setting.metric("streaming_tda_records_lost_total"), [times * 200.0]);
    let computed = || setting.metric("streaming_tda_points_total") == [times * (600.0 + 600.0)];
    worker.wait_until("the rest is computed", MINUTES, computed).unwrap();
    let log = worker.log();
    assert!(log.contains("still ours: taken up anew"), "{log}");
    assert!(!log.contains("partitions revoked"), "{log}");
    let mut audit = Audit::of(&kafka.connection(), &format!("{input}-out")).unwrap();
    audit.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    let diagrams = diagrams(&audit).unwrap();
    for partition in 0..points.partitions {
        let prefix = format!("{input}/{partition}/");
        let offset = |id: &str| id.strip_prefix(&prefix)?.split('/').next()?.parse::<i64>().ok();
        let offsets = diagrams.keys().filter_map(|id| offset(id));
        let anew = offsets.filter(|&offset| offset >= points.offset(0, 300)).min();
        assert_eq!(anew, Some(points.offset(0, 499)), "the first window that is full again");
    }
}

#[test]
fn what_retention_takes_while_a_worker_is_held_up_ends_it_on_request() {
    let kafka = Kafka::shared().unwrap();
    let lines = format!("{PATIENT}\n  on_lost_points: fail");
    let (_, worker) = frozen(&kafka, &POINTS, "strict", &lines);
    pass_by(&kafka, &POINTS, "strict");
    worker.thaw().unwrap();
    let log = worker.fails(MINUTES).unwrap();
    assert!(log.contains("those from 600 to 799 were not computed"), "{log}");
}

#[test]
fn an_input_that_is_created_anew_while_a_worker_is_held_up_is_told_of() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    let (_, worker) = frozen(&kafka, &POINTS, "anew", PATIENT);
    topics::delete(&connection, "anew").unwrap();
    while topics::exists(&connection, "anew").unwrap() {
        std::thread::sleep(Duration::from_millis(100));
    }
    kafka.create_topics("anew", &[], 1).unwrap();
    POINTS.feed(&connection, "anew", 0..100).unwrap();
    worker.thaw().unwrap();
    let log = worker.fails(MINUTES).unwrap();
    assert!(log.contains("anew/0 is not the partition that the worker has read before"), "{log}");
}

fn wait_for_change(worker: &mut Worker, setting: &Setting, change: &str) {
    wait_for_changes(worker, setting, change, 1.0);
}

fn wait_for_changes(worker: &mut Worker, setting: &Setting, change: &str, times: f64) {
    let counted = || changes(setting, change) == times;
    worker.wait_until(&format!("{change} is counted"), MINUTES, counted).unwrap();
    let done = || setting.metric("streaming_tda_lag{").iter().all(|lag| *lag == 0.0);
    worker.wait_until("nothing is left to do", MINUTES, done).unwrap();
}

#[test]
fn another_topic_under_the_same_name_is_refused_or_begun_anew() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    let points = Points { length: 300, ..POINTS };
    kafka.create_topics("again", &["again-out"], 1).unwrap();
    points.feed(&connection, "again", 0..300).unwrap();
    let mut setting = computed(&kafka, "again", "again-out", &points);
    topics::delete(&connection, "again").unwrap();
    while topics::exists(&connection, "again").unwrap() {
        std::thread::sleep(Duration::from_millis(100));
    }
    kafka.create_topics("again", &[], 1).unwrap();
    // More records than before, and others.
    points.feed(&connection, "again", 100..600).unwrap();
    let log = Worker::start(&setting.yaml()).unwrap().fails(MINUTES).unwrap();
    assert!(log.contains("again/0 is not the partition") && log.contains("offset 599"), "{log}");

    setting.kafka = "  on_recreated_input: begin_anew".into();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    wait_for_change(&mut worker, &setting, "input-recreated");
    let points = || setting.metric("streaming_tda_points_total").iter().sum::<f64>();
    worker.wait_until("all is computed", MINUTES, || points() == 1000.0).unwrap();
    worker.terminate().unwrap();
}

#[test]
fn a_compacted_input_is_refused() {
    let kafka = Kafka::shared().unwrap();
    let topic = Topic { name: "compacted", partitions: 1, compacted: true, largest: None };
    topics::create(&kafka.connection(), &[topic]).unwrap();
    kafka.create_topics("compacted", &["compacted-out"], 1).unwrap();
    let setting = Setting::new(&kafka, "compacted", "compacted-out").unwrap();
    let log = Worker::start(&setting.yaml()).unwrap().fails(MINUTES).unwrap();
    assert!(
        log.contains("topic compacted cannot be used") && log.contains("cleanup.policy"),
        "{log}"
    );
}

#[test]
fn checkpoints_in_a_topic_that_forgets_are_refused() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("forgets", &["forgets-out"], 1).unwrap();
    let (name, partitions) = ("forgets-out.checkpoints", 1);
    let topic = Topic { name, partitions, compacted: false, largest: None };
    topics::create(&kafka.connection(), &[topic]).unwrap();
    let setting = Setting::new(&kafka, "forgets", "forgets-out").unwrap();
    let log = Worker::start(&setting.yaml()).unwrap().fails(MINUTES).unwrap();
    assert!(log.contains("topic forgets-out.checkpoints cannot be used"), "{log}");
}

#[test]
fn checkpoints_that_are_gone_or_of_a_later_version_are_told_of() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    let points = Points { length: 300, ..POINTS };
    kafka.create_topics("gone", &["gone-out"], 1).unwrap();
    points.feed(&connection, "gone", 0..300).unwrap();
    let setting = computed(&kafka, "gone", "gone-out", &points);
    topics::delete(&connection, "gone-out.checkpoints").unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    wait_for_change(&mut worker, &setting, "no-checkpoint");
    assert!(worker.log().contains("there is no checkpoint"));
    worker.terminate().unwrap();

    let feed = Feed::open(&connection, "gone-out.checkpoints").unwrap();
    let (key, value) = (b"gone-out/gone/0".as_slice(), br#"{"version":99}"#.as_slice());
    feed.append_as_is(Some(0), Some(key), Some(value), None).unwrap();
    feed.finish(MINUTES).unwrap();
    let log = Worker::start(&setting.yaml()).unwrap().fails(MINUTES).unwrap();
    assert!(log.contains("has version 99") && log.contains("upgrade the worker"), "{log}");
}

#[test]
fn checkpoints_are_found_in_a_topic_that_was_given_more_partitions() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    let points = Points { partitions: 4, series: 1, length: 600 };
    let (name, partitions) = ("grown-out.checkpoints", 3);
    let checkpoints = Topic { name, partitions, compacted: true, largest: None };
    topics::create(&connection, &[checkpoints]).unwrap();
    kafka.create_topics("grown", &["grown-out"], 4).unwrap();
    points.feed(&connection, "grown", 0..300).unwrap();
    let mut setting = computed(&kafka, "grown", "grown-out", &Points { length: 300, ..points });
    // As a worker that is to deliver exactly once asks for. What it keeps of the last partition
    // was in another place.
    topics::grow(&connection, "grown-out.checkpoints", 4).unwrap();
    let reader = Reader::new(&connection, "grown-out", "grown-out.checkpoints").unwrap();
    assert_eq!(reader.read("grown", &[3]).unwrap()[&3].next, 300);
    setting.kafka = "  delivery: exactly_once".into();
    let mut audit = Audit::of(&connection, "grown-out").unwrap();
    points.feed(&connection, "grown", 300..600).unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    audit.read_until(count(&points), MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    assert_eq!(changes(&setting, "no-checkpoint"), 0.0, "{}", worker.log());
    worker.terminate().unwrap();
    assert!(diagrams(&audit).unwrap() == expected(&points, "grown").unwrap());
}

#[test]
fn partitions_and_scales_that_have_changed_are_told_of() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    let points = Points { length: 300, ..POINTS };
    kafka.create_topics("changed", &["changed-out"], 1).unwrap();
    points.feed(&connection, "changed", 0..300).unwrap();
    let setting = computed(&kafka, "changed", "changed-out", &points);
    topics::grow(&connection, "changed", 2).unwrap();
    points.feed(&connection, "changed", 300..320).unwrap();
    // The next emission of each series is that of point 309, and not of 319.
    let yaml = setting.yaml().replace("window: 100, hop: 20", "window: 100, hop: 10");
    let mut worker = Worker::start(&yaml).unwrap();
    wait_for_change(&mut worker, &setting, "partitions");
    assert_eq!(changes(&setting, "scales"), 1.0);
    let mut audit = Audit::of(&connection, "changed-out").unwrap();
    let id = |series| format!("changed/0/{}/diagrams/wide", POINTS.offset(series, 309));
    while !(0..2).all(|series| audit.outputs.contains_key(&id(series))) {
        worker.check().unwrap();
        audit.read(QUIET).unwrap();
    }
    worker.terminate().unwrap();
}

#[test]
fn partitions_that_are_added_while_it_runs_are_served() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    let points = Points { partitions: 2, ..POINTS };
    kafka.create_topics("added", &["added-out"], 1).unwrap();
    let mut setting = Setting::new(&kafka, "added", "added-out").unwrap();
    setting.kafka = "  properties: {topic.metadata.refresh.interval.ms: '1000'}".into();
    let mut audit = Audit::of(&connection, "added-out").unwrap();
    POINTS.feed(&connection, "added", 0..1000).unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    audit.read_until(count(&POINTS) / 3, MINUTES, &mut worker).unwrap();
    topics::grow(&connection, "added", 2).unwrap();
    let both = || setting.metric("streaming_tda_lag{").len() == 2;
    worker.wait_until("the new partition is served", MINUTES, both).unwrap();
    points.feed(&connection, "added", 1000..POINTS.length).unwrap();
    let second = Points { length: 1000, ..POINTS };
    audit.read_until(count(&POINTS) + count(&second), MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    let (first, second): (BTreeMap<_, _>, BTreeMap<_, _>) =
        diagrams(&audit).unwrap().into_iter().partition(|(id, _)| id.starts_with("added/0/"));
    assert!(first == expected(&POINTS, "added").unwrap());
    assert_eq!(second.len(), 2 * ((1000 - 100) / 20 + 1));
}

/// From the start of the process to the next outputs of all series, in ten seconds of two cores.
/// Other tests want them too: their time is counted, not that of the clock.
#[test]
fn a_thousand_windows_of_a_thousand_points_come_back() {
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    let points = Points { partitions: 4, series: 250, length: 1010 };
    kafka.create_topics("large", &["large-out"], 4).unwrap();
    points.feed(&connection, "large", 0..1001).unwrap();
    let setting = Setting::new(&kafka, "large", "large-out").unwrap();
    let yaml = setting.yaml().replace("window: 100, hop: 20", "window: 1000, hop: 10");
    let mut worker = Worker::start(&yaml).unwrap();
    let mut audit = Audit::of(&connection, "large-out").unwrap();
    // Of each series a diagram of `wide`, and twenty-three of `judged` with their features.
    audit.read_until(1000 * (1 + 2 * ((999 / 2 - 40) / 20 + 1)), PATIENCE, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    audit.read_rest(QUIET).unwrap();

    points.feed(&connection, "large", 1001..points.length).unwrap();
    let began = Instant::now();
    let mut worker = Worker::start(&yaml).unwrap();
    // The next ones of all.
    let next = audit.outputs.len() + 3000;
    audit.read_until(next, PATIENCE, &mut worker).unwrap();
    let (clock, cores) = (began.elapsed(), worker.cpu_time().unwrap());
    println!("back after {clock:?}, with {cores:?} of the cores");
    assert!(cores < Duration::from_secs(20), "{cores:?}");
    worker.terminate().unwrap();
}
