use crate::config::{Config, Kafka};
use crate::filter::Filters;
use crate::watch::{Memory, Watch};
use mesh::checkpoint::{Remembered, State};
use mesh::dead_letters::Postmark;
use mesh::schema::{Admission, Decoder, Sample, Unusable};
use serde_json::value::RawValue;
use std::collections::VecDeque;
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
    marks: Marks,
    /// Filtered samples that wait to be computed.
    pub(crate) inbox: Vec<Due>,
    /// Whether the state has changed since it was last remembered.
    changed: bool,
    /// Offset of the first record that belongs to it.
    begin: i64,
    /// Offset of the last record of which it took a sample.
    last: Option<i64>,
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

    /// Fingerprint of what the results of a partition that holds `most` series depend on.
    pub(crate) fn settings(&self, most: usize) -> String {
        let Config { series, scales, .. } = &self.config;
        let records = (series.max_record_bytes, self.decoder.meaning());
        let input = (series.dimension, &series.preprocess, most, records);
        let text = serde_json::to_string(&(env!("CARGO_PKG_VERSION"), input, scales));
        fingerprint(text.expect("a configuration has string keys only").as_bytes())
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

/// FNV-1a: stable over versions and machines, unlike the hashes of the standard library.
fn fingerprint(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

impl Series {
    /// A series whose first record has the given offset.
    pub(crate) fn new(blueprint: &Blueprint, offset: i64) -> Series {
        let dimension = blueprint.config.series.dimension;
        Series {
            filters: blueprint.filters(),
            watches: blueprint.scales.iter().map(|s| Watch::new(s, dimension)).collect(),
            seen: 0,
            marks: Marks::default(),
            inbox: Vec::new(),
            changed: true,
            begin: offset,
            last: None,
        }
    }

    /// A series that goes on where it was remembered: with the sample of index `sample` in the
    /// record at `start`.
    ///
    /// # Errors
    /// When the state is not one of these scales.
    pub(crate) fn resume(
        blueprint: &Blueprint,
        start: i64,
        sample: u64,
        state: Option<&RawValue>,
    ) -> Result<Series, serde_json::Error> {
        let memories: Vec<Option<Memory>> = match state {
            Some(state) => serde_json::from_str(state.get())?,
            None => Vec::new(),
        };
        let mut filters = blueprint.filters();
        filters.resume_at(sample);
        let dimension = blueprint.config.series.dimension;
        let mut memories = memories.into_iter();
        let resume =
            |scale| Watch::resume(scale, dimension, memories.next().flatten(), filters.next());
        Ok(Series {
            watches: blueprint.scales.iter().map(resume).collect(),
            filters,
            seen: sample,
            marks: Marks::default(),
            inbox: Vec::new(),
            changed: false,
            begin: start,
            last: None,
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
        if self.last.replace(spot.offset) != Some(spot.offset) {
            self.marks.see(self.seen, spot.offset);
        }
        self.seen += 1;
        self.changed |= !replayed;
        let due = self.filters.push(&sample.values);
        self.inbox.extend(due.map(|(index, values)| Due {
            index,
            values: values.to_vec(),
            spot,
            time: sample.time,
            timestamp,
            replayed,
        }));
    }

    /// Forgets the records that are needed no longer.
    pub(crate) fn trim(&mut self) {
        self.marks.forget_before(self.oldest());
    }

    /// What is to be remembered.
    pub(crate) fn remember(&mut self, series: &str) -> Remembered {
        let (sample, start) =
            self.marks.newest_until(self.oldest()).unwrap_or((self.seen, self.begin));
        let state = match std::mem::take(&mut self.changed) {
            true => self.state(),
            false => State::Unchanged,
        };
        Remembered { series: series.into(), start, sample, state }
    }

    /// Bytes on the heap of each scale.
    pub(crate) fn heap_bytes(&self) -> impl Iterator<Item = usize> + '_ {
        self.watches.iter().map(Watch::heap_bytes)
    }

    fn state(&self) -> State {
        let memories: Vec<Option<Memory>> = self.watches.iter().map(Watch::memory).collect();
        if memories.iter().all(Option::is_none) {
            return State::Absent;
        }
        let state = serde_json::value::to_raw_value(&memories);
        State::Changed(state.expect("a state has string keys only"))
    }

    /// Index of the oldest sample that a window to come needs.
    fn oldest(&self) -> u64 {
        let next = self.filters.next();
        let oldest = self.watches.iter().map(|w| w.oldest(next)).min().unwrap_or(next);
        self.filters.oldest_input(oldest.min(next))
    }
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

    #[test]
    fn a_fingerprint_is_the_same_everywhere() {
        assert_eq!(fingerprint(b"foobar"), "85944171f73967e8");
    }
}
