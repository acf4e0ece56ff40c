//! One partition of a topic, as a broker keeps it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// Who appends: one incarnation of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::simulation) struct Producer {
    /// Given by the brokers.
    pub(in crate::simulation) id: u64,
    /// Rises with every start of a transactional producer.
    pub(in crate::simulation) epoch: u32,
}

/// What is appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::simulation) struct Record {
    pub(in crate::simulation) key: Option<Vec<u8>>,
    /// Without one, the key is deleted by compaction.
    pub(in crate::simulation) value: Option<Vec<u8>>,
    pub(in crate::simulation) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(in crate::simulation) timestamp: Option<i64>,
    /// What the record is called: the id of an output.
    pub(in crate::simulation) id: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |b: &Option<Vec<u8>>| b.as_deref().map(|b| String::from_utf8_lossy(b).into_owned());
        let headers = self.headers.iter().map(|(name, value)| (name, text(value)));
        let headers: Vec<_> = headers.collect();
        let (key, value) = (text(&self.key), text(&self.value));
        write!(f, "{key:?} {value:?} {headers:?} at {:?}", self.timestamp)
    }
}

/// What became of the transaction of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It was in none, or in one that was committed.
    Visible,
    Open,
    Aborted,
}

#[derive(Clone, Debug)]
struct Entry {
    offset: i64,
    by: u64,
    fate: Fate,
    /// `None` for the mark that ends a transaction.
    record: Option<Arc<Record>>,
}

/// Which records a reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) enum Isolation {
    /// All of them.
    Uncommitted,
    /// Those before the first open transaction, without the aborted ones.
    Committed,
}

/// Why a record was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulation) enum Refusal {
    /// A newer incarnation of the producer is known.
    Fenced,
    /// A record before it is missing.
    OutOfOrder,
}

/// A partition of a topic.
#[derive(Clone, Debug, Default)]
pub(in crate::simulation) struct Log {
    first: i64,
    next: i64,
    entries: Vec<Entry>,
    /// The newest epoch of each producer, and the number of its next record.
    producers: BTreeMap<u64, (u32, u64)>,
}

impl Log {
    pub(super) const fn empty() -> Log {
        Log { first: 0, next: 0, entries: Vec::new(), producers: BTreeMap::new() }
    }

    /// Offset of the first record that may still exist.
    pub(in crate::simulation) fn first(&self) -> i64 {
        self.first
    }

    /// Offset after the last record.
    pub(in crate::simulation) fn end(&self) -> i64 {
        self.next
    }

    /// Offset of the first record of a transaction that is open, or the end.
    pub(in crate::simulation) fn stable(&self) -> i64 {
        let open = self.entries.iter().find(|e| e.fate == Fate::Open);
        open.map_or(self.next, |e| e.offset)
    }

    /// Appends record number `sequence` of a producer, unless it was appended before. The record
    /// is invisible until its transaction ends, if it is in one. `Ok(false)` if it was there.
    pub(in crate::simulation) fn append(
        &mut self,
        by: Producer,
        sequence: u64,
        record: Arc<Record>,
        in_transaction: bool,
    ) -> Result<bool, Refusal> {
        let known = self.producers.entry(by.id).or_insert((by.epoch, 0));
        if by.epoch < known.0 {
            return Err(Refusal::Fenced);
        }
        if by.epoch > known.0 {
            *known = (by.epoch, 0);
        }
        if sequence < known.1 {
            return Ok(false);
        }
        if sequence > known.1 {
            return Err(Refusal::OutOfOrder);
        }
        known.1 += 1;
        let fate = if in_transaction { Fate::Open } else { Fate::Visible };
        self.push(by.id, fate, Some(record));
        Ok(true)
    }

    /// Appends a record of somebody else.
    pub(in crate::simulation) fn put(&mut self, record: Arc<Record>) {
        self.push(0, Fate::Visible, Some(record));
    }

    /// Ends the transaction of a producer, whose incarnations before `by` are refused from now on.
    pub(in crate::simulation) fn end_transaction(&mut self, by: Producer, commit: bool) {
        let fate = if commit { Fate::Visible } else { Fate::Aborted };
        for entry in self.entries.iter_mut().filter(|e| e.by == by.id && e.fate == Fate::Open) {
            entry.fate = fate;
        }
        let known = self.producers.entry(by.id).or_insert((by.epoch, 0));
        if by.epoch > known.0 {
            *known = (by.epoch, 0);
        }
        self.push(by.id, Fate::Visible, None);
    }

    /// The records of a producer's open transaction.
    pub(in crate::simulation) fn open(&self, by: Producer) -> impl Iterator<Item = Arc<Record>> {
        let open = self.entries.iter().filter(move |e| e.by == by.id && e.fate == Fate::Open);
        open.filter_map(|e| e.record.clone())
    }

