use std::collections::BTreeMap;

/// Offsets that may be committed, by partition, until the coordinator has taken them.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    /// Those that nobody has asked for.
    ready: BTreeMap<i32, i64>,
    /// The newest that were handed out.
    handed: BTreeMap<i32, i64>,
}

impl Commits {
    /// These may be committed; they are newer than those before.
    pub(crate) fn allow(&mut self, offsets: BTreeMap<i32, i64>) {
        self.ready.extend(offsets);
    }

    /// Hands out what is ready.
    pub(crate) fn take(&mut self) -> BTreeMap<i32, i64> {
        self.handed.extend(&self.ready);
        std::mem::take(&mut self.ready)
    }

    /// These were not taken by the coordinator: they are ready again, unless newer ones are or
    /// were handed out, or the partition has left.
    pub(crate) fn refused(&mut self, offsets: &BTreeMap<i32, i64>) {
        for (&partition, &offset) in offsets {
            if self.handed.get(&partition) == Some(&offset) {
                self.ready.entry(partition).or_insert(offset);
            }
        }
    }

    /// A partition leaves; gives the newest offset that may be committed of it, also when it was
    /// handed out: whether it was taken is not always known.
    pub(crate) fn leave(&mut self, partition: i32) -> Option<i64> {
        let handed = self.handed.remove(&partition);
        self.ready.remove(&partition).or(handed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: i64) -> BTreeMap<i32, i64> {
        BTreeMap::from([(0, offset)])
    }

    #[test]
    fn what_is_refused_comes_again_unless_newer_offsets_went_out() {
        let mut commits = Commits::default();
        commits.allow(at(5));
        assert_eq!(commits.take(), at(5));
        assert_eq!(commits.take(), BTreeMap::new());
        commits.refused(&at(5));
        assert_eq!(commits.take(), at(5));
        commits.allow(at(7));
        commits.refused(&at(5));
        assert_eq!(commits.take(), at(7), "the newer one stays");
        commits.refused(&at(5));
        assert_eq!(commits.take(), BTreeMap::new(), "an offset never falls");
    }

    #[test]
    fn a_partition_leaves_with_its_newest_offset_and_nothing_stays() {
        let mut commits = Commits::default();
        assert_eq!(commits.leave(0), None);
        commits.allow(at(5));
        commits.take();
        assert_eq!(commits.leave(0), Some(5), "its answer may have been lost");
        commits.refused(&at(5));
        assert_eq!(commits.take(), BTreeMap::new());
    }
}
