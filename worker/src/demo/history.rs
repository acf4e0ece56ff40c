use std::collections::VecDeque;

/// Items that are numbered as they come, of which the last ones are kept.
#[derive(Clone, Debug)]
pub(super) struct History<T> {
    items: VecDeque<T>,
    /// Number of the first item that is kept.
    first: u64,
    keep: usize,
}

impl<T> History<T> {
    /// Keeps the last `keep` items; the first one that comes has number `first`.
    pub(super) fn new(first: u64, keep: usize) -> History<T> {
        History { items: VecDeque::new(), first, keep }
    }

    /// Adds an item.
    pub(super) fn push(&mut self, item: T) {
        if self.items.len() == self.keep {
            self.items.pop_front();
            self.first += 1;
        }
        self.items.push_back(item);
    }

    /// The number that the next item will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// The number of the first item that [`History::since`] gives for `number`.
    pub(super) fn start(&self, number: u64) -> u64 {
        number.clamp(self.first, self.end())
    }

    /// The items from that number on, as far as they are kept.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = &T> {
        self.items.range((self.start(number) - self.first) as usize..)
    }

    /// The number of the first item for which `late` holds; it must hold for all after it.
    pub(super) fn find(&self, late: impl Fn(&T) -> bool) -> u64 {
        self.first + self.items.partition_point(|item| !late(item)) as u64
    }

    /// The items that are kept, the newest first, to be changed.
    pub(super) fn newest_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::History;

    #[test]
    fn numbers_stay_when_old_items_go() {
        let mut history = History::new(10, 3);
        (0..5).for_each(|item| history.push(item));
        assert_eq!((history.start(0), history.end()), (12, 15));
        assert_eq!(history.since(13).copied().collect::<Vec<_>>(), [3, 4]);
        assert_eq!(history.since(0).count(), 3);
        assert_eq!(history.since(99).count(), 0);
        assert_eq!(history.find(|&item| item >= 3), 13);
        assert_eq!(history.find(|&item| item >= 9), 15);
    }
}
