use super::*;
use crate::latency::Distribution;
use std::time::Duration;

const GOAL: Goal = Goal { p95_ms: 20.0, lag_p99_ms: 2.0, repetitions: Repetitions::Forbidden };

fn all(milliseconds: u64) -> Option<Percentiles> {
    let mut found = Distribution::default();
    (0..100).for_each(|_| found.add(Duration::from_millis(milliseconds)));
    found.percentiles()
}

#[test]
fn a_run_is_judged_by_its_worst() {
    let good = Verdict::default();
    let lost = Verdict { lost: 1, ..Verdict::default() };
    let table = [
        (&good, all(15), all(1), Finding::Passed, 0),
        (&good, all(25), all(1), Finding::Slow, 5),
        // What was measured by a late generator says nothing, be it good or bad.
        (&good, all(15), all(3), Finding::Invalid, 3),
        (&good, all(25), all(3), Finding::Invalid, 3),
        (&good, None, all(1), Finding::Invalid, 3),
        (&good, None, None, Finding::Invalid, 3),
        (&lost, all(15), all(1), Finding::Faulty, 4),
        (&lost, all(15), all(3), Finding::Faulty, 4),
    ];
    for (verdict, latency, lag, expected, code) in table {
        let (found, reasons) = judge(GOAL, verdict, latency, lag);
        assert_eq!((found, found.exit_code()), (expected, code), "{reasons:?}");
        assert_eq!(reasons.is_empty(), found == Finding::Passed);
    }
    assert_eq!(judge(GOAL, &lost, all(15), all(3)).1.len(), 2);
}

/// A run of a minute whose last half was slow, with one worker that was started again.
fn report() -> Report {
    let moment = |second: u64| Moment {
        at: second as f64,
        intended_per_second: 1000.0,
        sent_per_second: 998.0,
        outputs_per_second: 250.0,
        latency_ms: all(if second < 30 { 5 + second % 7 } else { 6173 }),
        lag_ms: all(1 + second % 2),
    };
    let sample = |second: u64| crate::workers::Sample {
        at: second as f64,
        resident_bytes: if second == 30 { 0 } else { 40 << 20 },
        cpu_seconds: 0.3 * second as f64,
    };
    let mut audit = Verdict { inputs: 60_000, expected: 120, arrived: 119, ..Verdict::default() };
    audit.lost = 1;
    audit.examples.lost.push("in.diagrams/1/13781/diagrams/wide".into());
    let mut bins: Vec<(f64, u64)> = (0..40).map(|n| (1.25f64.powi(n + 3), 0)).collect();
    bins[6].1 = 100;
    bins[39].1 = 40;
    Report {
        schema: "streaming-tda.load-report/v1",
        version: "0",
        result: Finding::Faulty,
        reasons: judge(GOAL, &audit, all(6173), all(1)).1,
        started_ms: 0.0,
        seconds: 60.0,
        stopped: false,
        load: Asked {
            input: "in".into(),
            outputs: vec!["in.diagrams".into()],
            shape: "constant(1000)".into(),
            arrivals: Arrivals::Paced,
            seconds: 60.0,
            warm_up: 5.0,
            keys: "turns".into(),
            series: 10,
            forms: vec!["circle".into()],
            anomalies: None,
            seed: 1,
        },
        goal: GOAL,
        machine: Machine::this(),
        points_per_second: 998.0,
        latency_ms: Latency {
            from_intended: all(6173),
            from_sent: all(6170),
            by_kind: BTreeMap::new(),
            stored: all(1),
        },
        lag_ms: all(1),
        audit,
        foreign_records: 0,
        workers: Some(Seen {
            pids: vec![1, 2],
            ended: 1,
            peak_bytes: vec![40 << 20; 2],
            most_bytes: 40 << 20,
            cpu_seconds: 18.0,
            samples: (0..60).map(sample).collect(),
            metrics: BTreeMap::new(),
        }),
        labels: 0,
        timeline: (0..60).map(moment).collect(),
        histogram: bins,
    }
}

#[test]
fn the_page_stays_within_its_charts_and_is_no_more_precise_than_the_measurement() {
    let folder = tempfile::tempdir().unwrap();
    write(&report(), &[], folder.path()).unwrap();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains(">6,172<") || page.contains(">6,173<") || page.contains(">6,175<"));
    assert!(!page.contains("6172.") && !page.contains("6173.") && !page.contains("6175."));
    assert!(page.contains("2, of which 1 ended during the run"));
    assert!(page.contains("<td class=ids><code>in.diagrams/1/13781"));
    for text in page.split("<text class='note end' x=").skip(1) {
        let (x, y) = text.split_once('>').unwrap().0.split_once(" y=").unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        assert!((280.0..560.0).contains(&x) && y >= 15.0, "a label at {x}, {y} is cut");
    }
}
