use std::collections::BTreeMap;

/// Offsets that may be committed, by partition. Nobody tells whether the coordinator has taken
/// them: librdkafka keeps that to itself when the commit did not wait for it.
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

    /// Hands out what is ready; with `again`, the newest of every partition that is held.
    pub(crate) fn take(&mut self, again: bool) -> BTreeMap<i32, i64> {
        let ready = std::mem::take(&mut self.ready);
        self.handed.extend(&ready);
        if again { self.handed.clone() } else { ready }
    }

    /// A partition leaves; gives the newest offset that may be committed of it, also when it was
    /// handed out.
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
    fn what_was_handed_out_comes_again_on_request_unless_newer_offsets_did() {
        let mut commits = Commits::default();
        commits.allow(at(5));
        assert_eq!(commits.take(false), at(5));
        assert_eq!(commits.take(false), BTreeMap::new());
        assert_eq!(commits.take(true), at(5));
        commits.allow(at(7));
        assert_eq!(commits.take(true), at(7), "an offset never falls");
        assert_eq!(commits.take(true), at(7), "it may have been lost once more");
    }

    #[test]
    fn a_partition_leaves_with_its_newest_offset_and_nothing_stays() {
        let mut commits = Commits::default();
        assert_eq!(commits.leave(0), None);
        commits.allow(at(5));
        commits.take(false);
        assert_eq!(commits.leave(0), Some(5), "its answer may have been lost");
        assert_eq!(commits.take(true), BTreeMap::new());
    }
}
