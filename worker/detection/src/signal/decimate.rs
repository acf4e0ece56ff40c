use std::f64::consts::PI;

use super::FilterError;

/// Keeps every `factor`-th sample of a low-passed series.
///
/// The low-pass is a windowed sinc (Hamming) of `8 · factor + 1` taps whose gain is one
/// half at the new Nyquist frequency. It is symmetric, so it delays all frequencies by the same
/// [`delay`](Decimate::delay) of `4 · factor` samples. The first output comes with the sample of
/// index `span − 1`, the next ones `factor` samples apart.
#[derive(Clone, Debug)]
pub struct Decimate {
    factor: usize,
    channels: usize,
    taps: Vec<f64>,
    /// The last `span` samples, a ring.
    ring: Vec<f32>,
    seen: u64,
    origin: u64,
    output: Vec<f32>,
}

impl Decimate {
    /// The largest factor.
    pub const MAX_FACTOR: usize = 10_000;

    /// Keeps one of `factor` samples of `channels` channels. A factor of 1 keeps all, unfiltered.
    ///
    /// # Errors
    /// When `factor` or `channels` is out of range.
    pub fn new(factor: usize, channels: usize) -> Result<Decimate, FilterError> {
        if channels == 0 {
            return Err(FilterError::Channels);
        }
        if !(1..=Decimate::MAX_FACTOR).contains(&factor) {
            return Err(FilterError::Factor(factor));
        }
        let taps = low_pass(factor);
        Ok(Decimate {
            ring: vec![0.0; taps.len() * channels],
            output: vec![0.0; channels],
            factor,
            channels,
            taps,
            seen: 0,
            origin: 0,
        })
    }

    /// Samples that an output depends on.
    pub fn span(&self) -> u64 {
        self.taps.len() as u64
    }

    /// Samples by which the output lags behind the input.
    pub fn delay(&self) -> u64 {
        self.span() / 2
    }

    /// Index of the newest sample that the output of index `output` depends on.
    pub fn newest_input(&self, output: u64) -> u64 {
        self.span() - 1 + output * self.factor as u64
    }

    /// Index of the oldest sample that the output of index `output` depends on.
    pub fn oldest_input(&self, output: u64) -> u64 {
        output * self.factor as u64
    }

    /// Goes on as if `sample` samples had been seen and forgotten. Gives the index of the first
    /// output that is due from there: `output`, when resumed at `oldest_input(output)`.
    pub fn resume_at(&mut self, sample: u64) -> u64 {
        self.seen = sample;
        self.origin = sample;
        sample.div_ceil(self.factor as u64)
    }

    /// The last samples that an output to come may depend on, sample by sample. A filter that
    /// is resumed so many samples before, and given these, goes on like this one.
    pub fn tail(&self) -> Vec<f32> {
        let length = (self.seen - self.origin).min(self.span() - 1);
        let slots = self.taps.len() as u64;
        let row =
            |index: u64| &self.ring[(index % slots) as usize * self.channels..][..self.channels];
        (self.seen - length..self.seen).flat_map(row).copied().collect()
    }

    /// Takes a finite sample of all channels; gives the filtered one that is due.
    ///
    /// # Panics
    /// When the sample has another number of channels.
    pub fn push(&mut self, sample: &[f32]) -> Option<&[f32]> {
        let slots = self.taps.len();
        let slot = (self.seen % slots as u64) as usize;
        self.ring[slot * self.channels..][..self.channels].copy_from_slice(sample);
        let index = self.seen;
        self.seen += 1;
        let full = self.seen - self.origin >= self.span();
        if !full || !(index + 1 - self.span()).is_multiple_of(self.factor as u64) {
            return None;
        }
        for channel in 0..self.channels {
            let value = |tap: usize| self.ring[(slot + 1 + tap) % slots * self.channels + channel];
            let terms = self.taps.iter().enumerate().map(|(tap, t)| t * f64::from(value(tap)));
            self.output[channel] = terms.sum::<f64>() as f32;
        }
        Some(&self.output)
    }
}

