//! The series of one partition: records in, outputs out, nothing else.
//!
//! What comes out is a function of the records alone: of their order and content, not of how they
//! were batched, nor of when the partition was given from one worker to another.

mod resume;

pub(crate) use resume::Known;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::replay::{Ages, Log, Rule};
use crate::results::Cause;
use crate::series::{Blueprint, Due, Series, Spot};
use lru::LruCache;
use mesh::checkpoint::{Snapshot, Witness};
use mesh::rarely::Rarely;
use mesh::schema::{Failure, Origin, Output, Rejection, Sample};
use mesh::{Outgoing, Record};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Skipped records are told of once a second for each code; the dead letters and the metrics have
/// all of them.
static SKIPPED: Rarely = Rarely::new(Duration::from_secs(1));

/// The series of one partition.
pub(crate) struct Partition {
    blueprint: Arc<Blueprint>,
    partition: i32,
    /// Partitions of the topic.
    partitions: i32,
    /// Series that are held at most.
    most: usize,
    /// `None` while a series is being computed.
    series: LruCache<Arc<str>, Option<Box<Series>>>,
    /// Offset below which records only rebuild the windows of the checkpoint.
    rebuilt: i64,
    /// Offset from which on results are new: those before were acknowledged.
    live: i64,
    /// Offset of the next record to be read, replayed ones included.
    read: i64,
    /// Offset of the next record whose results are new.
    next: i64,
    /// `next` of the last snapshot.
    remembered: Option<i64>,
    /// The last record that was read.
    last: Option<Witness>,
    ages: Ages,
    rule: Rule,
    /// Offset of the oldest record that the last snapshot needs.
    oldest: Option<i64>,
    /// What the group had committed of another topic that had the same name.
    outdated: Option<i64>,
    /// Offsets of records that a replay reads and whose schema the registry did not know: by now
    /// it may, and they would enter windows that never had them.
    unknown: BTreeSet<i64>,
}

/// What came of records.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The outputs that became due, in order.
    pub(crate) outputs: Vec<Output>,
    /// The dead letters of new records, in order; none when they are not kept.
    pub(crate) dead_letters: Vec<Outgoing>,
    /// New records that were judged, and those of them that gave no points.
    pub(crate) judged: Judged,
    /// The index of the first record that was not taken, because its schema is not known yet; it
    /// and those after it are to be given again.
    pub(crate) waits: Option<usize>,
}

/// What became of new records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) records: u64,
    pub(crate) dead: u64,
    /// The points that the others gave.
    pub(crate) points: u64,
}

/// A series that has samples to compute.
struct Work {
    name: Arc<str>,
    series: Box<Series>,
    /// Still held; else it went cold.
    held: bool,
}

impl Partition {
    /// Records of unknown schemas that are remembered at most.
    const MOST_UNKNOWN: usize = 1000;

    /// A partition of which nothing is known, of a topic with so many `partitions`.
    pub(crate) fn new(blueprint: &Arc<Blueprint>, partition: i32, partitions: i32) -> Partition {
        let Config { series, .. } = &blueprint.config;
        let share = series.max / partitions.max(1) as usize;
        Partition {
            most: share.max(1),
            series: LruCache::unbounded(),
            blueprint: blueprint.clone(),
            partition,
            partitions,
            rebuilt: 0,
            live: 0,
            read: 0,
            next: 0,
            remembered: None,
            last: None,
            ages: Ages::default(),
            rule: Rule::default(),
            oldest: None,
            outdated: None,
            unknown: BTreeSet::new(),
        }
    }

