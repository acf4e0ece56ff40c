use crate::config::{Config, Kafka};
use crate::filter::Filters;
use crate::history::History;
use crate::points::Points;
use crate::settings::Fit;
use crate::watch::{Memory, Watch};
use mesh::checkpoint::{Part, Place, Remembered, SavedSeries};
use mesh::dead_letters::Postmark;
use mesh::schema::{Admission, Decoder, Sample, Unusable};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What every series of a worker is made with.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) config: Config,
    pub(crate) scales: Vec<Arc<crate::config::Scale>>,
    pub(crate) decoder: Arc<Decoder>,
    /// What dead letters are made with, if they are kept.
    pub(crate) postmark: Option<Postmark>,
}

/// One series: its filters and its scales.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) filters: Filters,
    pub(crate) watches: Vec<Watch>,
    /// Samples taken.
    seen: u64,
    /// The filtered samples that a window to come needs.
    history: History,
    marks: Marks,
    /// Where the points in the last checkpoint end, if there are any.
    stored: Option<(u64, i64)>,
    /// The place of its last sample.
    last: (i64, u32),
    /// Filtered samples that wait to be computed.
    pub(crate) inbox: Vec<Due>,
    /// Whether the state has changed since it was last remembered.
    changed: bool,
    /// Offset of the first record that belongs to it.
    begin: i64,
    /// Offset of the last record of which it took a sample since it is here.
    marked: Option<i64>,
}

/// A sample's place in its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    /// Offset of the record.
    pub(crate) offset: i64,
    /// Which sample of the record, counted from 0.
    pub(crate) row: u32,
}

/// A filtered sample and the record with which it became due.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) index: u64,
    pub(crate) values: Vec<f32>,
    pub(crate) spot: Spot,
    pub(crate) time: f64,
    pub(crate) timestamp: Option<i64>,
    /// Its results were acknowledged before.
    pub(crate) replayed: bool,
}

/// The offsets of some samples of a series, so that the record of a sample, or of one a little
/// before it, can be found again. Only the first sample of the series in a record is marked, so
/// that a replay from there reads the record as a whole.
#[derive(Debug)]
struct Marks {
    /// Sample and offset.
    marks: VecDeque<(u64, i64)>,
    /// Of so many samples, at most one is marked.
    step: u64,
}

impl Blueprint {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// When there is no decoder for its input.
    pub(crate) fn new(config: Config) -> Result<Blueprint, Unusable> {
        let (dimension, max_bytes) = (config.series.dimension, config.series.max_record_bytes);
        let decoder = Decoder::new(&config.input, Admission { dimension, max_bytes })?;
        let scales = config.scales.iter().cloned().map(Arc::new).collect();
        let postmark = postmark(&config.kafka);
        Ok(Blueprint { config, scales, decoder: Arc::new(decoder), postmark })
    }

    fn filters(&self) -> Filters {
        let series = &self.config.series;
        Filters::new(&series.preprocess, series.dimension).expect("the configuration was checked")
    }
}

fn postmark(kafka: &Kafka) -> Option<Postmark> {
    kafka.dead_letters()?;
    Some(Postmark {
        topic: kafka.input.clone(),
        pipeline: kafka.group.clone(),
        dialects: kafka.dead_letters.headers.clone(),
    })
}

impl Series {
    /// A series whose first record has the given offset.
    pub(crate) fn new(blueprint: &Blueprint, offset: i64) -> Series {
        let dimension = blueprint.config.series.dimension;
        Series {
            filters: blueprint.filters(),
            watches: blueprint.scales.iter().map(|s| Watch::new(s, dimension)).collect(),
            seen: 0,
            history: History::new(dimension, 0),
            marks: Marks::default(),
            stored: None,
            last: (offset, 0),
            inbox: Vec::new(),
            changed: true,
            begin: offset,
            marked: None,
        }
    }

