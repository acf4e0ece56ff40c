//! Every codec from end to end, with a schema registry.

use crate::encode::{self, Point};
use crate::registry::Registry;
use crate::{MINUTES, QUIET};
use harness::audit::Audit;
use harness::kafka::Kafka;
use harness::points::{Points, time};
use harness::setting::{Setting, count, diagrams, expected};
use harness::worker::Worker;
use mesh::{Feed, Record};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const POINTS: Points = Points { partitions: 1, series: 2, length: 300 };
/// Points in a record of Arrow.
const ROWS: usize = 32;
const GUID: u128 = 0x89791762_2336_4186_9674_299b90a802e2;

fn record(value: Vec<u8>) -> Record {
    let value = Some(value.into());
    Record { offset: 0, timestamp: Some(7), key: None, value, headers: Vec::new() }
}

/// The points of a partition in the order in which they are appended.
fn points(partition: i32) -> Vec<Point> {
    let point = |n: usize| {
        let (series, index) = (n % POINTS.series, n / POINTS.series);
        let values = Points::value(partition, series, index);
        (Points::name(partition, series), time(index), values)
    };
    (0..POINTS.series * POINTS.length).map(point).collect()
}

fn feed(kafka: &Kafka, topic: &str, partition: i32, records: impl IntoIterator<Item = Record>) {
    let feed = Feed::open(&kafka.connection(), topic).unwrap();
    for record in records {
        feed.append_record(Some(partition), &record).unwrap();
    }
    feed.finish(Duration::from_secs(30)).unwrap();
}

