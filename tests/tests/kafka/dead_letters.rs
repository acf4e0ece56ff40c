//! Records that give no points, kept as they were.

use crate::encode;
use crate::registry::Registry;
use crate::{MINUTES, QUIET};
use harness::audit::Audit;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::setting::{Setting, diagrams};
use harness::worker::{Worker, command};
use mesh::dead_letters::Letter;
use mesh::schema::Header;
use mesh::tail::Begin;
use mesh::{Connection, Feed, Record, Tail};
use std::time::Duration;

/// A value that is bad in a codec, and the code of the rule that it breaks.
type Bad = (Option<Vec<u8>>, &'static str);

fn headers() -> Vec<Header> {
    vec![("trace".into(), Some(vec![0xff, 0, 7])), ("trace".into(), None)]
}

fn record(value: Option<Vec<u8>>) -> Record {
    let (key, value) = (Some(b"s\xff".as_slice().into()), value.map(Into::into));
    Record { offset: 0, timestamp: Some(1_700_000_000_123), key, value, headers: headers() }
}

fn feed(connection: &Connection, topic: &str, records: &[Record]) {
    let feed = Feed::open(connection, topic).unwrap();
    for record in records {
        feed.append_record(Some(0), record).unwrap();
    }
    feed.finish(Duration::from_secs(30)).unwrap();
}

/// All dead letters of a worker, once there are `count`.
fn letters(
    connection: &Connection,
    output: &str,
    count: usize,
    worker: &mut Worker,
) -> Vec<Letter> {
    let topic = format!("{output}.dead-letters");
    worker.wait_for("partitions assigned", MINUTES).unwrap();
    let tail = Tail::open(connection, &[&topic], Begin::First).unwrap();
    let mut letters = Vec::new();
    let deadline = std::time::Instant::now() + MINUTES;
    while letters.len() < count && std::time::Instant::now() < deadline {
        worker.check().unwrap();
        letters.extend(tail.next(Duration::from_millis(100)).unwrap());
    }
    while let Some(located) = tail.next(QUIET).unwrap() {
        letters.push(located);
    }
    letters.iter().map(|located| Letter::read(located).unwrap()).collect()
}

/// Feeds bad records and finds them as dead letters, untouched.
fn keeps(codec: &str, input: &str, bad: &[Bad]) {
    let kafka = Kafka::shared().unwrap();
    let (topic, output) = (format!("dead-{codec}"), format!("dead-{codec}-out"));
    kafka.create_topics(&topic, &[&output], 1).unwrap();
    let records: Vec<Record> = bad.iter().map(|(value, _)| record(value.clone())).collect();
    feed(&kafka.connection(), &topic, &records);
    let mut setting = Setting::new(&kafka, &topic, &output).unwrap();
    setting.codec = input.into();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let letters = letters(&kafka.connection(), &output, bad.len(), &mut worker);
    let counted = || setting.metric("streaming_tda_dead_letters_total") == [bad.len() as f64];
    worker.wait_until("the dead letters are counted", MINUTES, counted).unwrap();
    worker.terminate().unwrap();
    assert_eq!(letters.len(), bad.len());
    for ((letter, (value, code)), offset) in letters.iter().zip(bad).zip(0..) {
        assert_eq!(letter.code, *code, "{}", letter.message);
        assert_eq!(letter.stage, code.split('.').next().unwrap());
        assert_eq!(
            (&letter.key, &letter.value),
            (&record(None).key, &value.clone().map(Into::into))
        );
        assert_eq!(letter.headers, headers());
        assert_eq!((letter.topic.as_str(), letter.partition, letter.offset), (&*topic, 0, offset));
        assert_eq!((letter.timestamp, letter.attempts), (Some(1_700_000_000_123), 1));
        assert_eq!(letter.pipeline, output);
        let names: Vec<&str> = letter.added.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"__connect.errors.stage"), "{names:?}");
        assert!(names.contains(&"kafka_dlt-original-offset"), "{names:?}");
    }
}