    /// A series that goes on where it was remembered. Scales whose settings have changed keep
    /// nothing but what their windows can be rebuilt from.
    ///
    /// # Errors
    /// When the state is not one of these scales, or the points are not those of a series.
    pub(crate) fn resume(
        blueprint: &Blueprint,
        known: &SavedSeries,
        fit: &Fit,
    ) -> Result<Series, String> {
        let Place { start, sample, seen } = known.place;
        let dimension = blueprint.config.series.dimension;
        let mut memories = memories(known.state.as_deref(), fit).map_err(|e| e.to_string())?;
        let mut filters = blueprint.filters();
        let mut history = match &known.points {
            None => {
                filters.resume_at(sample);
                History::new(dimension, filters.next())
            }
            Some(bytes) => {
                let points = Points::from_bytes(dimension, bytes);
                let points = points.ok_or("its points cannot be read")?;
                points.resume(&mut filters, sample, dimension);
                points.filtered
            }
        };
        let resume = |scale: &Arc<crate::config::Scale>| {
            let mut watch =
                Watch::resume(scale, dimension, memories.remove(&scale.name), history.first());
            for (index, row) in history.rows() {
                watch.replay(index, row).map_err(|error| error.to_string())?;
            }
            Ok(watch)
        };
        Ok(Series {
            watches: blueprint.scales.iter().map(resume).collect::<Result<_, String>>()?,
            filters,
            seen: sample,
            history,
            marks: Marks::default(),
            stored: known.points.as_ref().map(|_| (sample, start)),
            last: seen,
            inbox: Vec::new(),
            changed: fit.changed,
            begin: start,
            marked: None,
        })
    }

    /// Whether a record belongs to what is remembered of the series.
    pub(crate) fn owns(&self, offset: i64) -> bool {
        offset >= self.begin
    }

    /// Takes a sample of a record, up to the point where it has to be computed with.
    pub(crate) fn take(
        &mut self,
        spot: Spot,
        timestamp: Option<i64>,
        sample: &Sample,
        replayed: bool,
    ) {
        if self.marked.replace(spot.offset) != Some(spot.offset) {
            self.marks.see(self.seen, spot.offset);
        }
        self.last = (spot.offset, spot.row);
        self.seen += 1;
        self.changed |= !replayed;
        let Some((index, values)) = self.filters.push(&sample.values) else { return };
        self.history.push(values);
        let (values, time) = (values.to_vec(), sample.time);
        self.inbox.push(Due { index, values, spot, time, timestamp, replayed });
    }

    /// Forgets the records and samples that are needed no longer.
    pub(crate) fn trim(&mut self) {
        let filtered = self.oldest_filtered();
        self.history.forget_before(filtered);
        self.marks.forget_before(self.filters.oldest_input(filtered));
    }

    /// Samples that would have to be replayed to rebuild it.
    pub(crate) fn live(&self) -> u64 {
        self.seen.saturating_sub(self.filters.oldest_input(self.oldest_filtered()))
    }

    /// What is to be remembered as of `next`, so that it can be resumed from records at `limit`
    /// and later.
    pub(crate) fn remember(&mut self, series: &str, next: i64, limit: i64) -> Remembered {
        let state = match std::mem::take(&mut self.changed) {
            true => self.state(),
            false => Part::Unchanged,
        };
        let (sample, start) = self.begins();
        if start >= limit {
            let points = if self.stored.is_some() { Part::Unchanged } else { Part::Absent };
            let place = Place { start, sample, seen: self.last };
            return Remembered { series: series.into(), place, state, points };
        }
        let rests = self.stored.is_some() && sample == self.seen;
        self.stored = Some((self.seen, next));
        let points = if rests { Part::Unchanged } else { Part::Changed(self.points()) };
        let place = Place { start: next, sample: self.seen, seen: self.last };
        Remembered { series: series.into(), place, state, points }
    }

    /// The sample, and the offset of its record or of an earlier one, with which a replay has to
    /// begin: behind the stored points, unless the log alone is enough. A window that was widened
    /// reaches back further than what was kept: then with the oldest sample that was.
    fn begins(&mut self) -> (u64, i64) {
        let logged = self.marks.newest_until(self.filters.oldest_input(self.oldest_filtered()));
        let is_enough = |(_, end): &(u64, i64)| logged.is_some_and(|(_, start)| start >= *end);
        self.stored = self.stored.filter(|stored| !is_enough(stored));
        self.stored.or(logged).or(self.marks.oldest()).unwrap_or((self.seen, self.begin))
    }

