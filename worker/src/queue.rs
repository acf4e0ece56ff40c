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
    /// Puts a thing of so many bytes in as soon as there is room, at once if it has none; gives it
    /// back when there is no room in time, or when nobody takes it out.
    pub(crate) fn put(&self, bytes: usize, thing: T, patience: Duration) -> Result<(), T> {
        let full = |used: &mut usize| bytes > 0 && *used > 0 && *used + bytes > self.room.limit;
        let wait = self.room.freed.wait_timeout_while(self.room.used(), patience, full);
        let (mut used, _) = wait.unwrap_or_else(PoisonError::into_inner);
        if full(&mut used) {
            return Err(thing);
        }
        *used += bytes;
        drop(used);
        self.sender.send((bytes, thing)).map_err(|back| back.into_inner().1)
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

    const NOW: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_full_queue_waits_for_room_and_takes_one_thing_of_any_size() {
        let (inlet, outlet) = bounded(10);
        assert_eq!(inlet.put(100, 'a', NOW), Ok(()), "an empty queue has room");
        assert_eq!(inlet.put(1, 'x', Duration::from_millis(20)), Err('x'));
        assert_eq!(inlet.put(0, 'y', NOW), Ok(()), "what takes no room never waits");
        assert_eq!(outlet.work(NOW, |c| c).unwrap(), Some('a'));
        assert_eq!(outlet.work(NOW, |c| c).unwrap(), Some('y'));
        assert_eq!(inlet.bytes(), 0);
        assert!(inlet.put(6, 'b', NOW).is_ok() && inlet.put(4, 'c', NOW).is_ok());
        std::thread::scope(|scope| {
            let last = scope.spawn(|| inlet.put(1, 'd', LONG));
            assert_eq!(outlet.work(NOW, |c| c).unwrap(), Some('b'));
            assert_eq!(last.join().unwrap(), Ok(()));
        });
        assert_eq!(outlet.work(NOW, |c| c).unwrap(), Some('c'));
        assert_eq!(outlet.work(NOW, |c| c).unwrap(), Some('d'));
        assert_eq!(outlet.work(NOW, |c| c).unwrap(), None);
        drop(inlet);
        assert!(outlet.work(NOW, |_: char| ()).is_err());
    }

    #[test]
    fn what_nobody_will_take_out_comes_back() {
        let (inlet, outlet) = bounded(10);
        drop(outlet);
        assert_eq!(inlet.put(1, 'a', NOW), Err('a'));
    }
}