    /// At most `most` records from an offset on, and the offset to go on from.
    pub(in crate::simulation) fn read(
        &self,
        from: i64,
        most: usize,
        isolation: Isolation,
    ) -> (Vec<(i64, &Arc<Record>)>, i64) {
        let end = match isolation {
            Isolation::Uncommitted => self.next,
            Isolation::Committed => self.stable(),
        };
        let start = self.entries.partition_point(|e| e.offset < from);
        let below_end = self.entries[start..].iter().take_while(|e| e.offset < end);
        let seen =
            below_end.filter(|e| isolation == Isolation::Uncommitted || e.fate == Fate::Visible);
        let records: Vec<_> =
            seen.filter_map(|e| Some((e.offset, e.record.as_ref()?))).take(most).collect();
        let next = match records.last() {
            Some((offset, _)) if records.len() == most => offset + 1,
            _ => end.max(from),
        };
        (records, next)
    }

    /// Leaves a gap, as a transaction of another producer does.
    pub(in crate::simulation) fn skip(&mut self, offsets: i64) {
        self.next += offsets;
    }

    /// Keeps the last value of every key, for the part below `end`; with `deletions`, keys that
    /// were deleted there leave no trace.
    pub(in crate::simulation) fn compact(&mut self, end: i64, deletions: bool) {
        let end = end.min(self.stable());
        let mut last = HashMap::new();
        for entry in self.entries.iter().filter(|e| e.offset < end && e.fate == Fate::Visible) {
            if let Some(key) = entry.record.as_ref().and_then(|r| r.key.clone()) {
                last.insert(key, entry.offset);
            }
        }
        self.entries.retain(|entry| match entry.record.as_deref() {
            _ if entry.offset >= end => true,
            Some(Record { key: Some(key), value, .. }) if entry.fate == Fate::Visible => {
                last.get(key) == Some(&entry.offset) && !(deletions && value.is_none())
            }
            _ => false,
        });
    }

    fn push(&mut self, by: u64, fate: Fate, record: Option<Arc<Record>>) {
        self.entries.push(Entry { offset: self.next, by, fate, record });
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: Option<&str>) -> Arc<Record> {
        let bytes = |s: &str| s.as_bytes().to_vec();
        let (value, id) = (value.map(bytes), key.into());
        Arc::new(Record { key: Some(bytes(key)), value, id, ..Record::default() })
    }

    fn seen(log: &Log, isolation: Isolation) -> String {
        log.read(0, 99, isolation).0.iter().map(|(_, r)| r.id.as_str()).collect()
    }

    #[test]
    fn a_record_is_appended_once_and_in_order() {
        let (mut log, by) = (Log::default(), Producer { id: 1, epoch: 0 });
        assert_eq!(log.append(by, 0, record("a", None), false), Ok(true));
        assert_eq!(log.append(by, 0, record("a", None), false), Ok(false));
        assert_eq!(log.append(by, 2, record("c", None), false), Err(Refusal::OutOfOrder));
        assert_eq!(log.end(), 1);
    }

    #[test]
    fn readers_of_committed_records_stop_at_an_open_transaction() {
        let (mut log, by) = (Log::default(), Producer { id: 1, epoch: 0 });
        let other = Producer { id: 2, epoch: 0 };
        log.append(by, 0, record("a", None), true).unwrap();
        log.append(other, 0, record("b", None), false).unwrap();
        assert_eq!((seen(&log, Isolation::Uncommitted), log.stable()), ("ab".into(), 0));
        assert_eq!(seen(&log, Isolation::Committed), "");
        log.end_transaction(Producer { epoch: 1, ..by }, false);
        assert_eq!(seen(&log, Isolation::Committed), "b");
        assert_eq!(log.append(by, 1, record("c", None), true), Err(Refusal::Fenced));
        let by = Producer { epoch: 1, ..by };
        log.append(by, 0, record("d", None), true).unwrap();
        log.end_transaction(by, true);
        assert_eq!(seen(&log, Isolation::Committed), "bd");
    }

    #[test]
    fn compaction_keeps_the_last_value_of_each_key() {
        let (mut log, by) = (Log::default(), Producer { id: 1, epoch: 0 });
        for (i, (key, value)) in
            [("a", Some("1")), ("b", Some("1")), ("a", Some("2")), ("b", None), ("a", Some("3"))]
                .into_iter()
                .enumerate()
        {
            log.append(by, i as u64, record(key, value), false).unwrap();
        }
        let mut kept = log.clone();
        kept.compact(4, false);
        let (records, next) = kept.read(0, 99, Isolation::Uncommitted);
        let offsets: Vec<i64> = records.iter().map(|(offset, _)| *offset).collect();
        assert_eq!((offsets, next), (vec![2, 3, 4], 5));
        log.compact(5, true);
        assert_eq!(seen(&log, Isolation::Uncommitted), "a");
    }
}
