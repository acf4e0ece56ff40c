use super::*;
use crate::random::Random;
use proptest::prelude::*;
use worker::config::Config;

const YAML: &str = "
kafka: {brokers: 'x:1', input: in}
series: {max: 8}
scales:
  - {name: wide, window: 6, hop: 3, max_radius: 1}
  - {name: judged, window: 4, hop: 2, max_radius: 1, detection: {}}
";

fn audit() -> Audit {
    let config = Config::from_yaml(YAML).unwrap_or_else(|problems| panic!("{problems}"));
    Audit::new(Expectation::of(&config, 1))
}

fn cause(offset: i64) -> Cause {
    Cause { partition: 0, offset, row: 0 }
}

/// The outputs that a worker owes for points of two series that take turns, in its order.
fn outputs(points: i64) -> Vec<(String, String)> {
    let mut outputs = Vec::new();
    for offset in 0..points {
        let series = format!("s{}", offset % 2);
        let number = offset / 2 + 1;
        let mut put = |kind, scale| {
            outputs.push((format!("in/0/{offset}/{kind}/{scale}"), series.clone()));
        };
        if number >= 6 && (number - 6) % 3 == 0 {
            put("diagrams", "wide");
        }
        if number >= 4 && (number - 4) % 2 == 0 {
            put("diagrams", "judged");
            put("features", "judged");
        }
    }
    outputs
}

fn give(audit: &mut Audit, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        let at = Duration::from_millis(offset as u64);
        let times = Times { intended: at, sent: at };
        audit.input(cause(offset), &format!("s{}", offset % 2), times);
    }
}

fn take(audit: &mut Audit, (id, series): &(String, String), bytes: u64) -> Option<Settled> {
    let name = audit.expectation().name(id).unwrap_or_else(|| panic!("{id}"));
    audit.output(name, series, Duration::from_secs(1), bytes)
}

fn faults(verdict: &Verdict) -> [u64; 5] {
    let Verdict { lost, duplicated, differing, out_of_order, unexpected, .. } = verdict;
    [*lost, *duplicated, *differing, *out_of_order, *unexpected]
}

#[test]
fn a_faultless_run_passes_and_every_output_is_settled_once() {
    let mut audit = audit();
    give(&mut audit, 0..100);
    let all = outputs(100);
    assert_eq!(audit.owed(), all.len() as u64);
    let settled: Vec<Settled> = all.iter().filter_map(|o| take(&mut audit, o, 7)).collect();
    assert_eq!((settled.len(), audit.owed()), (all.len(), 0));
    assert_eq!(settled[0].times.intended, Duration::from_millis(6));
    let verdict = audit.verdict();
    assert_eq!(faults(&verdict), [0; 5], "{verdict}");
    assert_eq!(
        (verdict.inputs, verdict.expected, verdict.arrived),
        (100, all.len() as u64, all.len() as u64)
    );
    assert!(verdict.passes(Repetitions::Forbidden));
}

#[test]
fn what_is_lost_doubled_swapped_or_made_up_is_found() {
    let all = outputs(100);
    let mut audit = audit();
    give(&mut audit, 0..100);
    let (lost, doubled, other, late) = (10, 20, 25, 30);
    for (number, output) in all.iter().enumerate() {
        if number == lost || number == late {
            continue;
        }
        take(&mut audit, output, 7);
        if number == doubled {
            take(&mut audit, output, 7);
        }
        if number == other {
            take(&mut audit, output, 8);
        }
    }
    take(&mut audit, &all[late], 7);
    take(&mut audit, &("in/0/99/diagrams/wide".into(), "s1".into()), 7);
    audit.stray("without an id");
    let verdict = audit.verdict();
    assert_eq!(faults(&verdict), [1, 2, 1, 1, 2], "{verdict}");
    let Examples { lost: l, duplicated, out_of_order, unexpected, .. } = verdict.examples.clone();
    assert_eq!(l, [all[lost].0.clone()]);
    assert_eq!(duplicated, [all[doubled].0.clone(), all[other].0.clone()]);
    assert_eq!(out_of_order, [all[late].0.clone()]);
    assert_eq!(unexpected, ["without an id", "in/0/99/diagrams/wide"]);
    assert!(!verdict.passes(Repetitions::Allowed));
}