#[test]
fn bad_records_of_every_codec_are_kept_as_they_were() {
    let point = |dimension: usize| (String::from("s"), 1.0, [dimension as f32; 2]);
    keeps(
        "json",
        "{}",
        &[
            (None, "decode.empty"),
            (Some(b"{\xff".into()), "decode.json"),
            (Some(br#"{"values":[1]}"#.into()), "admit.series"),
            (Some(br#"{"series":"s","values":[1]}"#.into()), "admit.dimension"),
            (Some(vec![b' '; 70_000]), "decode.size"),
        ],
    );
    let registry = Registry::start();
    registry.put(1, "AVRO", encode::AVRO, "[]");
    registry.put(2, "PROTOBUF", encode::PROTOBUF, "[]");
    let with_registry =
        |codec: &str| format!("{{codec: {codec}, registry: {{url: '{}'}}}}", registry.url);
    let mut cut = encode::avro(1, &point(1));
    cut.truncate(9);
    keeps(
        "avro",
        &with_registry("avro"),
        &[
            (Some(cut), "decode.avro"),
            (Some(encode::avro(9, &point(1))), "decode.schema-unknown"),
            (Some(encode::avro(2, &point(1))), "decode.schema"),
            (Some(b"{}".into()), "decode.wire-format"),
        ],
    );
    let message = |payload: &[u8]| [&[0, 0, 0, 0, 2, 2, 2], payload].concat();
    keeps(
        "protobuf",
        &with_registry("protobuf"),
        &[
            (Some(message(&[0xff; 11])), "decode.protobuf"),
            (
                Some(message(&encode::protobuf(&(String::from("s"), f64::NAN, [1.0; 2])))),
                "admit.time",
            ),
        ],
    );
    let mut rows = encode::arrow(&[point(1), (String::from("s"), 1.0, [1.0, f32::INFINITY])]);
    let good = rows.clone();
    rows.truncate(20);
    keeps(
        "arrow",
        "{codec: arrow_ipc}",
        &[(Some(rows), "decode.arrow"), (Some(good), "admit.not-finite")],
    );
}

/// The offsets of the bad records whose dead letters came, when a worker is killed in between.
fn after_a_kill(delivery: &str) -> Vec<i64> {
    let kafka = Kafka::shared().unwrap();
    let (topic, output) = (format!("killed-{delivery}"), format!("killed-{delivery}-out"));
    kafka.create_topics(&topic, &[&output], 1).unwrap();
    let value = |index: usize| {
        let [x, y] = Points::value(0, 0, index);
        let good = format!(r#"{{"series":"s","values":[{x},{y}]}}"#);
        if index % 10 == 3 { format!("bad {index}") } else { good }
    };
    let records: Vec<Record> =
        (0..2000).map(|index| record(Some(value(index).into_bytes()))).collect();
    feed(&kafka.connection(), &topic, &records);
    let mut setting = Setting::new(&kafka, &topic, &output).unwrap();
    setting.kafka = format!("  delivery: {delivery}");
    let mut audit = Audit::of(&kafka.connection(), &output).unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    audit.read_until(20, MINUTES, &mut worker).unwrap();
    worker.kill().unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let letters = letters(&kafka.connection(), &output, 200, &mut worker);
    worker.terminate().unwrap();
    // A third run finds nothing new.
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let again = self::letters(&kafka.connection(), &output, 200, &mut worker);
    worker.terminate().unwrap();
    assert_eq!(again, letters);
    letters.iter().map(|letter| letter.offset).collect()
}

fn bad_offsets() -> Vec<i64> {
    (0..200).map(|n| 10 * n + 3).collect()
}

#[test]
fn a_worker_that_is_killed_loses_no_dead_letter() {
    let mut offsets = after_a_kill("at_least_once");
    offsets.sort_unstable();
    offsets.dedup();
    assert_eq!(offsets, bad_offsets());
}

#[test]
fn a_worker_that_is_killed_repeats_no_dead_letter_exactly_once() {
    assert_eq!(after_a_kill("exactly_once"), bad_offsets());
}

#[test]
fn without_dead_letters_nothing_is_kept() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("dead-off", &["dead-off-out"], 1).unwrap();
    feed(&kafka.connection(), "dead-off", &[record(Some(b"bad".into()))]);
    let setting = Setting::new(&kafka, "dead-off", "dead-off-out").unwrap();
    let yaml = setting.yaml().replace("dead_letters: {", "dead_letters: {enabled: false, ");
    let mut worker = Worker::start(&yaml).unwrap();
    let counted =
        || setting.metric("streaming_tda_records_skipped_total{code=\"decode.json\"}") == [1.0];
    worker.wait_until("the record is counted", MINUTES, counted).unwrap();
    worker.terminate().unwrap();
    let topic = "dead-off-out.dead-letters";
    assert!(!mesh::topics::exists(&kafka.connection(), topic).unwrap());
}

#[test]
fn what_is_accepted_by_now_comes_through_when_it_is_replayed_once() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("replayed", &["replayed-out"], 1).unwrap();
    let registry = Registry::start();
    let point = |index: usize| (String::from("s"), 1.0, Points::value(0, 0, index));
    let mut records: Vec<Record> =
        (0..100).map(|index| record(Some(encode::avro(1, &point(index))))).collect();
    records.push(record(Some(b"not framed".into())));
    feed(&kafka.connection(), "replayed", &records);
    let mut setting = Setting::new(&kafka, "replayed", "replayed-out").unwrap();
    setting.codec = format!("{{codec: avro, registry: {{url: '{}'}}}}", registry.url);
    let yaml = setting.yaml();
    let mut worker = Worker::start(&yaml).unwrap();
    let first = letters(&kafka.connection(), "replayed-out", 101, &mut worker);
    worker.terminate().unwrap();
    assert_eq!(first.len(), 101);
    let tell = |name: &str, arguments: &[&str]| command(&yaml, &["dead-letters", name], arguments);

    let listed = tell("list", &["--json", "--code", "decode.schema-unknown"]).unwrap();
    let lines: Vec<serde_json::Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 100);
    assert_eq!((&lines[7]["source"]["offset"], &lines[7]["replayed"]), (&7.into(), &false.into()));
    assert_eq!(tell("list", &["--since", "1h"]).unwrap().lines().count(), 102, "with a title");
    assert_eq!(tell("list", &["--json", "--since", "2200-01-01T00:00:00Z"]).unwrap(), "");
    let offsets = tell("list", &["--json", "--partition", "0", "--offsets", "3-5"]).unwrap();
    assert_eq!(offsets.lines().count(), 3);
    let (partition, offset) = first[100].place;
    let shown = tell("show", &[&format!("{partition}/{offset}")]).unwrap();
    for part in ["decode.wire-format", "replayed/0/100", "trace: ff 00 07", "not framed"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    let wrong = tell("show", &["0/1000"]).unwrap_err().to_string();
    assert!(wrong.contains("there is no record 0/1000"), "{wrong}");

    registry.put(1, "AVRO", encode::AVRO, "[]");
    let chosen = ["--code", "decode.schema-unknown"];
    let dry = tell("replay", &[&chosen[..], &["--dry-run"]].concat()).unwrap();
    assert_eq!(dry, "100 to replayed would be replayed\n");
    assert_eq!(tell("replay", &chosen).unwrap(), "100 to replayed replayed\n");
    let again = tell("replay", &chosen).unwrap();
    assert_eq!(again, "none replayed\n100 replayed before, left out: --again sends them too\n");
    assert_eq!(tell("replay", &[]).unwrap().lines().next(), Some("1 to replayed replayed"));

    let mut worker = Worker::start(&yaml).unwrap();
    let mut audit = Audit::of(&kafka.connection(), "replayed-out").unwrap();
    audit.read_until(3, MINUTES, &mut worker).unwrap();
    let found = diagrams(&audit).unwrap();
    assert_eq!(found.len(), 1, "100 points came through");
    let all = letters(&kafka.connection(), "replayed-out", 102, &mut worker);
    worker.terminate().unwrap();
    assert_eq!(all.len(), 102, "only the one that is still bad came back");
    let (back, before) = (&all[101], &first[100]);
    assert_eq!((back.attempts, &back.headers), (2, &before.headers));
    assert_eq!(
        (&back.key, &back.value, back.timestamp),
        (&before.key, &before.value, before.timestamp)
    );
}
