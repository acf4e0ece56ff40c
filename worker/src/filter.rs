use crate::config::Preprocess;
use detection::signal::{Decimate, FilterError, HighPass};

/// The filters before the embedding, one behind the other.
#[derive(Debug)]
pub(crate) struct Filters {
    decimate: Option<Decimate>,
    high_pass: Option<HighPass>,
    /// Samples that have come out, those before a resumption included.
    passed: u64,
    output: Vec<f32>,
}

impl Filters {
    pub(crate) fn new(config: &Preprocess, channels: usize) -> Result<Filters, FilterError> {
        let decimate = config.decimate.map(|factor| Decimate::new(factor, channels));
        let high_pass = config.high_pass.map(|samples| HighPass::new(samples, channels));
        Ok(Filters {
            decimate: decimate.transpose()?,
            high_pass: high_pass.transpose()?,
            passed: 0,
            output: Vec::with_capacity(channels),
        })
    }

    /// Takes a sample of the series; gives the filtered sample that is due, and its index.
    pub(crate) fn push(&mut self, sample: &[f32]) -> Option<(u64, &[f32])> {
        let sample = match &mut self.decimate {
            Some(decimate) => decimate.push(sample)?,
            None => sample,
        };
        let sample = match &mut self.high_pass {
            Some(high_pass) => high_pass.push(sample)?,
            None => sample,
        };
        // The difference of two finite numbers may overflow.
        self.output.clear();
        self.output.extend(sample.iter().map(|x| x.clamp(f32::MIN, f32::MAX)));
        self.passed += 1;
        Some((self.passed - 1, &self.output))
    }

    /// Goes on as if `sample` samples of the series had been seen and forgotten.
    pub(crate) fn resume_at(&mut self, sample: u64) {
        let decimated = self.decimate.as_mut().map_or(sample, |d| d.resume_at(sample));
        self.passed = self.high_pass.as_mut().map_or(decimated, |h| h.resume_at(decimated));
    }

    /// The last inputs of each filter, sample by sample: of the decimation and of the high-pass.
    pub(crate) fn tails(&self) -> [Vec<f32>; 2] {
        let decimate = self.decimate.as_ref().map(Decimate::tail);
        [
            decimate.unwrap_or_default(),
            self.high_pass.as_ref().map(HighPass::tail).unwrap_or_default(),
        ]
    }

    /// Goes on as if `sample` samples of the series had been seen and `passed` had come out, with
    /// the last inputs of each filter.
    pub(crate) fn resume_with(
        &mut self,
        sample: u64,
        passed: u64,
        [raw, decimated]: [&[f32]; 2],
        channels: usize,
    ) {
        if let Some(decimate) = &mut self.decimate {
            decimate.resume_at(sample.saturating_sub((raw.len() / channels) as u64));
            raw.chunks_exact(channels).for_each(|row| _ = decimate.push(row));
        }
        if let Some(high_pass) = &mut self.high_pass {
            // It does not know which sample is which, only how many it has.
            high_pass.resume_at(0);
            decimated.chunks_exact(channels).for_each(|row| _ = high_pass.push(row));
        }
        self.passed = passed;
    }

    /// Index of the next filtered sample.
    pub(crate) fn next(&self) -> u64 {
        self.passed
    }

    /// Index in the series of the oldest sample that a filtered sample depends on.
    pub(crate) fn oldest_input(&self, filtered: u64) -> u64 {
        let decimated = self.high_pass.as_ref().map_or(filtered, |h| h.oldest_input(filtered));
        self.decimate.as_ref().map_or(decimated, |d| d.oldest_input(decimated))
    }

    /// Index in the series of the newest sample that a filtered sample depends on.
    pub(crate) fn newest_input(&self, filtered: u64) -> u64 {
        let decimated = self.high_pass.as_ref().map_or(filtered, |h| h.newest_input(filtered));
        self.decimate.as_ref().map_or(decimated, |d| d.newest_input(decimated))
    }
}
