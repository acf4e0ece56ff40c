//! The load generator against the worker, and its audit against faults.

use crate::MINUTES;
use harness::kafka::Kafka;
use harness::setting::Setting;
use harness::worker::{Worker, get};
use load::audit::{Cadence, Expectation, Repetitions, Verdict};
use load::feeder::Load;
use load::keys::{Keys, Spread};
use load::schedule::{Arrivals, Schedule};
use load::stream::{Form, Points};
use load::{Outcome, Plan, history};
use mesh::schema::Kind;
use mesh::tail::{Begin, Located};
use mesh::{Feed, Tail};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use worker::config::Config;

const SERIES: usize = 4;

fn plan(kafka: &Kafka, config: &Config) -> Plan {
    let shape = "ramp(0, 400, 2s) then constant(600)".parse().unwrap();
    let schedule = Schedule { shape, arrivals: Arrivals::Poisson, seconds: 5.0, seed: 3 };
    let load = Load {
        schedule,
        keys: Keys::new(Spread::Zipf(0.7), SERIES, 3),
        series: SERIES,
        prefix: "load-".into(),
        points: Points { forms: vec![Form::circle()], anomalies: None, seed: 3 },
    };
    Plan {
        connection: kafka.connection(),
        input: config.kafka.input.clone(),
        outputs: Kind::ALL.map(|kind| config.kafka.output(kind)).to_vec(),
        load,
        expectation: Expectation::of(config, 2),
        warm_up: Duration::from_secs(2),
        patience: MINUTES,
    }
}

/// Outputs that are due, without the alerts, counted as on paper from how many points each
/// series got.
fn due(plan: &Plan) -> (u64, u64) {
    let mut points = [0u64; SERIES];
    let times = plan.load.schedule.times().count() as u64;
    (0..times).for_each(|number| points[plan.load.keys.series(number)] += 1);
    let emissions = |entered: u64, window: u64| match entered >= window {
        true => (entered - window) / 20 + 1,
        false => 0,
    };
    // `wide` takes every point; `judged` every other one from the fourth on, and has two outputs.
    let of = |n: &u64| emissions(*n, 100) + 2 * emissions(n.saturating_sub(3).div_ceil(2), 40);
    (times, points.iter().map(of).sum())
}

fn faults(verdict: &Verdict) -> [u64; 5] {
    let Verdict { lost, duplicated, differing, out_of_order, unexpected, .. } = verdict;
    [*lost, *duplicated, *differing, *out_of_order, *unexpected]
}

fn is_sound(outcome: &Outcome, plan: &Plan) {
    let (points, outputs) = due(plan);
    let Outcome { verdict, latencies, .. } = outcome;
    assert_eq!(faults(verdict), [0; 5], "{verdict}");
    assert_eq!((verdict.inputs, verdict.expected, verdict.arrived), (points, outputs, outputs));
    let [intended, sent] = [&latencies.intended, &latencies.sent].map(|d| d.percentiles().unwrap());
    assert!(intended.count == sent.count && intended.count > outputs / 3, "{intended:?}");
    assert!(sent.p50 > 0.0 && intended.p50 >= sent.p50 * 0.999, "{intended:?} {sent:?}");
    let sum = |rate: fn(&load::timeline::Moment) -> f64| outcome.moments.iter().map(rate).sum();
    let (intended, sent): (f64, f64) = (sum(|m| m.intended_per_second), sum(|m| m.sent_per_second));
    assert_eq!((intended, sent), (points as f64, points as f64));
}

/// The outputs of one kind, in the order of their topic.
fn outputs(kafka: &Kafka, topic: &str) -> Vec<Located> {
    let tail = Tail::open(&kafka.connection(), &[topic], Begin::First).unwrap();
    std::iter::from_fn(|| tail.next(Duration::from_secs(2)).unwrap()).collect()
}

fn append(feed: &Feed, Located { partition, record, .. }: &Located) {
    let (key, value) = (record.key.as_deref(), record.value.as_deref());
    feed.append_as_is(Some(*partition), key, value, record.timestamp).unwrap();
}

