//! A queue that is bounded by the bytes in it.

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The end that things are put into.
#[derive(Debug)]
pub(crate) struct Inlet<T> {
    sender: Sender<(usize, T)>,
    room: Arc<Room>,
}

/// The end that things come out of.
#[derive(Debug)]
pub(crate) struct Outlet<T> {
    receiver: Receiver<(usize, T)>,
    room: Arc<Room>,
}

#[derive(Debug)]
struct Room {
    limit: usize,
    used: Mutex<usize>,
    freed: Condvar,
}

/// A queue of at most `limit` bytes, or of one thing that is larger.
pub(crate) fn bounded<T>(limit: usize) -> (Inlet<T>, Outlet<T>) {
    let room = Arc::new(Room { limit, used: Mutex::new(0), freed: Condvar::new() });
    let (sender, receiver) = unbounded();
    (Inlet { sender, room: room.clone() }, Outlet { receiver, room })
}

impl<T> Inlet<T> {
    /// Puts a thing of so many bytes in, when there is room (at once if it has none); `false` when nobody takes it out.
    /// While it waits, `give_up` is asked now and then whether to drop it instead.
    pub(crate) fn put(&self, bytes: usize, thing: T, give_up: impl Fn() -> bool) -> bool {
        let mut used = self.room.used();
        while bytes > 0 && *used > 0 && *used + bytes > self.room.limit {
            if give_up() {
                return true;
            }
            let wait = self.room.freed.wait_timeout(used, Duration::from_millis(50));
            used = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        *used += bytes;
        drop(used);
        self.sender.send((bytes, thing)).is_ok()
    }

    /// Bytes in the queue, the thing that is being worked on included.
    pub(crate) fn bytes(&self) -> usize {
        *self.room.used()
    }
}

impl<T> Outlet<T> {
    /// As [`Inlet::bytes`].
    pub(crate) fn bytes(&self) -> usize {
        *self.room.used()
    }

    /// Works on the next thing; its bytes are free afterwards. `None` when none came in time.
    ///
    /// # Errors
    /// When nothing will come any more.
    pub(crate) fn work<R>(
        &self,
        time: Duration,
        on: impl FnOnce(T) -> R,
    ) -> Result<Option<R>, Closed> {
        match self.receiver.recv_timeout(time) {
            Ok((bytes, thing)) => {
                let result = on(thing);
                *self.room.used() -= bytes;
                self.room.freed.notify_all();
                Ok(Some(result))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Closed),
        }
    }
}

/// Nothing will come any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closed;

impl Room {
    fn used(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_waits_for_room_and_takes_one_thing_of_any_size() {
        let (inlet, outlet) = bounded(10);
        assert!(inlet.put(100, 'a', || panic!("an empty queue has room")));
        let asked = std::cell::Cell::new(false);
        assert!(inlet.put(1, 'x', || {
            asked.set(true);
            true
        }));
        assert!(asked.get(), "there was no room for another");
        assert_eq!(outlet.work(Duration::ZERO, |c| c).unwrap(), Some('a'));
        assert_eq!(inlet.bytes(), 0);
        assert!(inlet.put(6, 'b', || false) && inlet.put(4, 'c', || false));
        std::thread::scope(|scope| {
            let last = scope.spawn(|| inlet.put(1, 'd', || false));
            assert_eq!(outlet.work(Duration::ZERO, |c| c).unwrap(), Some('b'));
            assert!(last.join().unwrap());
        });
        assert_eq!(outlet.work(Duration::ZERO, |c| c).unwrap(), Some('c'));
        assert_eq!(outlet.work(Duration::ZERO, |c| c).unwrap(), Some('d'));
        assert_eq!(outlet.work(Duration::ZERO, |c| c).unwrap(), None);
        drop(inlet);
        assert!(outlet.work(Duration::ZERO, |_: char| ()).is_err());
    }
}
