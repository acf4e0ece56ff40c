use crate::Record;
use std::collections::{BTreeMap, BTreeSet};

/// Records that were read and not taken: their owner has no room for them, or the input waits.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    held: BTreeMap<i32, Vec<Record>>,
    bytes: usize,
}

impl Intake {
    /// Bytes that are held at most, but for one batch: at so many, nothing is read any more.
    const LIMIT: usize = 1 << 20;

    /// Keeps records, behind those of their partition that are kept already.
    pub(crate) fn hold(&mut self, partition: i32, records: Vec<Record>) {
        self.bytes += bytes(&records);
        self.held.entry(partition).or_default().extend(records);
    }

    /// Whether records of a partition are held; later ones have to wait behind them.
    pub(crate) fn holds(&self, partition: i32) -> bool {
        self.held.contains_key(&partition)
    }

    /// Whether no records are held.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The partitions of which records are held.
    pub(crate) fn partitions(&self) -> Vec<i32> {
        self.held.keys().copied().collect()
    }

    /// The records of a partition, which are no longer held.
    pub(crate) fn release(&mut self, partition: i32) -> Vec<Record> {
        let records = self.held.remove(&partition).unwrap_or_default();
        self.bytes -= bytes(&records);
        records
    }

    /// The partitions of which no more are wanted, of those that are owned.
    pub(crate) fn unwanted(&self, owned: &BTreeSet<i32>) -> BTreeSet<i32> {
        match self.bytes < Intake::LIMIT {
            true => self.held.keys().copied().collect(),
            false => owned.clone(),
        }
    }
}

fn bytes(records: &[Record]) -> usize {
    records.iter().map(Record::bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64, length: usize) -> Record {
        let value = Some(vec![0; length].into());
        Record { offset, timestamp: None, key: None, value, headers: Vec::new() }
    }

    #[test]
    fn records_wait_in_their_order_and_only_their_partition_waits_with_them() {
        let mut intake = Intake::default();
        let owned = BTreeSet::from([1, 2, 3]);
        intake.hold(2, vec![record(5, 10), record(6, 10)]);
        intake.hold(2, vec![record(7, 10)]);
        assert!(intake.holds(2) && !intake.holds(1));
        assert_eq!(intake.unwanted(&owned), [2].into());
        let offsets: Vec<i64> = intake.release(2).iter().map(|r| r.offset).collect();
        assert_eq!((offsets, intake.bytes), (vec![5, 6, 7], 0));
        assert!(intake.unwanted(&owned).is_empty() && intake.release(2).is_empty());
    }

    #[test]
    fn when_too_much_waits_nothing_more_is_read() {
        let mut intake = Intake::default();
        let owned = BTreeSet::from([1, 2, 3]);
        intake.hold(1, vec![record(0, Intake::LIMIT / 2)]);
        assert_eq!(intake.unwanted(&owned), [1].into());
        intake.hold(3, vec![record(0, Intake::LIMIT / 2)]);
        assert_eq!(intake.unwanted(&owned), owned);
    }
}