#[test]
fn a_repetition_with_the_same_bytes_is_allowed_where_it_may_be() {
    let mut audit = audit();
    give(&mut audit, 0..100);
    let all = outputs(100);
    // After a crash, the outputs from some place on come again, in order.
    for output in all[..60].iter().chain(&all[40..]) {
        take(&mut audit, output, 7);
    }
    let verdict = audit.verdict();
    assert_eq!(faults(&verdict), [0, 20, 0, 0, 0], "{verdict}");
    assert!(verdict.passes(Repetitions::Allowed) && !verdict.passes(Repetitions::Forbidden));
}

#[test]
fn alerts_may_come_where_features_have_to() {
    let mut audit = audit();
    give(&mut audit, 0..100);
    outputs(100).iter().for_each(|output| _ = take(&mut audit, output, 7));
    assert!(take(&mut audit, &("in/0/6/alerts/judged".into(), "s0".into()), 7).is_some());
    assert!(audit.verdict().passes(Repetitions::Forbidden));
    assert_eq!(audit.verdict().alerts, 1);
    take(&mut audit, &("in/0/8/alerts/judged".into(), "s0".into()), 7);
    assert_eq!(faults(&audit.verdict()), [0, 0, 0, 0, 1]);
}

#[test]
fn outputs_of_records_from_before_are_not_of_this_audit() {
    let mut audit = audit();
    take(&mut audit, &("in/0/7/diagrams/wide".into(), "old".into()), 7);
    take(&mut audit, &("in/3/7/diagrams/wide".into(), "old".into()), 7);
    for offset in 1000..1012 {
        audit.input(cause(offset), "s", Times::default());
    }
    for (offset, scale) in [(1005, "wide"), (1008, "wide"), (1011, "wide")] {
        take(&mut audit, &(format!("in/0/{offset}/diagrams/{scale}"), "s".into()), 7);
    }
    let verdict = audit.verdict();
    assert_eq!((verdict.unexpected, verdict.arrived), (0, 3), "{verdict}");
}

#[test]
fn a_series_that_was_forgotten_begins_anew() {
    let mut audit = audit();
    let mut offset = 0..;
    let mut point = |audit: &mut Audit, series: &str| {
        let before = audit.owed();
        audit.input(cause(offset.next().unwrap()), series, Times::default());
        audit.owed() > before
    };
    (0..5).for_each(|_| _ = point(&mut audit, "a"));
    // Eight are held: with eight others, the first is forgotten.
    (0..8).for_each(|other| _ = point(&mut audit, &format!("other-{other}")));
    let due: Vec<bool> = (0..6).map(|_| point(&mut audit, "a")).collect();
    assert_eq!(due, [false, false, false, true, false, true]);
}

#[test]
fn the_series_of_one_record_are_not_forgotten_within_it() {
    let mut audit = audit();
    let mut give = |offset, row, series: &str| {
        let before = audit.owed();
        audit.input(Cause { partition: 0, offset, row }, series, Times::default());
        audit.owed() > before
    };
    // Records with points of ten series, of which eight may be held.
    let record = |give: &mut dyn FnMut(u32) -> bool| (0..10).filter(|row| give(*row)).count();
    for offset in 0..3 {
        assert_eq!(record(&mut |row| give(offset, row, &format!("s{row}"))), 0);
    }
    // After each record the two oldest are forgotten: the first two, which push out no other.
    let due = record(&mut |row| give(3, row, &format!("s{row}")));
    assert_eq!(due, 8);
}

#[test]
fn a_scale_without_a_cadence_is_checked_for_repetition_and_order_only() {
    let yaml = "
kafka: {brokers: 'x:1', input: in}
scales: [{name: found, window: 6, max_radius: {deviations: 1}, calibration: {samples: 50}}]
";
    let config = Config::from_yaml(yaml).unwrap_or_else(|problems| panic!("{problems}"));
    let mut audit = Audit::new(Expectation::of(&config, 1));
    let output = |offset| (format!("in/0/{offset}/diagrams/found"), "s".to_owned());
    // One comes before its input is known.
    assert_eq!(take(&mut audit, &output(60), 7), None);
    let times = |offset| Times { intended: Duration::from_millis(offset), ..Times::default() };
    for offset in 0..100 {
        let settled = audit.input(cause(offset), "s", times(offset as u64));
        assert_eq!(settled.len(), usize::from(offset == 60));
    }
    let settled = take(&mut audit, &output(70), 7).unwrap();
    assert_eq!(settled.times.intended, Duration::from_millis(70));
    take(&mut audit, &output(65), 7);
    take(&mut audit, &output(65), 7);
    take(&mut audit, &output(100), 7);
    let verdict = audit.verdict();
    assert_eq!(faults(&verdict), [0, 1, 0, 1, 1], "{verdict}");
    assert_eq!((verdict.expected, verdict.unforeseen), (0, 3));
}

