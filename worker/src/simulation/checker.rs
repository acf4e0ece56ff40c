//! What must hold after every step, and at the end.

use super::broker::{Broker, Isolation, Place, Record, Topic};
use super::scenario::{GROUP, INPUT};
use mesh::{Outgoing, Target};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Promise {
    /// Every output is one of the undisturbed run, byte for byte.
    SameBytes,
    /// Without what came again, the outputs of a series are in the order of the undisturbed run.
    SameOrder,
    /// Nobody who reads committed records sees an output twice.
    Once,
    /// A checkpoint is not ahead of the outputs that are acknowledged.
    CheckpointBehindOutputs,
    /// A committed offset is not ahead of the outputs that are acknowledged.
    CommitBehindOutputs,
    /// A committed offset never falls.
    CommitRises,
    /// What was committed before a worker took a partition up is not put out again by it.
    Quiet,
    /// No more is read again than the windows need.
    BoundedReplay,
    /// When the faults stop, everything is processed.
    Liveness,
    /// Nothing panics.
    NoPanic,
}

/// A promise that was broken, and how.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) promise: Promise,
    pub(super) how: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.how)
    }
}

/// The undisturbed outputs of one partition, and what became of them.
#[derive(Debug)]
struct Expected {
    outputs: Vec<(i64, Place, Record)>,
    numbers: HashMap<String, usize>,
    /// Which of them are certain: acknowledged, or part of a committed transaction.
    certain: Vec<bool>,
    /// The first that is not.
    frontier: usize,
    committed: Option<i64>,
}

/// Watches the promises.
#[derive(Debug)]
pub(super) struct Checker {
    partitions: Vec<Expected>,
    isolation: Isolation,
    violation: Option<Violation>,
}

impl Checker {
    /// `outputs` are those of an undisturbed run, by partition; readers see what `isolation` says.
    pub(super) fn new(outputs: Vec<Vec<Outgoing>>, isolation: Isolation) -> Checker {
        let partitions = outputs.into_iter().enumerate();
        let partitions = partitions.map(|(p, outputs)| Expected::new(p as i32, outputs)).collect();
        Checker { partitions, isolation, violation: None }
    }

    pub(super) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Keeps the first violation.
    pub(super) fn violated(&mut self, promise: Promise, how: String) {
        self.violation.get_or_insert(Violation { promise, how });
    }

    /// A record was appended to a topic of ours.
    pub(super) fn appended(&mut self, place: Place, record: &Record) {
        if place.topic == Topic::To(Target::Checkpoints) {
            if self.isolation == Isolation::Uncommitted {
                self.remembered(record);
            }
            return;
        }
        match self.expected(place, record) {
            None => self.violated(Promise::SameBytes, format!("{} was not to come", record.id)),
            Some((_, wanted)) if wanted != record => {
                let how = format!("{} came as\n{record}\nnot as\n{wanted}", record.id);
                self.violated(Promise::SameBytes, how);
            }
            Some(_) => {}
        }
    }

    /// A record is part of a transaction that will be committed.
    pub(super) fn decided(&mut self, place: Place, record: &Record) {
        match place.topic {
            Topic::To(Target::Checkpoints) => self.remembered(record),
            _ => self.acknowledged(place, record),
        }
    }

    /// A worker heard that a record was appended.
    pub(super) fn acknowledged(&mut self, place: Place, record: &Record) {
        let Some((number, _)) = self.expected(place, record) else { return };
        self.partitions[place.partition as usize].acknowledge(number);
    }

    /// An offset was committed for the group.
    pub(super) fn committed(&mut self, partition: i32, offset: i64, end: i64) {
        let expected = &mut self.partitions[partition as usize];
        let before = expected.committed.replace(offset);
        let frontier = expected.frontier_offset().min(end);
        if let Some(before) = before.filter(|&before| before > offset) {
            let how = format!("partition {partition} went from {before} to {offset}");
            self.violated(Promise::CommitRises, how);
        }
        if offset > frontier {
            let how = format!("partition {partition}: {offset}, acknowledged up to {frontier}");
            self.violated(Promise::CommitBehindOutputs, how);
        }
    }

    /// A worker puts a record out that had `committed` of its partition when it took it up.
    pub(super) fn put_out(&mut self, record: &Record, committed: i64) {
        if source_offset(&record.id) < committed {
            let how = format!("{} comes again, {committed} was committed", record.id);
            self.violated(Promise::Quiet, how);
        }
    }

    /// A worker takes a partition up by reading from `from` on; its windows need `needed`.
    pub(super) fn resumed(&mut self, partition: i32, from: i64, needed: i64) {
        if from < needed {
            let how = format!("partition {partition} is read from {from}, needed is {needed}");
            self.violated(Promise::BoundedReplay, how);
        }
    }

    /// The offset that is committed of a partition.
    pub(super) fn committed_offset(&self, partition: i32) -> Option<i64> {
        self.partitions[partition as usize].committed
    }