/// Copies the outputs of `config` to topics that begin with `to`: one left out, one given twice,
/// and two of a series in the wrong order.
fn copy_with_faults(kafka: &Kafka, config: &Config, to: &str) {
    for kind in Kind::ALL {
        let mut copied = outputs(kafka, &config.kafka.output(kind));
        if kind == Kind::Diagrams {
            copied.remove(7);
            copied.insert(20, copied[20].clone());
            let same = |a: &Located, b: &Located| {
                let scale = |l: &Located| l.headers["id"].rsplit('/').next().unwrap().to_owned();
                a.record.key == b.record.key && scale(a) == scale(b)
            };
            let later = (41..).find(|n| same(&copied[40], &copied[*n])).unwrap();
            copied.swap(40, later);
        }
        let feed = Feed::open(&kafka.connection(), &format!("{to}.{kind}")).unwrap();
        copied.iter().for_each(|located| append(&feed, located));
        feed.finish(Duration::from_secs(30)).unwrap();
    }
}

/// A program that copies records, but for one that it loses, one that it doubles, and two of a
/// series that it puts in the wrong order.
fn copy(kafka: &Kafka, from: &str, to: &str, stop: &AtomicBool) {
    let tail = Tail::open(&kafka.connection(), &[from], Begin::End).unwrap();
    let feed = Feed::open(&kafka.connection(), to).unwrap();
    let (mut seen, mut held) = (0, None);
    while !stop.load(Ordering::Relaxed) {
        let Some(located) = tail.next(Duration::from_millis(50)).unwrap() else { continue };
        seen += 1;
        match (seen, &held) {
            (100, _) => {}
            (200, _) => [&located, &located].into_iter().for_each(|l| append(&feed, l)),
            (300, _) => held = Some(located),
            (_, Some(late)) if late.record.key == located.record.key => {
                [&located, late].into_iter().for_each(|l| append(&feed, l));
                held = None;
            }
            _ => append(&feed, &located),
        }
    }
    feed.finish(Duration::from_secs(30)).unwrap();
}

#[test]
fn faults_of_another_program_are_seen_while_it_runs() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("copied", &["copied-out"], 2).unwrap();
    let setting = Setting::new(&kafka, "copied", "copied-out").unwrap();
    let config = Config::from_yaml(&setting.yaml()).unwrap_or_else(|e| panic!("{e}"));
    let mut plan = plan(&kafka, &config);
    plan.outputs = vec!["copied-out.diagrams".into()];
    plan.expectation = Expectation::numbered("copied", Cadence::EACH);
    plan.patience = Duration::from_secs(5);
    let stop = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| copy(&kafka, "copied", "copied-out.diagrams", &stop));
        // The copier begins at the end of the input: it has to be there first.
        std::thread::sleep(Duration::from_secs(2));
        let outcome = load::run(&plan, &AtomicBool::new(false), |_| {});
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap()
    });
    let verdict = outcome.verdict;
    assert_eq!(faults(&verdict), [1, 1, 0, 1, 0], "{verdict} {:?}", verdict.examples);
    assert_eq!(verdict.expected, verdict.inputs);
    assert_eq!(verdict.arrived, verdict.inputs - 1);
}

#[test]
fn a_worker_under_load_passes_the_audit_and_injected_faults_do_not() {
    let kafka = Kafka::shared().unwrap();
    kafka.create_topics("load", &["load-out", "load-bad"], 2).unwrap();
    let setting = Setting::new(&kafka, "load", "load-out").unwrap();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let ready = || matches!(get(setting.port, "/health/ready"), Ok((200, _)));
    worker.wait_until("it is ready", MINUTES, ready).unwrap();
    let config = Config::from_yaml(&setting.yaml()).unwrap_or_else(|e| panic!("{e}"));
    let plan = plan(&kafka, &config);
    let mut looks = 0;
    let outcome = load::run(&plan, &AtomicBool::new(false), |_| looks += 1).unwrap();
    is_sound(&outcome, &plan);
    assert!(looks > 10);
    // What is in Kafka gives the same verdict as what was seen coming.
    let history = history::audit(&config).unwrap();
    assert_eq!(history, outcome.verdict);
    assert!(history.passes(Repetitions::Forbidden));
    worker.terminate().unwrap();

    copy_with_faults(&kafka, &config, "load-bad");
    let bad = Setting::new(&kafka, "load", "load-bad").unwrap();
    let bad = Config::from_yaml(&bad.yaml()).unwrap_or_else(|e| panic!("{e}"));
    let found = history::audit(&bad).unwrap();
    assert_eq!(faults(&found), [1, 1, 0, 1, 0], "{found} {:?}", found.examples);
    assert!(!found.passes(Repetitions::Allowed));
}