    /// All that a sample to come is computed with.
    fn points(&self) -> Vec<u8> {
        let [raw, decimated] = self.filters.tails();
        let points = Points { raw, decimated, filtered: self.history.clone() };
        points.to_bytes(self.history.channels())
    }

    /// Bytes on the heap of each scale.
    pub(crate) fn heap_bytes(&self) -> impl Iterator<Item = usize> + '_ {
        self.watches.iter().map(Watch::heap_bytes)
    }

    fn state(&self) -> Part<Box<RawValue>> {
        let memories = self.watches.iter().filter_map(|w| Some((w.name(), w.memory()?)));
        let memories: BTreeMap<&str, Memory> = memories.collect();
        if memories.is_empty() {
            return Part::Absent;
        }
        let state = serde_json::value::to_raw_value(&memories);
        Part::Changed(state.expect("a state has string keys only"))
    }

    /// Index of the oldest filtered sample that a window to come needs.
    fn oldest_filtered(&self) -> u64 {
        let next = self.filters.next();
        let oldest = self.watches.iter().map(|w| w.oldest(next)).min();
        oldest.map_or(next, |oldest| oldest.min(next))
    }
}

/// What the scales remember whose settings are the same.
fn memories(
    state: Option<&RawValue>,
    fit: &Fit,
) -> Result<BTreeMap<String, Memory>, serde_json::Error> {
    let Some(state) = state.filter(|_| !fit.scales.is_empty()) else { return Ok(BTreeMap::new()) };
    let all: BTreeMap<String, Box<RawValue>> = serde_json::from_str(state.get())?;
    let same = all.into_iter().filter(|(name, _)| fit.scales.contains(name));
    same.map(|(name, memory)| Ok((name, serde_json::from_str(memory.get())?))).collect()
}

impl Marks {
    /// Marks kept at most.
    const MOST: usize = 128;

    fn see(&mut self, sample: u64, offset: i64) {
        let stretch = |sample: u64| sample / self.step;
        if self.marks.back().is_none_or(|(last, _)| stretch(*last) < stretch(sample)) {
            self.marks.push_back((sample, offset));
        }
        while self.marks.len() > Marks::MOST {
            self.thin_out();
        }
    }

    /// Keeps the first mark of every stretch that is twice as long as before.
    fn thin_out(&mut self) {
        self.step *= 2;
        let (step, mut last) = (self.step, None);
        self.marks.retain(|(sample, _)| last.replace(sample / step) != Some(sample / step));
    }

    /// The newest mark at or before a sample.
    fn newest_until(&self, sample: u64) -> Option<(u64, i64)> {
        self.marks.iter().rev().find(|(s, _)| *s <= sample).copied()
    }

    fn oldest(&self) -> Option<(u64, i64)> {
        self.marks.front().copied()
    }

    /// Keeps only the marks from the newest at or before `sample` on.
    fn forget_before(&mut self, sample: u64) {
        while self.marks.get(1).is_some_and(|(s, _)| *s <= sample) {
            self.marks.pop_front();
        }
    }
}

impl Default for Marks {
    fn default() -> Marks {
        Marks { marks: VecDeque::new(), step: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_a_little_before_any_sample_that_is_needed() {
        let mut marks = Marks::default();
        for sample in 0..100_000u64 {
            marks.see(sample, 3 * sample as i64);
            let needed = sample.saturating_sub(10_000);
            marks.forget_before(needed);
            let (found, offset) = marks.newest_until(needed).unwrap();
            assert!(found <= needed && needed - found <= 256, "{needed} {found}");
            assert_eq!(offset, 3 * found as i64);
            assert!(marks.marks.len() <= Marks::MOST);
        }
    }

    #[test]
    fn records_of_many_samples_are_marked_though_few_of_them_begin_at_round_numbers() {
        let mut marks = Marks::default();
        for record in 0..10_000u64 {
            let sample = 37 * record;
            marks.see(sample, record as i64);
            let needed = (sample + 36).saturating_sub(20_000);
            marks.forget_before(needed);
            let (found, offset) = marks.newest_until(needed).unwrap();
            assert!(found <= needed && needed - found <= 512 + 37, "{needed} {found}");
            assert_eq!(found, 37 * offset as u64);
            assert!(marks.marks.len() <= Marks::MOST);
        }
    }
}
