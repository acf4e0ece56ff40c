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
