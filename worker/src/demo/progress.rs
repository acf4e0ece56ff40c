//! How far the feeder is, and when it appended what.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Points whose append is remembered; more than may be on their way at once.
const REMEMBERED: usize = 1 << 16;

/// Shared by the feeder, which writes, and whoever reads the results.
#[derive(Debug)]
pub(super) struct Progress {
    origin: Instant,
    appended: AtomicU64,
    consumed: AtomicU64,
    /// Nanoseconds from `origin` to the append of each of the last points.
    stamps: Box<[AtomicU64]>,
}

impl Progress {
    /// Points that may be on their way from the feeder to the worker: far below what the broker
    /// inside the process keeps (100,000 records or 5 MiB), so that none is dropped unread.
    pub(super) const IN_FLIGHT: u64 = 8192;

    /// Nothing yet; the wall clock begins now.
    pub(super) fn start() -> Progress {
        let stamps = (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect();
        Progress { origin: Instant::now(), appended: 0.into(), consumed: 0.into(), stamps }
    }

    /// Since the start.
    pub(super) fn wall(&self) -> Duration {
        self.origin.elapsed()
    }

    /// Points appended.
    pub(super) fn appended(&self) -> u64 {
        self.appended.load(Ordering::Acquire)
    }

    /// Notes that the next point is appended now.
    pub(super) fn append(&self) {
        let number = self.appended.load(Ordering::Relaxed);
        self.stamp(number).store(self.wall().as_nanos() as u64, Ordering::Relaxed);
        self.appended.store(number + 1, Ordering::Release);
    }

    /// How long ago point `number` was appended, if that is remembered.
    pub(super) fn age(&self, number: u64) -> Option<Duration> {
        let appended = self.appended();
        let known = number < appended && number + (REMEMBERED as u64) > appended;
        let then = || Duration::from_nanos(self.stamp(number).load(Ordering::Relaxed));
        known.then(|| self.wall().saturating_sub(then()))
    }

    /// Notes that the worker has taken this many points.
    pub(super) fn consume(&self, points: u64) {
        self.consumed.fetch_max(points, Ordering::Relaxed);
    }

    /// Points that the worker has taken, as far as is known.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// Whether another point may be appended.
    pub(super) fn has_room(&self) -> bool {
        self.appended() < self.consumed() + Progress::IN_FLIGHT
    }

    fn stamp(&self, number: u64) -> &AtomicU64 {
        &self.stamps[number as usize % REMEMBERED]
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;
    use std::time::Duration;

    #[test]
    fn the_age_of_a_point_is_known_while_it_is_remembered() {
        let progress = Progress::start();
        assert_eq!(progress.age(0), None);
        progress.append();
        std::thread::sleep(Duration::from_millis(5));
        progress.append();
        let (old, new) = (progress.age(0).unwrap(), progress.age(1).unwrap());
        assert!(old >= Duration::from_millis(5) && new < old, "{old:?} {new:?}");
        (0..super::REMEMBERED).for_each(|_| progress.append());
        assert_eq!(progress.age(1), None);
        assert!(progress.age(progress.appended() - 1).is_some());
    }

    #[test]
    fn there_is_room_until_too_many_are_on_their_way() {
        let progress = Progress::start();
        (0..Progress::IN_FLIGHT).for_each(|_| progress.append());
        assert!(!progress.has_room());
        progress.consume(1);
        assert!(progress.has_room());
        progress.consume(0);
        assert_eq!(progress.consumed(), 1);
    }
}
