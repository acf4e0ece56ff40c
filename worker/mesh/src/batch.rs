//! How many records are handed over together: additive increase, multiplicative decrease.
//!
//! A batch is what arrived while the one before was computed; the target is its cap. All results
//! of a batch wait for the whole of it, so the target is what keeps that time at the goal, when
//! records are expensive; when they are cheap it is where more would not save anything. It follows
//! the cost of records within some batches, whatever the cause: a larger window, a slower core.
//!
//! This is AIMD as in the congestion avoidance of TCP (Chiu and Jain 1989; Jacobson 1988): a batch
//! that reached the target in less than the goal raises it by a step, a batch that took longer
//! lowers it by a factor, once for all the batches that were cut to the old target.

use std::time::Duration;

/// What a batch took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its records.
    pub records: usize,
    /// From when it was begun until all of it was computed.
    pub took: Duration,
}

/// The cap of a batch.
#[derive(Clone, Debug)]
pub struct Target {
    goal: Duration,
    records: usize,
}

impl Target {
    /// The least cap: fewer records would be dominated by what every batch costs.
    pub const LEAST: usize = 16;
    /// The largest cap.
    pub const MOST: usize = 1024;
    /// What a batch that was full and fast enough adds.
    pub const STEP: usize = 16;

    /// A target for batches that are to take no longer than `goal`.
    pub fn new(goal: Duration) -> Target {
        Target { goal, records: 128 }
    }

    /// Records in the next batch at most.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Learns from a batch; the new target when it changed.
    pub fn observe(&mut self, batch: &Batch) -> Option<usize> {
        let next = if batch.took > self.goal {
            self.lower(batch)
        } else if batch.records >= self.records {
            self.records + Target::STEP
        } else {
            self.records
        };
        let before = std::mem::replace(&mut self.records, next.clamp(Target::LEAST, Target::MOST));
        (self.records != before).then_some(self.records)
    }

    /// A batch that is larger than the target was cut to another one, and says nothing about this;
    /// nor does one that is much smaller: that it was slow has another reason than the target, such
    /// as a core that was busy with something else, and batches that are smaller still would make
    /// this worse.
    fn lower(&self, batch: &Batch) -> usize {
        match (self.records / 2..=self.records).contains(&batch.records) {
            true => batch.records * 3 / 4,
            false => self.records,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOAL: Duration = Duration::from_millis(5);

    /// Targets while batches always reach them, and take what `curve` says.
    fn follow(target: &mut Target, count: usize, curve: impl Fn(usize) -> Duration) -> Vec<usize> {
        let batches = (0..count).map(|_| {
            let records = target.records();
            let took = curve(records);
            target.observe(&Batch { records, took });
            target.records()
        });
        batches.collect()
    }

    fn linear(fixed: u64, each: u64) -> impl Fn(usize) -> Duration {
        move |records| Duration::from_micros(fixed + each * records as u64)
    }

    #[test]
    fn it_finds_the_size_that_takes_as_long_as_the_goal_and_stays_near_it() {
        for (fixed, each) in [(0, 10), (100, 20), (2000, 30), (500, 100), (50, 6)] {
            let ideal = ((5000 - fixed) / each) as usize;
            let mut target = Target::new(GOAL);
            follow(&mut target, 200, linear(fixed, each));
            let band = (ideal * 3 / 4).saturating_sub(1)..=ideal + Target::STEP;
            for records in follow(&mut target, 500, linear(fixed, each)) {
                assert!(band.contains(&records), "{records} is not in {band:?} of {ideal}");
            }
        }
    }

    #[test]
    fn it_follows_records_that_become_dearer_and_cheaper_again() {
        let mut target = Target::new(GOAL);
        assert!(*follow(&mut target, 100, linear(0, 10)).last().unwrap() > 370);
        assert!(*follow(&mut target, 10, linear(0, 100)).last().unwrap() <= 50 + Target::STEP);
        assert!(*follow(&mut target, 100, linear(0, 10)).last().unwrap() > 370);
    }

    #[test]
    fn it_keeps_its_bounds_whatever_records_cost() {
        let mut target = Target::new(GOAL);
        assert_eq!(*follow(&mut target, 200, linear(0, 0)).last().unwrap(), Target::MOST);
        assert_eq!(*follow(&mut target, 200, linear(6000, 0)).last().unwrap(), Target::LEAST);
    }

    #[test]
    fn batches_that_are_not_full_do_not_raise_it() {
        let mut target = Target::new(GOAL);
        let small = Batch { records: 127, took: Duration::ZERO };
        assert_eq!(target.observe(&small), None);
        assert_eq!(target.observe(&Batch { records: 128, ..small }), Some(144));
    }

    #[test]
    fn batches_of_an_old_target_lower_it_once() {
        let mut target = Target::new(GOAL);
        let slow = Batch { records: 128, took: 2 * GOAL };
        assert_eq!(target.observe(&slow), Some(96));
        assert_eq!(target.observe(&slow), None);
        assert_eq!(target.observe(&Batch { records: 60, ..slow }), Some(45));
    }

    #[test]
    fn a_small_batch_that_is_slow_does_not_make_the_others_small() {
        let mut target = Target::new(GOAL);
        assert_eq!(target.observe(&Batch { records: 63, took: 2 * GOAL }), None);
        assert_eq!(target.observe(&Batch { records: 64, took: 2 * GOAL }), Some(48));
    }

    proptest! {
        #[test]
        fn it_is_always_within_its_bounds_and_changes_by_a_step_or_a_factor(
            batches in prop::collection::vec((1..2000usize, 0..20_000u64), 1..200),
        ) {
            let mut target = Target::new(GOAL);
            for (records, took) in batches {
                let before = target.records();
                let took = Duration::from_micros(took);
                target.observe(&Batch { records, took });
                let after = target.records();
                prop_assert!((Target::LEAST..=Target::MOST).contains(&after));
                prop_assert!(after <= before + Target::STEP);
                let follows = if took > GOAL { after <= before } else { after >= before };
                prop_assert!(follows, "from {} to {} after {:?}", before, after, took);
            }
        }
    }
}
