//! How far back a replay may reach: series that would have to reach further are stored with their
//! points.

use mesh::topics::Policy;
use std::collections::VecDeque;

/// How much a replay may read.
///
/// The rule is that of cleaning in a log-structured file system: a series is stored anew at most
/// once while `ratio` times the samples of all series go by, so that the points in checkpoints are
/// at most that part of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Records for each sample that is needed.
    pub(crate) ratio: i64,
    /// Records whose replay is not worth avoiding.
    pub(crate) few: i64,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule { ratio: 4, few: 10_000 }
    }
}

/// The part of the log, from its first record on, that retention may take at once.
const NEAR: i64 = 5;

/// What is known of the log of a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// Offset of the first record that still exists.
    pub(crate) first: i64,
    /// How long it keeps them.
    pub(crate) policy: Policy,
    /// The time, milliseconds since the Unix epoch.
    pub(crate) now: i64,
}

impl Rule {
    /// The offset from which on records may be counted on in a replay.
    ///
    /// `next` is the next record, `live` the number of samples that all series together need.
    /// Records that are near the first one, or that have lived half as long as they may, are about
    /// to go.
    pub(crate) fn limit(&self, next: i64, live: u64, log: &Log, ages: &Ages) -> i64 {
        let live = i64::try_from(live).unwrap_or(i64::MAX);
        let far = next.saturating_sub(live.saturating_mul(self.ratio).max(self.few));
        let near = match log.first > 0 || log.policy.bounded {
            true => log.first + (next - log.first) / NEAR,
            false => 0,
        };
        let kept = log.policy.kept.and_then(|kept| i64::try_from(kept.as_millis()).ok());
        let old = kept.map_or(0, |kept| ages.until(log.now.saturating_sub(kept / 2)));
        far.max(near).max(old).min(next)
    }
}

/// When records were appended, roughly.
#[derive(Debug)]
pub(crate) struct Ages {
    /// Times in milliseconds, none before the one in front of it, and offsets.
    seen: VecDeque<(i64, i64)>,
    /// One of so many is kept.
    step: u64,
    /// How often one was told of.
    told: u64,
}

impl Default for Ages {
    fn default() -> Ages {
        Ages { seen: VecDeque::new(), step: 1, told: 0 }
    }
}

impl Ages {
    /// Pairs kept at most.
    const MOST: usize = 256;

    /// A record at `offset` was appended at `time`.
    pub(crate) fn see(&mut self, offset: i64, time: i64) {
        self.told += 1;
        if !self.told.is_multiple_of(self.step) {
            return;
        }
        let newest = self.seen.back().map_or(time, |(newest, _)| time.max(*newest));
        self.seen.push_back((newest, offset));
        if self.seen.len() > Ages::MOST {
            // Of two neighbours the later one stays: an offset is told too late, never too early.
            self.step *= 2;
            let mut stays = true;
            self.seen.retain(|_| {
                stays = !stays;
                stays
            });
        }
    }

    /// An offset below which all records were appended by `time`, as far as is known.
    fn until(&self, time: i64) -> i64 {
        let old = self.seen.partition_point(|(seen, _)| *seen <= time);
        old.checked_sub(1).map_or(0, |index| self.seen[index].1 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn limit(next: i64, live: u64, log: Log) -> i64 {
        Rule::default().limit(next, live, &log, &Ages::default())
    }

    #[test]
    fn a_replay_reads_a_few_records_for_each_sample_that_is_needed() {
        let limit = |next, live| limit(next, live, Log::default());
        assert_eq!(limit(1_000_000, 100_000), 600_000);
        assert_eq!(limit(1_000_000, 10), 990_000);
        assert_eq!(limit(5_000, 10), 0);
        assert_eq!(limit(5_000, u64::MAX), 0);
    }

    #[test]
    fn records_that_are_about_to_be_deleted_are_not_counted_on() {
        let limit = |log: Log| limit(101_000, 1_000_000, log);
        let policy = Policy { bounded: true, ..Policy::default() };
        assert_eq!(limit(Log::default()), 0, "nothing has been deleted yet");
        assert_eq!(limit(Log { policy, ..Log::default() }), 20_200);
        assert_eq!(limit(Log { first: 1000, ..Log::default() }), 21_000);
        assert_eq!(limit(Log { first: 101_000, ..Log::default() }), 101_000);
    }

    #[test]
    fn records_that_have_lived_half_as_long_as_they_may_are_not_counted_on() {
        let mut ages = Ages::default();
        for second in 0..100_000 {
            ages.see(10 * second, 1000 * second);
        }
        let policy = Policy { kept: Some(Duration::from_secs(20 * 3600)), ..Policy::default() };
        let log = |now| Log { policy, now, ..Log::default() };
        let at = |now| Rule::default().limit(1_000_000, u64::MAX, &log(now), &ages);
        assert_eq!(at(36_000_000 - 1), 0, "none is as old as ten hours");
        let old = at(36_000_000 + 50_000_000);
        assert!((480_000..=500_010).contains(&old), "{old}");
        assert!((980_000..=1_000_000).contains(&at(i64::MAX)));
        assert!(ages.seen.len() <= Ages::MOST);
    }
}
