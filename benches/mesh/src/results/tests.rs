#![allow(clippy::unwrap_used)]

use super::*;
use load::latency::Distribution;
use std::time::Duration;

fn milliseconds(milliseconds: u64) -> Percentiles {
    let mut found = Distribution::default();
    found.add(Duration::from_millis(milliseconds));
    found.percentiles().unwrap()
}

fn paced(guarantee: Guarantee, valid: bool) -> Paced {
    Paced {
        guarantee,
        valid,
        points_per_second: 1.0,
        partitions: 1,
        latency_ms: milliseconds(8),
        from_append_ms: milliseconds(5),
        generator_lag_ms: milliseconds(1),
        cores: 0.5,
        audit: Audit::default(),
    }
}

fn recovered(guarantee: Guarantee, audit: Audit) -> Recovered {
    Recovered {
        guarantee,
        valid: true,
        seconds: 7.0,
        paused_partitions: 2,
        points_per_second: 1.0,
        generator_lag_ms: milliseconds(1),
        audit,
    }
}

fn worker(recovery: Recovered) -> WorkerResults {
    let both = Guarantee::BOTH;
    let mut results = WorkerResults {
        latency: both.map(|guarantee| (guarantee, paced(guarantee, true))).into(),
        ..WorkerResults::default()
    };
    results.recovery.insert(recovery.guarantee, recovery);
    results
}

#[test]
fn what_is_lost_after_a_kill_is_in_the_headline_and_a_fault() {
    let lossy = Audit { lost: 3, contradicted: 1, duplicated: 9, ..Audit::default() };
    let worker = worker(recovered(Guarantee::AtLeastOnce, lossy));
    let figures = worker.figures();
    assert_eq!((figures.lost, figures.contradicted, figures.duplicated), (3, 1, 9));
    assert_eq!(worker.faults().len(), 2, "{:?}", worker.faults());
    assert!(worker.faults()[0].starts_with("a worker killed, at least once: 3 results lost"));
}

#[test]
fn only_at_least_once_may_repeat_results_after_a_kill() {
    let repeated = Audit { duplicated: 9, ..Audit::default() };
    assert!(worker(recovered(Guarantee::AtLeastOnce, repeated)).faults().is_empty());
    assert_eq!(worker(recovered(Guarantee::ExactlyOnce, repeated)).faults().len(), 1);
}

#[test]
fn a_recovery_that_says_nothing_is_a_fault() {
    let sound = recovered(Guarantee::AtLeastOnce, Audit::default());
    assert_eq!(worker(Recovered { paused_partitions: 0, ..sound }).faults().len(), 1);
    assert_eq!(worker(Recovered { valid: false, ..sound }).faults().len(), 1);
    assert!(worker(sound).faults().is_empty());
}

#[test]
fn the_headline_counts_from_the_intended_time() {
    let figures = worker(recovered(Guarantee::ExactlyOnce, Audit::default())).figures();
    let json = serde_json::to_value(&figures).unwrap();
    for guarantee in ["at_least_once", "exactly_once"] {
        let p95 = |figure: &str| json[figure][guarantee]["p95"].as_f64().unwrap().round();
        assert_eq!((p95("latency_ms"), p95("latency_from_append_ms")), (8.0, 5.0));
    }
    assert_eq!(json["recovery_seconds"], 7.0);
}

#[test]
fn a_peer_has_the_same_figures_or_says_why_not() {
    let latency = [(Guarantee::AtLeastOnce, paced(Guarantee::AtLeastOnce, false))];
    let python = Python::of(BTreeMap::new(), BTreeMap::new(), latency.into());
    let ours = serde_json::to_value(Figures::default()).unwrap();
    let json = serde_json::to_value(&python).unwrap();
    assert!(ours.as_object().unwrap().keys().all(|name| json.get(name).is_some()), "{json}");
    let missing: Vec<&String> = python.figures.not_measured.keys().collect();
    assert_eq!(
        missing,
        ["latency_ms.at_least_once", "latency_ms.exactly_once", "recovery_seconds"]
    );
}
