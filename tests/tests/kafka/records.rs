//! Records and series of all sorts.

use crate::{MINUTES, QUIET};
use harness::audit::Audit;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::setting::{Setting, emission};
use harness::worker::{Worker, get};
use mesh::Feed;
use mesh::schema::Kind;
use persistence::{Config, Embedding, Scale};
use std::time::Duration;
use worker::emission::Emission;

/// Key and value of a bad record, and the code of the rule that it breaks.
type Bad = (Option<&'static [u8]>, Option<&'static str>, &'static str);

const BAD: [Bad; 7] = [
    (Some(b"s"), None, "decode.empty"),
    (Some(b"s"), Some("not JSON"), "decode.json"),
    (Some(b"s"), Some(r#"{"time": 1}"#), "decode.field"),
    (Some(b"s"), Some(r#"{"values": [1, "2"]}"#), "decode.field"),
    (Some(b"s"), Some(r#"{"values": [1, 2, 3]}"#), "admit.dimension"),
    (None, Some(r#"{"values": [1, 2]}"#), "admit.series"),
    (Some(b"\xff\xfe"), Some(r#"{"values": [1, 2]}"#), "admit.series"),
];

#[test]
fn a_worker_whose_outputs_are_not_there_names_all_of_them() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("alone", &[], 3).unwrap();
    let worker = Worker::start(&Setting::new(&kafka, "alone", "none").unwrap().yaml()).unwrap();
    let log = worker.fails(MINUTES).unwrap();
    let named = "none.diagrams, none.features, none.alerts; create them, each with 3 partitions";
    assert!(log.contains(named), "{log}");
}

#[test]
fn bad_records_are_counted_and_the_good_ones_between_them_computed() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("bad", &["bad-out"], 1).unwrap();
    let setting = Setting::new(&kafka, "bad", "bad-out").unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let feed = Feed::open(&kafka.connection(), "bad").unwrap();
    let mut scale =
        Scale::new(Embedding::identity(2).unwrap(), 1, 20, &Config::new(2, 100, 0.8)).unwrap();
    let mut expected = Vec::new();
    for index in 0..300 {
        if index % 10 == 5 {
            let (key, value, _) = BAD[index / 10 % BAD.len()];
            feed.append_as_is(Some(0), key, value.map(str::as_bytes), Some(0)).unwrap();
        }
        let [x, y] = Points::value(0, 0, index);
        // The series stands in the point here, and the time in the record.
        let value = format!(r#"{{"series":"s","values":[{x},{y}],"unit":"mV"}}"#);
        feed.append_as_is(Some(0), None, Some(value.as_bytes()), Some(index as i64)).unwrap();
        expected.extend(scale.push(&[x, y]).unwrap().map(|emission| {
            let mut json = Vec::new();
            Emission::from(&emission).write(&mut json).unwrap();
            json
        }));
    }
    feed.finish(Duration::from_secs(30)).unwrap();
    let mut audit = Audit::of(&kafka.connection(), "bad-out").unwrap();
    audit.read_until(expected.len() + 2 * 6, MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    let order = &audit.order[&("bad-out.diagrams".to_owned(), 0, "s".to_owned())];
    let found = order.iter().filter(|id| id.ends_with("/wide"));
    let found: Vec<Vec<u8>> = found.map(|id| emission(&audit.outputs[id]).unwrap()).collect();
    assert!(found == expected, "the good records are not what was computed");
    for code in BAD.map(|(_, _, code)| code) {
        let sent = (0..30).filter(|i| BAD[i % BAD.len()].2 == code).count() as f64;
        let prefix = format!("streaming_tda_records_skipped_total{{code=\"{code}\"}}");
        assert_eq!(setting.metric(&prefix), [sent], "{code}");
    }
    assert!(worker.log().contains("code=\"admit.dimension\""), "{}", worker.log());
    worker.terminate().unwrap();
}

#[test]
fn metrics_and_health_tell_how_the_worker_is() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("told", &["told-out"], 2).unwrap();
    let points = Points { partitions: 2, series: 1, length: 500 };
    points.feed(&kafka.connection(), "told", 0..points.length).unwrap();
    let setting = Setting::new(&kafka, "told", "told-out").unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let ready = || matches!(get(setting.port, "/health/ready"), Ok((200, _)));
    worker.wait_until("it is ready", MINUTES, ready).unwrap();
    assert_eq!(get(setting.port, "/health/live").unwrap().0, 200);
    assert_eq!(get(setting.port, "/elsewhere").unwrap().0, 404);
    let caught_up = || {
        let lag = setting.metric("streaming_tda_lag{");
        let points: f64 = setting.metric("streaming_tda_points_total").iter().sum();
        lag.len() == 2 && lag.iter().all(|l| *l == 0.0) && points == 1000.0
    };
    worker.wait_until("nothing is left to do", MINUTES, caught_up).unwrap();
    let told =
        || setting.metric("streaming_tda_end_to_end_latency_seconds_count{kind=\"diagrams\"");
    let all = || told() == [2.0 * 21.0 + 2.0 * 11.0];
    worker.wait_until("all outputs are acknowledged", MINUTES, all).unwrap();
    let sum = |prefix: &str| setting.metric(prefix).iter().sum::<f64>();
    assert_eq!(sum("streaming_tda_emissions_total{scale=\"wide\""), 42.0);
    assert_eq!(sum("streaming_tda_engine_latency_seconds_count{scale=\"wide\""), 42.0);
    assert!(sum("streaming_tda_engine_latency_seconds_sum{scale=\"wide\"") > 0.0);
    assert_eq!(sum("streaming_tda_outputs_total{kind=\"features\""), 22.0);
    let measured = || sum("streaming_tda_window_bytes{scale=\"wide\"") > 2.0 * 100.0 * 8.0;
    worker.wait_until("memory is measured", MINUTES, measured).unwrap();
    let saved = || sum("streaming_tda_checkpoints_total") >= 2.0;
    worker.wait_until("checkpoints are written", MINUTES, saved).unwrap();
    assert_eq!(setting.metric("streaming_tda_queue_bytes{"), [0.0, 0.0]);
    worker.terminate().unwrap();
}

/// Bursts of many series, of which some come back after a long time.
fn feed_bursts(kafka: &Kafka, topic: &str) {
    let feed = Feed::open(&kafka.connection(), topic).unwrap();
    let mut seen = [0; 30];
    for burst in 0..400usize {
        let series = burst * burst % 29 + burst % 2;
        for _ in 0..30 + burst % 7 * 15 {
            let [x, y] = Points::value(0, series, seen[series]);
            seen[series] += 1;
            let (key, value) = (format!("s{series}"), format!(r#"{{"values":[{x},{y}]}}"#));
            feed.append_as_is(Some(0), Some(key.as_bytes()), Some(value.as_bytes()), Some(7))
                .unwrap();
        }
    }
    feed.finish(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_worker_holds_so_many_series_and_forgets_the_same_ones_after_a_crash() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("many", &["many-calm", "many-killed"], 1).unwrap();
    feed_bursts(&kafka, "many");
    let bounded = |output| {
        let mut setting = Setting::new(&kafka, "many", output).unwrap();
        setting.series = "dimension: 2, max: 8".into();
        setting
    };
    let calm = bounded("many-calm");
    let mut worker = Worker::start(&calm.yaml()).unwrap();
    let mut undisturbed = Audit::of(&kafka.connection(), "many-calm").unwrap();
    let done = || calm.metric("streaming_tda_lag{") == [0.0];
    worker.wait_until("nothing is left to do", MINUTES, done).unwrap();
    undisturbed.read_rest(QUIET).unwrap();
    assert_eq!(calm.metric("streaming_tda_series{"), [8.0]);
    assert!(calm.metric("streaming_tda_series_cold_total")[0] > 20.0);
    worker.terminate().unwrap();
    let count = undisturbed.outputs.len();
    assert!(count > 500, "{count} outputs");

    let killed = bounded("many-killed");
    let mut disturbed = Audit::of(&kafka.connection(), "many-killed").unwrap();
    for share in [1, 2] {
        let mut worker = Worker::start(&killed.yaml()).unwrap();
        disturbed.read_until(count * share / 3, MINUTES, &mut worker).unwrap();
        // Let a checkpoint be written that is not at the end of anything.
        std::thread::sleep(Duration::from_millis(100));
        worker.kill().unwrap();
    }
    let mut worker = Worker::start(&killed.yaml()).unwrap();
    disturbed.read_until(count, MINUTES, &mut worker).unwrap();
    disturbed.read_rest(QUIET).unwrap();
    worker.terminate().unwrap();
    assert!(disturbed.outputs == undisturbed.outputs, "not what an undisturbed run puts out");
    assert!(disturbed.of_kind(Kind::Diagrams).count() > 300);
}
