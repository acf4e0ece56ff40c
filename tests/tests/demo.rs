//! The demo from its command line: its report against a recount, other inputs, and errors.
#![allow(clippy::unwrap_used)]

use detection::qrs;
use harness::demo::{self, Demo};
use harness::kafka::Kafka;
use mesh::schema::Kind;
use mesh::tail::{Begin, Tail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Samples that the first window of the electrocardiogram needs, and between two emissions: 62
/// points and the reach of two delays of 8 behind filters, three samples a point, every six points.
const HOP: u64 = 18;

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap()
}

fn number(report: &Value, path: &str) -> f64 {
    report.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} in {report:#}"))
}

/// What the topics of a running demo say, until it ends.
#[derive(Default)]
struct Recount {
    /// Values by id.
    records: BTreeMap<String, Value>,
    /// Time of the first point, and how many there are.
    points: (Option<f64>, u64),
}

impl Recount {
    fn of(broker: &str, ended: impl Fn() -> bool) -> Recount {
        let connection = mesh::Connection::to(broker);
        let outputs = Kind::ALL.map(|kind| format!("ecg.{kind}"));
        let mut topics: Vec<&str> = outputs.iter().map(String::as_str).collect();
        topics.push("ecg");
        let tail = Tail::open(&connection, &topics, Begin::First).unwrap();
        let mut recount = Recount::default();
        while !ended() {
            let Ok(Some(located)) = tail.next(Duration::from_millis(50)) else { continue };
            let value: Value = serde_json::from_slice(&located.record.value.unwrap()).unwrap();
            if located.topic == "ecg" {
                recount.points.0 = recount.points.0.or(value["time"].as_f64());
                recount.points.1 += 1;
            } else {
                let id = value["id"].as_str().unwrap().to_owned();
                assert!(recount.records.insert(id, value).is_none(), "an output came twice");
            }
        }
        recount
    }

    fn of_kind(&self, kind: &str) -> Vec<&Value> {
        let part = format!("/{kind}/");
        self.records.iter().filter(|(id, _)| id.contains(&part)).map(|(_, value)| value).collect()
    }

    /// Seconds of signal at which there was an alert, in order.
    fn alerts(&self) -> Vec<f64> {
        let first = self.points.0.unwrap();
        let seconds = |alert: &&Value| (alert["time"].as_f64().unwrap() - first) / 1000.0;
        let mut times: Vec<f64> = self.of_kind("alerts").iter().map(seconds).collect();
        times.sort_by(f64::total_cmp);
        times
    }
}

#[test]
fn the_report_is_what_the_topics_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let demo = Demo::start(&["--speed", "30", "--seconds", "6", "--report", &path]).unwrap();
    let broker = demo.broker.clone();
    let running = std::thread::spawn(move || demo.wait().unwrap());
    let recount = Recount::of(&broker, || running.is_finished());
    let (status, said) = running.join().unwrap();
    assert!(status.success(), "{said}");
    let report = report(folder.path());

    assert_eq!(number(&report, "/points"), 30.0 * 6.0 * 360.0);
    assert_eq!(number(&report, "/points"), recount.points.1 as f64);
    assert_eq!(number(&report, "/emissions"), recount.of_kind("diagrams").len() as f64);
    assert_eq!(recount.of_kind("features").len(), recount.of_kind("diagrams").len());
    let mut ends: Vec<u64> = recount
        .of_kind("diagrams")
        .iter()
        .map(|d| d["emission"]["end"].as_u64().unwrap())
        .collect();
    ends.sort_unstable();
    assert!(ends.windows(2).all(|pair| pair[1] == pair[0] + HOP / 3), "an emission is missing");

    let alerts = recount.alerts();
    assert_eq!(number(&report, "/alerts"), alerts.len() as f64);
    assert!(alerts.len() > 20, "{} alerts", alerts.len());
    let beats = qrs::beats(&worker::demo::ecg::millivolts(), 360.0);
    let marks: Vec<f64> =
        beats.iter().filter(|b| b.abnormal && b.seconds < 180.0).map(|b| b.seconds).collect();
    assert_eq!(number(&report, "/reference_marks"), marks.len() as f64);
    let beat = |alert: &f64| marks.iter().rev().find(|m| *m <= alert && alert - *m <= 0.75);
    let mut delays: Vec<f64> =
        alerts.iter().filter_map(|a| beat(a).map(|m| 1000.0 * (a - m))).collect();
    delays.sort_by(f64::total_cmp);
    assert_eq!(number(&report, "/matched"), delays.len() as f64);
    assert_eq!(number(&report, "/unmatched"), (alerts.len() - delays.len()) as f64);
    let (low, high) = (delays[(delays.len() - 1) / 2], delays[delays.len() / 2]);
    assert!((number(&report, "/median_delay_ms") - 0.5 * (low + high)).abs() < 1e-3);
    // What the research measured on this record, within a wide margin.
    assert!(delays.len() as f64 > 0.8 * alerts.len() as f64, "{said}");

    let rate = number(&report, "/points") / number(&report, "/seconds");
    assert!((number(&report, "/points_per_second") - rate).abs() < 1e-6 * rate);
    for kind in ["engine", "end_to_end"] {
        let of = |p: &str| number(&report, &format!("/latency_ms/{kind}/{p}"));
        assert!(0.0 < of("p50") && of("p50") <= of("p95") && of("p95") <= of("p99"), "{report:#}");
    }
    let bytes = number(&report, "/memory_bytes/beat");
    assert!((1e3..1e8).contains(&bytes), "{bytes} bytes");
    let line = format!("{} alerts, {} of them beside a marked beat", alerts.len(), delays.len());
    assert!(said.contains(&line), "{said}");
    assert!(!said.contains('\x1b') && !said.contains('\r'), "control characters in a pipe");
}

