//! Whether every result came, once, and in order.

use crate::arrivals::Arrival;
use crate::history::History;
use crate::job::{Guarantee, Job};
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::HashMap;

/// What was wrong with the results of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Audit {
    /// Results that came.
    pub(crate) results: usize,
    /// Results that did not come.
    pub(crate) lost: usize,
    /// Results that came again.
    pub(crate) duplicated: usize,
    /// Results that came again with other bytes.
    pub(crate) contradicted: usize,
    /// Results that came for the first time after a later one of their series.
    pub(crate) reordered: usize,
}

/// How far a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// To the end of its input.
    Whole,
    /// Until it was stopped: what is missing before the last result of a series is lost.
    Part,
}

impl Audit {
    /// Compares what came with what is due for the points in the input.
    ///
    /// # Errors
    /// When a result is of no point that a result is due with.
    pub(crate) fn of(
        history: &History,
        job: &Job,
        arrivals: &[Arrival],
        extent: Extent,
    ) -> Result<Audit> {
        let mut courses: Vec<Course> =
            history.series.iter().map(|points| Course::new(points.times(), job)).collect();
        let mut audit = Audit::default();
        for arrival in arrivals {
            let course = courses.get_mut(arrival.series).context("a result of no series came")?;
            course.see(arrival, &mut audit)?;
        }
        audit.results = arrivals.len() - audit.duplicated;
        audit.lost = courses.iter().map(|course| course.missing(extent)).sum();
        Ok(audit)
    }

    /// What is wrong, in words. Only at least once may results come again.
    pub(crate) fn faults(&self, guarantee: Guarantee) -> Vec<String> {
        let Audit { lost, duplicated, contradicted, reordered, .. } = *self;
        let again = if guarantee == Guarantee::ExactlyOnce { duplicated } else { 0 };
        let counts = [
            (lost, "lost"),
            (contradicted, "came again with other bytes"),
            (again, "came again, in spite of exactly once"),
            (reordered, "came after later ones"),
        ];
        let found = counts.into_iter().filter(|(count, _)| *count > 0);
        found.map(|(count, what)| format!("{count} results {what}")).collect()
    }

    pub(crate) fn plus(self, other: Audit) -> Audit {
        Audit {
            results: self.results + other.results,
            lost: self.lost + other.lost,
            duplicated: self.duplicated + other.duplicated,
            contradicted: self.contradicted + other.contradicted,
            reordered: self.reordered + other.reordered,
        }
    }
}

/// The results of one series.
struct Course {
    /// The place of a result among those due, by the bits of its time.
    places: HashMap<u64, usize>,
    /// The digest of each that came.
    seen: Vec<Option<u64>>,
    /// The place after the last one.
    next: usize,
}

impl Course {
    fn new(times: impl Iterator<Item = f64>, job: &Job) -> Course {
        let due = times.skip(job.window() - 1).step_by(job.hop()).map(f64::to_bits);
        let places: HashMap<u64, usize> = due.zip(0..).collect();
        Course { seen: vec![None; places.len()], places, next: 0 }
    }

    fn see(&mut self, arrival: &Arrival, audit: &mut Audit) -> Result<()> {
        let place = self.places.get(&arrival.time.to_bits());
        let place = *place.with_context(|| {
            format!("series {} has no result at {}, but one came", arrival.series, arrival.time)
        })?;
        match self.seen[place].replace(arrival.digest) {
            Some(digest) => {
                audit.duplicated += 1;
                audit.contradicted += usize::from(digest != arrival.digest);
            }
            None => audit.reordered += usize::from(place < self.next),
        }
        self.next = self.next.max(place + 1);
        Ok(())
    }

    fn missing(&self, extent: Extent) -> usize {
        let expected = if extent == Extent::Whole { self.seen.len() } else { self.next };
        self.seen[..expected].iter().filter(|seen| seen.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::history::Points;

    /// Results are due at 999, 1009, … of 1100 points.
    fn audit(ends: &[(usize, u64)], extent: Extent) -> Result<Audit> {
        let points = Points::new((0..1100).map(|i| (i as f64, 0)).collect());
        let history = History { series: vec![points] };
        let arrival = |&(end, digest): &(usize, u64)| Arrival {
            series: 0,
            time: end as f64,
            readable: 0.0,
            appended: 0,
            partition: 0,
            digest,
        };
        let arrivals: Vec<Arrival> = ends.iter().map(arrival).collect();
        Audit::of(&history, &Job::Python, &arrivals, extent)
    }

    #[test]
    fn what_is_missing_comes_again_or_comes_late_is_counted() {
        let all: Vec<(usize, u64)> = (999..1100).step_by(10).map(|end| (end, 7)).collect();
        let whole = audit(&all, Extent::Whole).unwrap();
        assert_eq!(whole, Audit { results: 11, ..Audit::default() });

        let gap = [&all[..3], &all[4..8]].concat();
        assert_eq!(audit(&gap, Extent::Whole).unwrap().lost, 4);
        assert_eq!(audit(&gap, Extent::Part).unwrap().lost, 1);

        let late = [&all[..2], &all[3..], &all[2..3]].concat();
        let found = audit(&late, Extent::Whole).unwrap();
        assert_eq!((found.lost, found.reordered, found.duplicated), (0, 1, 0));

        let twice = [&all[..], &[(1009, 7), (1019, 8)]].concat();
        let found = audit(&twice, Extent::Whole).unwrap();
        assert_eq!((found.duplicated, found.contradicted, found.reordered), (2, 1, 0));
        assert_eq!(found.results, 11);
    }

    #[test]
    fn what_is_wrong_is_said_of_a_guarantee() {
        let twice = Audit { duplicated: 2, ..Audit::default() };
        assert!(twice.faults(Guarantee::AtLeastOnce).is_empty());
        assert_eq!(twice.faults(Guarantee::ExactlyOnce).len(), 1);
        let bad = Audit { lost: 1, duplicated: 1, contradicted: 1, reordered: 1, results: 9 };
        assert_eq!(bad.faults(Guarantee::AtLeastOnce).len(), 3);
        assert_eq!(bad.faults(Guarantee::ExactlyOnce).len(), 4);
    }

    #[test]
    fn a_result_that_is_not_due_is_an_error() {
        assert!(audit(&[(1000, 7)], Extent::Part).is_err());
    }
}
