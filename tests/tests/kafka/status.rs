//! What a worker tells of itself.

use crate::MINUTES;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::setting::Setting;
use harness::worker::{Worker, get};
use serde_json::{Value, json};
use std::time::Duration;

fn status(setting: &Setting) -> Value {
    let answer = get(setting.port, "/status").ok().filter(|(code, _)| *code == 200);
    answer.map_or(Value::Null, |(_, text)| serde_json::from_str(&text).unwrap())
}

#[test]
fn a_worker_tells_where_it_is_on_each_partition() {
    let kafka = Kafka::shared().unwrap();
    let points = Points { partitions: 2, series: 3, length: 2000 };
    kafka.create_topics("telling", &["told"], 2).unwrap();
    let setting = Setting::new(&kafka, "telling", "told").unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let owns = || status(&setting)["partitions"].as_array().is_some_and(|p| p.len() == 2);
    worker.wait_until("it owns both partitions", MINUTES, owns).unwrap();
    points.feed(&kafka.connection(), "telling", 0..points.length).unwrap();
    let each = points.count() as i64 / 2;
    let done = || {
        let told = status(&setting);
        let is = |p: &Value| p["next_offset"] == each && p["end_offset"] == each;
        told["partitions"].as_array().unwrap().iter().all(is)
    };
    worker.wait_until("it has computed everything", MINUTES, done).unwrap();
    let told = status(&setting);
    assert_eq!((&told["group"], &told["topic"]), (&json!("told"), &json!("telling")));
    assert_eq!((&told["partitions_total"], &told["threads"]), (&json!(2), &json!(2)));
    assert!(told["busy_percent"].as_f64().unwrap() > 0.0, "{told:#}");
    for (number, partition) in told["partitions"].as_array().unwrap().iter().enumerate() {
        assert_eq!((&partition["partition"], &partition["series"]), (&json!(number), &json!(3)));
        assert_eq!(partition["state"], "Running", "{told:#}");
        assert_eq!(
            (&partition["lag_records"], &partition["lag_seconds"]),
            (&json!(0), &json!(0.0))
        );
        assert!(partition["points_per_second"].as_f64().unwrap() > each as f64 / 30.0, "{told:#}");
    }
    let busy = setting.metric("streaming_tda_busy_seconds_total").iter().sum::<f64>();
    assert!(busy > 0.0 && setting.metric("streaming_tda_lag_seconds") == [0.0, 0.0]);
    std::thread::sleep(Duration::from_secs(17));
    let told = status(&setting);
    assert_eq!(told["busy_percent"], 0.0, "{told:#}");
    assert_eq!(told["partitions"][0]["points_per_second"], 0.0);
    assert_eq!(setting.metric("streaming_tda_busy_seconds_total").iter().sum::<f64>(), busy);
    worker.terminate().unwrap();
}