    /// Takes records in the order of their offsets. With a `pool`, series and scales are computed
    /// side by side.
    pub(crate) fn take<'a>(
        &mut self,
        records: &[Record],
        pool: impl Into<Option<&'a ThreadPool>>,
        metrics: &Metrics,
    ) -> Taken {
        let mut work = Vec::new();
        let mut touched = Vec::new();
        let (mut dead_letters, mut judged, mut waits) = (Vec::new(), Judged::default(), None);
        for (index, record) in records.iter().enumerate() {
            // A client that was interrupted may give a record twice.
            if record.offset < self.read {
                continue;
            }
            match self.decode(record) {
                Ok(samples) => {
                    if record.offset >= self.live {
                        judged.points += samples.len() as u64;
                    }
                    for (sample, row) in samples.into_iter().zip(0..) {
                        self.route(record, row, sample, &mut touched, metrics);
                    }
                    self.forget_coldest(&mut work, metrics);
                }
                // What is replayed was told of when it was new.
                Err(Failure::Rejected(_)) if record.offset < self.live => {}
                Err(Failure::Rejected(rejection)) => {
                    judged.dead += 1;
                    if matches!(rejection, Rejection::SchemaUnknown(_)) {
                        self.unknown.insert(record.offset);
                    }
                    dead_letters.extend(self.reject(record, &rejection, metrics));
                }
                Err(Failure::Unavailable(_)) => {
                    waits = Some(index);
                    break;
                }
            }
            judged.records += u64::from(record.offset >= self.live);
            self.read = record.offset + 1;
            self.next = self.next.max(self.read);
        }
        let taken = &records[..waits.unwrap_or(records.len())];
        if let Some(last) = taken.last().filter(|last| last.offset + 1 == self.read) {
            self.last = Some(Witness::of(last));
            self.ages.see(last.offset, last.timestamp.unwrap_or(i64::MIN));
        }
        for name in touched {
            let series = self.series.peek_mut(&name).and_then(Option::take);
            work.extend(series.map(|series| Work { name, series, held: true }));
        }
        let outputs = self.compute(&mut work, pool.into(), metrics);
        for Work { name, mut series, held } in work {
            series.trim();
            if held && let Some(place) = self.series.peek_mut(&name) {
                *place = Some(series);
            }
        }
        metrics.series(self.partition, self.series.len());
        Taken { outputs, dead_letters, judged, waits }
    }

    /// What is to be remembered, if there is anything new, or if records that a restart would need
    /// are about to be deleted.
    pub(crate) fn snapshot(&mut self, log: &Log) -> Option<Snapshot> {
        if self.read < self.next {
            return None;
        }
        let live = self.series.iter().filter_map(|(_, s)| Some(s.as_ref()?.live())).sum();
        let limit = self.rule.limit(self.next, live, log, &self.ages).max(self.unknown_end());
        let is_old = self.remembered.is_some_and(|remembered| self.next <= remembered);
        if is_old && self.oldest.is_none_or(|oldest| oldest >= limit) {
            return None;
        }
        self.remembered = Some(self.next);
        let series = self.series.iter_mut();
        let remember = |(name, s): (&Arc<str>, &mut Option<Box<Series>>)| {
            Some(s.as_mut()?.remember(name, self.next, limit))
        };
        let series: Vec<_> = series.filter_map(remember).collect();
        self.oldest = series.iter().map(|series| series.place.start).min();
        self.unknown = self.unknown.split_off(&self.oldest.unwrap_or(self.next));
        Some(Snapshot {
            settings: self.blueprint.settings(),
            partitions: self.partitions,
            next: self.next,
            last: self.last.clone(),
            outdated: self.outdated.filter(|outdated| *outdated > self.next),
            unknown: self.unknown.iter().copied().collect(),
            series,
        })
    }

    /// Whether a record was rejected since the last snapshot that might not be when it is read
    /// again: what is committed next is to be remembered before.
    pub(crate) fn must_remember(&self) -> bool {
        let newest = self.unknown.last();
        newest.is_some_and(|offset| self.remembered.is_none_or(|next| *offset >= next))
    }

    /// Offset of the oldest record that a restart would read.
    pub(crate) fn oldest(&self) -> Option<i64> {
        self.oldest
    }

    /// Records that are still to be read again before new ones.
    pub(crate) fn behind(&self) -> i64 {
        (self.live - self.read).max(0)
    }

    /// Series held.
    pub(crate) fn series(&self) -> usize {
        self.series.len()
    }

    /// Bytes on the heap, by scale.
    pub(crate) fn heap_bytes(&self) -> Vec<usize> {
        let mut bytes = vec![0; self.blueprint.scales.len()];
        for (_, series) in &self.series {
            let scales = series.iter().flat_map(|s| s.heap_bytes());
            bytes.iter_mut().zip(scales).for_each(|(sum, b)| *sum += b);
        }
        bytes
    }

    /// Offset of the next record.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// The samples of a record; none of one that was rejected before and might not be now.
    fn decode(&self, record: &Record) -> Result<Vec<Sample>, Failure> {
        match self.unknown.contains(&record.offset) {
            true => Ok(Vec::new()),
            false => self.blueprint.decoder.decode_known(&record.incoming()),
        }
    }

    /// Offset before which there are too many records of unknown schemas to remember them: no
    /// replay may reach it.
    fn unknown_end(&self) -> i64 {
        self.unknown.iter().rev().nth(Partition::MOST_UNKNOWN).map_or(0, |offset| offset + 1)
    }

    /// Tells of a bad record; gives its dead letter if such are kept.
    fn reject(
        &self,
        record: &Record,
        rejection: &Rejection,
        metrics: &Metrics,
    ) -> Option<Outgoing> {
        metrics.rejected(rejection.code());
        if let Some(left_out) = SKIPPED.says(rejection.code()) {
            tracing::warn!(
                code = rejection.code(),
                topic = self.blueprint.config.kafka.input,
                partition = self.partition,
                offset = record.offset,
                left_out = (left_out > 0).then_some(left_out),
                "record skipped: {rejection}"
            );
        }
        let postmark = self.blueprint.postmark.as_ref()?;
        Some(postmark.letter(self.partition, record, rejection))
    }

    /// Gives a sample to its series. Only new records make a series warm or cold: of the records
    /// before, those of the series that are remembered are replayed.
    fn route(
        &mut self,
        record: &Record,
        row: u32,
        sample: Sample,
        touched: &mut Vec<Arc<str>>,
        metrics: &Metrics,
    ) {
        let spot = Spot { offset: record.offset, row };
        match record.offset < self.live {
            true => metrics.replayed(),
            false => metrics.point(),
        }
        if record.offset < self.rebuilt {
            let series = self.series.peek_mut(sample.series.as_str()).and_then(Option::as_mut);
            let Some(series) = series.filter(|s| s.owns(record.offset)) else { return };
            if series.inbox.is_empty() {
                touched.push(sample.series.as_str().into());
            }
            return series.take(spot, record.timestamp, &sample, true);
        }
        let name = sample.series.as_str();
        if !self.series.contains(name) {
            let series = Box::new(Series::new(&self.blueprint, record.offset));
            self.series.push(name.into(), Some(series));
        }
        let series = self.series.get_mut(name).and_then(Option::as_mut);
        let series = series.expect("a series is at home between batches");
        if series.inbox.is_empty() {
            touched.push(name.into());
        }
        series.take(spot, record.timestamp, &sample, false);
    }

    /// Makes room, between records only: a series belongs to a record as a whole.
    fn forget_coldest(&mut self, cold: &mut Vec<Work>, metrics: &Metrics) {
        while self.series.len() > self.most {
            let Some((name, Some(series))) = self.series.pop_lru() else { return };
            metrics.cold();
            cold.push(Work { name, series, held: false });
        }
    }

    /// Computes every scale of every series.
    fn compute(
        &self,
        work: &mut [Work],
        pool: Option<&ThreadPool>,
        metrics: &Metrics,
    ) -> Vec<Output> {
        let topic = &self.blueprint.config.kafka.input;
        let mut tasks = Vec::new();
        for Work { name, series, .. } in work.iter_mut() {
            let Series { watches, filters, inbox, .. } = &mut **series;
            let (inbox, filters) = (&*inbox, &*filters);
            for (index, watch) in watches.iter_mut().enumerate() {
                tasks.push((index, &**name, watch, inbox, filters));
            }
        }
        let run = |(index, series, watch, inbox, filters): (usize, &str, &mut _, &Vec<Due>, &_)| {
            let scale = &self.blueprint.scales[index].name;
            let (partition, live) = (self.partition, self.live);
            let cloud_events = self.blueprint.config.kafka.outputs.cloud_events;
            let source = Source { topic, partition, live, series, scale, cloud_events };
            let outputs = source.run(watch, inbox, filters, metrics);
            outputs.into_iter().map(|(spot, output)| (spot, index, output)).collect::<Vec<_>>()
        };
        let mut outputs: Vec<_> = match pool.filter(|_| tasks.len() > 1) {
            None => tasks.into_iter().flat_map(run).collect(),
            Some(pool) => pool.install(|| tasks.into_par_iter().flat_map_iter(run).collect()),
        };
        work.iter_mut().for_each(|w| w.series.inbox.clear());
        outputs.sort_by_key(|(spot, index, _)| (*spot, *index));
        outputs.into_iter().map(|(_, _, output)| output).collect()
    }
}