#[test]
fn nothing_is_lost_at_full_speed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let ended = demo::run(&["--speed", "max", "--seconds", "3", "--report", path]).unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let report = report(folder.path());
    assert!(report["speed"].is_null());
    let points = number(&report, "/points") as u64;
    println!("{} points/s", number(&report, "/points_per_second"));
    assert!(points > 10_000, "{points} points");
    // More than the broker keeps, and still an emission every 18 samples from the first on.
    let emissions = number(&report, "/emissions") as u64;
    let first = points - (emissions - 1) * HOP;
    assert!((200..1000).contains(&first), "{emissions} emissions of {points} points");
}

#[test]
fn a_real_broker_takes_one_demo_after_the_other() {
    let kafka = Kafka::shared().unwrap();
    let broker = kafka.address();
    let mut reports = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let arguments = ["--broker", &broker, "--speed", "30", "--seconds", "3", "--report", path];
        let ended = demo::run(&arguments).unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(String::from_utf8_lossy(&ended.stdout).contains(&broker));
        reports.push(report(folder.path()));
    }
    // Each run plays a series of its own through the same topics, and nothing depends on time.
    for field in ["/points", "/emissions", "/alerts", "/matched", "/median_delay_ms"] {
        let [first, second] = [0, 1].map(|run| number(&reports[run], field));
        assert!(first > 0.0 && (first - second).abs() < 1e-6, "{field}: {first} and {second}");
    }
    assert_eq!(number(&reports[0], "/points"), 30.0 * 3.0 * 360.0);
}

#[test]
fn a_file_of_ones_own_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("sensor.csv"), folder.path().join("deep/out"));
    let line = |t: u32| {
        let angle = f64::from(t) * std::f64::consts::TAU / 50.0;
        // A loop of another size for two periods.
        let size = if (9000..9100).contains(&t) { 2.5 } else { 1.0 };
        format!("{t},{:.5}\n", size * (angle.sin() + 0.2 * (2.0 * angle).cos()))
    };
    let rows: String = (0..12_000).map(line).collect();
    std::fs::write(&input, format!("second,value\n{rows}")).unwrap();
    let arguments = [
        "--input",
        input.to_str().unwrap(),
        "--channel",
        "1",
        "--rate",
        "100",
        "--speed",
        "40",
        "--seconds",
        "3",
        "--report",
        out.to_str().unwrap(),
    ];
    let ended = demo::run(&arguments).unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let report = report(&out);
    assert_eq!(number(&report, "/points"), 12_000.0);
    assert!(report["reference_marks"].is_null() && report["matched"].is_null(), "{report:#}");
    assert!((1.0..4.0).contains(&number(&report, "/alerts")), "{said}");
    assert!(said.contains("window   50 points"), "{said}");
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("sensor.csv, column 1"));
}

#[test]
fn ctrl_c_ends_it_with_a_summary() {
    let mut demo = Demo::start(&["--speed", "20"]).unwrap();
    demo.wait_for("alert ").unwrap();
    let (status, said) = demo.interrupt().unwrap();
    assert!(status.success(), "{said}");
    assert!(said.contains("end to end") && said.contains("beside a marked beat"), "{said}");
    assert!(said.contains("after the warm-up"), "{said}");
}

#[test]
fn errors_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let noise = folder.path().join("short.csv");
    std::fs::write(&noise, "1\n2\n3\n").unwrap();
    let wrong = folder.path().join("wrong.yaml");
    std::fs::write(&wrong, "kafka: {}\nscales: []\n").unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&["--broker", "127.0.0.1:1"], "no broker can be reached"),
        (&["--input", "/nowhere.csv"], "/nowhere.csv"),
        (&["--input", noise.to_str().unwrap()], "at least 100 are needed"),
        (&["--config", wrong.to_str().unwrap()], "wrong.yaml"),
        (&["--speed", "0"], "or max"),
        (&["--seconds", "-3"], "-3"),
        (&["--seconds", "1", "--report", file.to_str().unwrap()], "cannot make the folder"),
    ];
    for (arguments, expected) in cases {
        let ended = demo::run(arguments).unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{arguments:?} is accepted");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}
