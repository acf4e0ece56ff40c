use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Room for so many bytes between two threads: the brake on whoever fills it.
#[derive(Debug)]
pub(crate) struct Room {
    limit: usize,
    used: Mutex<usize>,
    freed: Condvar,
    /// Records of all rooms that are in use.
    records: Arc<AtomicUsize>,
}

/// A part of a room, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Room>,
    bytes: usize,
    records: usize,
}

impl Room {
    /// How often somebody who waits is asked whether to go on waiting.
    const ASK: Duration = Duration::from_millis(20);

    pub(crate) fn new(limit: usize, records: Arc<AtomicUsize>) -> Arc<Room> {
        Arc::new(Room { limit, used: Mutex::default(), freed: Condvar::new(), records })
    }

    /// Waits for so much room, or for all of it if that is less; `None` when `give_up` says so.
    pub(crate) fn enter(
        self: &Arc<Room>,
        bytes: usize,
        records: usize,
        give_up: impl Fn() -> bool,
    ) -> Option<Place> {
        let mut used = self.used();
        while *used > 0 && *used + bytes > self.limit {
            if give_up() {
                return None;
            }
            let wait = self.freed.wait_timeout(used, Room::ASK);
            used = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        *used += bytes;
        self.records.fetch_add(records, Ordering::Relaxed);
        Some(Place { room: self.clone(), bytes, records })
    }

    fn used(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.room.used() -= self.bytes;
        self.room.records.fetch_sub(self.records, Ordering::Relaxed);
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_room_waits_until_somebody_leaves_and_holds_one_thing_of_any_size() {
        let (records, never) = (Arc::default(), || panic!("there is room"));
        let room = Room::new(10, Arc::clone(&records));
        let large = room.enter(100, 3, never).unwrap();
        assert!(room.enter(1, 1, || true).is_none());
        drop(large);
        let _small = room.enter(4, 1, never).unwrap();
        let other = room.enter(6, 2, never).unwrap();
        assert_eq!(records.load(Ordering::Relaxed), 3);
        std::thread::scope(|scope| {
            let last = scope.spawn(|| room.enter(1, 0, || false).is_some());
            drop(other);
            assert!(last.join().unwrap());
        });
    }
}