/// Whose samples are computed.
struct Source<'a> {
    topic: &'a str,
    partition: i32,
    /// Offset from which on results are new.
    live: i64,
    series: &'a str,
    scale: &'a str,
    cloud_events: bool,
}

impl Source<'_> {
    fn run(
        &self,
        watch: &mut crate::watch::Watch,
        inbox: &[Due],
        filters: &crate::filter::Filters,
        metrics: &Metrics,
    ) -> Vec<(Spot, Output)> {
        let mut outputs = Vec::new();
        for due in inbox {
            let step = match due.replayed {
                true => watch.replay(due.index, &due.values).map(|()| Default::default()),
                false => watch.push(due.index, &due.values, due.time, filters),
            };
            let step = step.expect("an admitted sample is finite and has all its channels");
            if let Some(error) = step.uncalibrated {
                tracing::warn!(series = self.series, scale = self.scale, "not calibrated: {error}");
            }
            if let Some(engine) = step.engine {
                metrics.emission(self.scale, engine);
            }
            let found = step.found.into_iter().filter(|_| due.spot.offset >= self.live);
            let outputs_of = |found: crate::results::Found| found.outputs(&self.cause(due));
            outputs.extend(found.flat_map(outputs_of).map(|output| (due.spot, output)));
        }
        outputs
    }

    fn cause(&self, due: &Due) -> Cause<'_> {
        let (topic, partition) = (self.topic.to_owned(), self.partition);
        let Spot { offset, row } = due.spot;
        Cause {
            origin: Origin { topic, partition, offset, row: (row > 0).then_some(row) },
            series: self.series,
            scale: self.scale,
            time: due.time,
            timestamp: due.timestamp,
            cloud_events: self.cloud_events,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