/// The taps, whose sum is 1: a constant stays as it is.
fn low_pass(factor: usize) -> Vec<f64> {
    if factor == 1 {
        return vec![1.0];
    }
    let (half, cutoff) = (4 * factor as i64, 0.5 / factor as f64);
    let tap = |i: i64| {
        let x = i as f64;
        let sinc = if i == 0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * x).sin() / (PI * x) };
        sinc * (0.54 + 0.46 * (PI * x / half as f64).cos())
    };
    let taps: Vec<f64> = (-half..=half).map(tap).collect();
    let total: f64 = taps.iter().sum();
    taps.iter().map(|t| t / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(factor: usize, samples: impl Iterator<Item = f32>) -> Vec<f32> {
        let mut decimate = Decimate::new(factor, 1).unwrap();
        samples.filter_map(|x| decimate.push(&[x]).map(|y| y[0])).collect()
    }

    fn wave(frequency: f64, n: usize) -> impl Iterator<Item = f32> {
        (0..n).map(move |t| (2.0 * PI * frequency * t as f64).sin() as f32)
    }

    #[test]
    fn low_frequencies_pass_late_and_high_ones_do_not() {
        let slow = filtered(3, wave(0.02, 600));
        for (output, y) in slow.iter().enumerate() {
            let at = (24 + 3 * output) as f64 - 12.0;
            assert!((f64::from(*y) - (2.0 * PI * 0.02 * at).sin()).abs() < 0.01);
        }
        assert!(filtered(3, wave(0.3, 600)).iter().all(|y| y.abs() < 0.01));
        assert!(filtered(3, (0..60).map(|_| 7.0)).iter().all(|y| (y - 7.0).abs() < 1e-5));
    }

    #[test]
    fn a_factor_of_one_keeps_every_sample() {
        assert_eq!(filtered(1, wave(0.3, 50)), wave(0.3, 50).collect::<Vec<_>>());
    }

    #[test]
    fn indices_and_resuming_agree_with_the_whole_run() {
        let samples: Vec<f32> = wave(0.013, 400).collect();
        let mut whole = Decimate::new(4, 1).unwrap();
        let due: Vec<(u64, f32)> = (0u64..)
            .zip(&samples)
            .filter_map(|(t, x)| whole.push(&[*x]).map(|y| (t, y[0])))
            .collect();
        for (output, (newest, _)) in (0..).zip(&due) {
            assert_eq!(whole.newest_input(output), *newest);
            assert_eq!(whole.oldest_input(output), *newest + 1 - whole.span());
        }
        for from in 99..104 {
            let mut resumed = Decimate::new(4, 1).unwrap();
            let first = resumed.resume_at(from) as usize;
            let again: Vec<(u64, f32)> = (from..)
                .zip(&samples[from as usize..])
                .filter_map(|(t, x)| resumed.push(&[*x]).map(|y| (t, y[0])))
                .collect();
            assert_eq!(again, due[first..]);
        }
    }

    #[test]
    fn the_tail_is_all_that_is_needed_to_go_on() {
        let samples: Vec<[f32; 2]> = wave(0.013, 300).map(|x| [x, -2.0 * x]).collect();
        for cut in [0, 1, 7, 32, 33, 34, 100, 103] {
            let mut whole = Decimate::new(4, 2).unwrap();
            whole.resume_at(5);
            samples[..cut].iter().for_each(|x| _ = whole.push(x));
            let tail = whole.tail();
            let mut resumed = Decimate::new(4, 2).unwrap();
            resumed.resume_at(5 + (cut - tail.len() / 2) as u64);
            assert!(tail.chunks_exact(2).all(|x| resumed.push(x).is_none()));
            for x in &samples[cut..] {
                assert_eq!(resumed.push(x), whole.push(x));
            }
        }
    }

    #[test]
    fn channels_do_not_mix() {
        let mut both = Decimate::new(3, 2).unwrap();
        let pairs: Vec<Vec<f32>> = wave(0.01, 90)
            .zip(wave(0.03, 90))
            .filter_map(|(x, y)| both.push(&[x, y]).map(<[f32]>::to_vec))
            .collect();
        let second: Vec<f32> = pairs.iter().map(|p| p[1]).collect();
        assert_eq!(second, filtered(3, wave(0.03, 90)));
    }

    #[test]
    fn unusable_sizes_are_errors() {
        assert_eq!(Decimate::new(0, 1).err(), Some(FilterError::Factor(0)));
        assert_eq!(Decimate::new(2, 0).err(), Some(FilterError::Channels));
    }
}