/// Of a scale that finds out its radius.
fn of_unforeseen() -> Audit {
    let yaml = "
kafka: {brokers: 'x:1', input: in}
scales: [{name: found, window: 6, max_radius: {deviations: 1}, calibration: {samples: 50}}]
";
    let config = Config::from_yaml(yaml).unwrap_or_else(|problems| panic!("{problems}"));
    Audit::new(Expectation::of(&config, 1))
}

/// The outputs of points of two series, with every fifth one from the 50th on.
fn take_unforeseen(audit: &mut Audit, offsets: std::ops::Range<i64>) {
    for offset in offsets.filter(|offset| offset / 2 >= 50 && (offset / 2) % 5 == 0) {
        let output = (format!("in/0/{offset}/diagrams/found"), format!("s{}", offset % 2));
        take(audit, &output, 7);
    }
}

/// Points and their outputs, until a point at which the worker dies.
fn unforeseen(points: i64, death: i64) -> Verdict {
    let mut audit = of_unforeseen();
    for offset in 0..points {
        give(&mut audit, offset..offset + 1);
        take_unforeseen(&mut audit, offset..(offset + 1).min(death));
    }
    audit.verdict()
}

#[test]
fn outputs_of_points_that_are_not_remembered_are_heard() {
    let mut audit = of_unforeseen();
    give(&mut audit, 0..1000);
    take_unforeseen(&mut audit, 0..200);
    for offset in 1000..1000 + RECENT as i64 {
        audit.input(cause(offset), &format!("t{}", offset / 8), Times::default());
    }
    assert_eq!(audit.verdict().silent, 2);
    take_unforeseen(&mut audit, 200..1000);
    let verdict = audit.verdict();
    assert_eq!((verdict.silent, faults(&verdict)), (0, [0; 5]), "{verdict}");
}

#[test]
fn a_worker_that_dies_halfway_does_not_pass_though_nothing_is_foreseen() {
    let alive = unforeseen(400, 400);
    assert!(alive.passes(Repetitions::Forbidden), "{alive}");
    let dead = unforeseen(400, 200);
    assert!(!dead.passes(Repetitions::Allowed), "{dead}");
    assert_eq!((dead.lost, dead.silent), (0, 2), "{dead}");
    assert_eq!(dead.examples.silent, ["s0/found", "s1/found"]);
    assert!(dead.to_string().ends_with("2 series fell silent before their points ended"));
}

#[test]
fn ids_are_read_as_the_worker_writes_them() {
    let expectation = audit().expectation().clone();
    let ids =
        ["in/0/12/diagrams/wide", "in/3/9000000000/features/judged", "in/1/5.3/alerts/judged"];
    for id in ids {
        let name = expectation.name(id).unwrap();
        assert_eq!(expectation.id(&name), id);
    }
    for wrong in [
        "in/0/12/diagrams/other",
        "out/0/1/diagrams/wide",
        "in/0/x/diagrams/wide",
        "in/0/1/pictures/wide",
        "in",
    ] {
        assert_eq!(expectation.name(wrong), None, "{wrong}");
    }
}

proptest! {
    /// However faults are mixed, and however inputs and outputs are interleaved, the counts are
    /// those of the faults.
    #[test]
    fn the_counts_are_those_of_the_faults(seed: u64, lead in 0..100i64) {
        let random = Random::new(seed);
        let all = outputs(100);
        let mut audit = audit();
        let (mut lost, mut doubled, mut given) = (0, 0, 0);
        for (number, output) in all.iter().enumerate() {
            let offset: i64 = output.0.split('/').nth(2).unwrap().parse().unwrap();
            // Outputs may come before their inputs are known, but not before older ones are.
            let known = (offset + lead - 50).clamp(given, 100);
            give(&mut audit, given..known);
            given = known;
            match random.below(number as u64, 10) {
                0 => lost += 1,
                1 => {
                    doubled += 1;
                    take(&mut audit, output, 7);
                    take(&mut audit, output, 7);
                }
                _ => _ = take(&mut audit, output, 7),
            }
        }
        give(&mut audit, given..100);
        let verdict = audit.verdict();
        prop_assert_eq!(faults(&verdict), [lost, doubled, 0, 0, 0]);
        prop_assert_eq!(verdict.arrived, all.len() as u64 - lost);
        prop_assert_eq!(audit.owed(), lost);
    }
}