    /// Everything is processed: compares what readers see with the undisturbed run.
    pub(super) fn finish(&mut self, broker: &Broker) {
        let isolation = self.isolation;
        let places: Vec<Place> = self
            .partitions
            .iter()
            .flat_map(|e| e.outputs.iter().map(|(_, place, _)| *place))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        for place in places {
            let log = broker.log(place);
            let (seen, _) = log.read(log.first(), usize::MAX, isolation);
            let seen: Vec<&Record> = seen.into_iter().map(|(_, record)| &**record).collect();
            if let Err(violation) = self.compare(place, &seen, isolation) {
                self.violation.get_or_insert(violation);
            }
        }
    }

    fn compare(
        &self,
        place: Place,
        seen: &[&Record],
        isolation: Isolation,
    ) -> Result<(), Violation> {
        let expected = &self.partitions[place.partition as usize];
        let mut wanted: BTreeMap<&[u8], Vec<&str>> = BTreeMap::new();
        for (_, _, record) in expected.outputs.iter().filter(|(_, to, _)| *to == place) {
            wanted.entry(series(record)).or_default().push(&record.id);
        }
        let mut ids = BTreeSet::new();
        let mut first: BTreeMap<&[u8], Vec<&str>> = BTreeMap::new();
        for record in seen {
            if ids.insert(&record.id) {
                first.entry(series(record)).or_default().push(&record.id);
            } else if isolation == Isolation::Committed {
                let how = format!("{place:?}: {} is there twice", record.id);
                return Err(Violation { promise: Promise::Once, how });
            }
        }
        if first != wanted {
            let how = format!("{place:?}: {first:?}, wanted {wanted:?}");
            return Err(Violation { promise: Promise::SameOrder, how });
        }
        self.read_with_one_integer(place, seen, &wanted)
    }

    /// A reader that keeps one source offset for each series and scale, and drops what is not
    /// after it, sees every output once.
    fn read_with_one_integer(
        &self,
        place: Place,
        seen: &[&Record],
        wanted: &BTreeMap<&[u8], Vec<&str>>,
    ) -> Result<(), Violation> {
        let mut last = BTreeMap::new();
        let mut taken: BTreeMap<&[u8], Vec<&str>> = BTreeMap::new();
        for record in seen {
            let scale = record.id.rsplit('/').next().unwrap_or_default();
            let newest = last.entry((series(record), scale)).or_insert(-1);
            let offset = source_offset(&record.id);
            if offset > *newest {
                *newest = offset;
                taken.entry(series(record)).or_default().push(&record.id);
            }
        }
        match taken == *wanted {
            true => Ok(()),
            false => {
                let how = format!("{place:?}: with one integer {taken:?}, wanted {wanted:?}");
                Err(Violation { promise: Promise::SameOrder, how })
            }
        }
    }

    /// A record of the checkpoint topic was appended.
    fn remembered(&mut self, record: &Record) {
        let Some((partition, next)) = header(record) else { return };
        let frontier = self.partitions[partition].frontier_offset();
        if next > frontier {
            let how = format!("partition {partition}: {next}, acknowledged up to {frontier}");
            self.violated(Promise::CheckpointBehindOutputs, how);
        }
    }

    fn expected(&self, place: Place, record: &Record) -> Option<(usize, &Record)> {
        let expected = self.partitions.get(place.partition as usize)?;
        let number = *expected.numbers.get(&record.id)?;
        let (_, to, wanted) = &expected.outputs[number];
        (*to == place).then_some((number, wanted))
    }
}

impl Expected {
    fn new(partition: i32, outputs: Vec<Outgoing>) -> Expected {
        let mut outputs: Vec<_> = outputs
            .into_iter()
            .map(|output| {
                let place = Place { topic: Topic::To(output.to), partition };
                (source_offset(&output.id), place, Record::from(&output))
            })
            .collect();
        outputs.sort_by_key(|(offset, ..)| *offset);
        let numbers = outputs.iter().enumerate().map(|(n, (_, _, r))| (r.id.clone(), n)).collect();
        let certain = vec![false; outputs.len()];
        Expected { outputs, numbers, certain, frontier: 0, committed: None }
    }

    fn acknowledge(&mut self, number: usize) {
        self.certain[number] = true;
        while self.certain.get(self.frontier) == Some(&true) {
            self.frontier += 1;
        }
    }

    /// Offset of the first input record whose outputs are not all certain.
    fn frontier_offset(&self) -> i64 {
        self.outputs.get(self.frontier).map_or(i64::MAX, |(offset, _, _)| *offset)
    }
}

/// The partition and the next offset of a header of a checkpoint.
fn header(record: &Record) -> Option<(usize, i64)> {
    #[derive(Deserialize)]
    struct Header {
        next: i64,
    }
    let Header { next } = serde_json::from_slice(record.value.as_deref()?).ok()?;
    let below_topic = record.id.strip_prefix(&format!("{GROUP}/{INPUT}/"))?;
    Some((below_topic.split('@').next()?.parse().ok()?, next))
}

fn series(record: &Record) -> &[u8] {
    record.key.as_deref().unwrap_or_default()
}

/// The offset in an id: `<topic>/<partition>/<offset>/…`, or with a row, `<offset>.<row>`.
fn source_offset(id: &str) -> i64 {
    let offset = id.split('/').nth(2).and_then(|o| o.split('.').next());
    offset.and_then(|o| o.parse().ok()).expect("an id holds the offset of its record")
}