/// Runs a worker until all is there; gives its diagrams.
fn run(
    setting: &Setting,
    kafka: &Kafka,
    output: &str,
    points: &Points,
) -> BTreeMap<String, Vec<u8>> {
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let mut audit = Audit::of(&kafka.connection(), output).unwrap();
    audit.read_until(count(points), MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    diagrams(&audit).unwrap()
}

fn reads(codec: &str, input: &str, records: Vec<Record>) -> BTreeMap<String, Vec<u8>> {
    let kafka = Kafka::shared().unwrap();
    let (topic, output) = (format!("codec-{codec}"), format!("codec-{codec}-out"));
    kafka.create_topics(&topic, &[&output], 1).unwrap();
    feed(&kafka, &topic, 0, records);
    let mut setting = Setting::new(&kafka, &topic, &output).unwrap();
    setting.codec = input.into();
    run(&setting, &kafka, &output, &POINTS)
}

#[test]
fn json_with_mapped_fields() {
    let value = |point| String::from_utf8(encode::json(&point)).unwrap().replace("series", "id");
    let records = points(0).into_iter().map(|point| record(value(point).into_bytes()));
    let found = reads("json", "{fields: {series: id}}", records.collect());
    assert!(found == expected(&POINTS, "codec-json").unwrap());
}

#[test]
fn avro_with_a_registry() {
    let registry = Registry::start();
    registry.put(9, "AVRO", encode::AVRO, "[]");
    let records = points(0).into_iter().map(|point| record(encode::avro(9, &point)));
    let input = format!("{{codec: avro, registry: {{url: '{}'}}}}", registry.url);
    let found = reads("avro", &input, records.collect());
    assert!(found == expected(&POINTS, "codec-avro").unwrap());
    assert_eq!(registry.asked.lock().unwrap().len(), 1);
}

#[test]
fn protobuf_with_the_schema_in_a_header() {
    let registry = Registry::start();
    let guid = "89791762-2336-4186-9674-299b90a802e2";
    let schema = serde_json::to_string(encode::PROTOBUF).unwrap();
    let answer = format!(r#"{{"schema":{schema},"schemaType":"PROTOBUF"}}"#);
    registry.set(&format!("/schemas/guids/{guid}"), 200, &answer);
    // The second message of the file.
    let header = [&[1][..], &GUID.to_be_bytes(), &[2, 2]].concat();
    let records = points(0).into_iter().map(|point| Record {
        headers: vec![("__value_schema_id".into(), Some(header.clone()))],
        ..record(encode::protobuf(&point))
    });
    let input = format!("{{codec: protobuf, registry: {{url: '{}'}}}}", registry.url);
    let found = reads("protobuf", &input, records.collect());
    assert!(found == expected(&POINTS, "codec-protobuf").unwrap());
}

#[test]
fn arrow_with_many_points_in_a_record_and_a_restart_in_between() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("codec-arrow", &["codec-arrow-out"], 1).unwrap();
    let mut setting = Setting::new(&kafka, "codec-arrow", "codec-arrow-out").unwrap();
    setting.codec = "{codec: arrow_ipc}".into();
    let records: Vec<Record> =
        points(0).chunks(ROWS).map(|points| record(encode::arrow(points))).collect();
    let half = Points { length: 160, ..POINTS };
    feed(&kafka, "codec-arrow", 0, records[..10].to_vec());
    run(&setting, &kafka, "codec-arrow-out", &half);
    feed(&kafka, "codec-arrow", 0, records[10..].to_vec());
    let found = run(&setting, &kafka, "codec-arrow-out", &POINTS);
    let wanted: BTreeMap<String, Vec<u8>> = expected(&POINTS, "codec-arrow").unwrap();
    let wanted = wanted.into_iter().map(|(id, json)| (with_row(&id), json)).collect();
    assert!(found == wanted, "{:?}\n{:?}", found.keys(), BTreeMap::keys(&wanted));
}

/// The id that a point has in a record of many, from the one in a record of its own.
fn with_row(id: &str) -> String {
    let parts: Vec<&str> = id.split('/').collect();
    let number: usize = parts[2].parse().unwrap();
    let row = match number % ROWS {
        0 => String::new(),
        row => format!(".{row}"),
    };
    format!("{}/{}/{}{row}/{}/{}", parts[0], parts[1], number / ROWS, parts[3], parts[4])
}

#[test]
fn records_wait_for_a_registry_that_gives_no_answer_and_others_do_not() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("waits", &["waits-out"], 2).unwrap();
    let registry = Registry::start();
    registry.put(1, "AVRO", encode::AVRO, "[]");
    registry.set("/schemas/ids/2", 503, "{}");
    for (partition, id) in [(0, 1), (1, 2)] {
        let records = points(partition).into_iter().map(|point| record(encode::avro(id, &point)));
        feed(&kafka, "waits", partition, records);
    }
    let mut setting = Setting::new(&kafka, "waits", "waits-out").unwrap();
    setting.codec = format!("{{codec: avro, registry: {{url: '{}'}}}}", registry.url);
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let mut audit = Audit::of(&kafka.connection(), "waits-out").unwrap();
    audit.read_until(count(&POINTS), MINUTES, &mut worker).unwrap();
    let waits = || setting.metric("streaming_tda_partitions_waiting") == [1.0];
    worker.wait_until("a partition waits", MINUTES, waits).unwrap();
    audit.read_rest(QUIET).unwrap();
    assert_eq!(audit.outputs.len(), count(&POINTS), "the other partition goes on");
    assert!(setting.metric("streaming_tda_registry_failures_total")[0] >= 2.0);
    assert_eq!(setting.metric("streaming_tda_lag{partition=\"1\"}"), [600.0]);
    assert!(worker.log().contains("the schema registry gives no answer"), "{}", worker.log());
    // Who has to go does not wait.
    let began = Instant::now();
    worker.terminate().unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());

    let mut worker = Worker::start(&setting.yaml()).unwrap();
    worker.wait_until("a partition waits", MINUTES, waits).unwrap();
    registry.put(2, "AVRO", encode::AVRO, "[]");
    let both = Points { partitions: 2, ..POINTS };
    audit.read_until(count(&both), MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    assert_eq!(setting.metric("streaming_tda_partitions_waiting"), [0.0]);
    worker.terminate().unwrap();
    assert!(diagrams(&audit).unwrap() == expected(&both, "waits").unwrap());
    assert_eq!(audit.repeated, 0);
}
