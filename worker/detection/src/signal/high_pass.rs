use super::FilterError;

/// Subtracts the running median of the last samples: takes out slow wander and jumps of the
/// baseline, and leaves what is shorter than half of the median's length.
///
/// Causal, without delay. The first output comes when the median has all its samples.
#[derive(Clone, Debug)]
pub struct HighPass {
    channels: usize,
    samples: usize,
    /// The last samples, a ring.
    ring: Vec<f32>,
    /// The same samples in order, channel by channel.
    sorted: Vec<Vec<f32>>,
    seen: u64,
    origin: u64,
    output: Vec<f32>,
}

impl HighPass {
    /// The largest number of samples in the median.
    pub const MAX_SAMPLES: usize = 100_000;

    /// Subtracts the median of the last `samples` samples of each of `channels` channels. Of an
    /// even number of samples, the median is the mean of the middle two.
    ///
    /// # Errors
    /// When `samples` or `channels` is out of range.
    pub fn new(samples: usize, channels: usize) -> Result<HighPass, FilterError> {
        if channels == 0 {
            return Err(FilterError::Channels);
        }
        if !(2..=HighPass::MAX_SAMPLES).contains(&samples) {
            return Err(FilterError::Samples(samples));
        }
        Ok(HighPass {
            channels,
            samples,
            ring: Vec::new(),
            sorted: vec![Vec::with_capacity(samples); channels],
            seen: 0,
            origin: 0,
            output: vec![0.0; channels],
        })
    }

    /// Samples that an output depends on.
    pub fn span(&self) -> u64 {
        self.samples as u64
    }

    /// Index of the newest sample that the output of index `output` depends on.
    pub fn newest_input(&self, output: u64) -> u64 {
        self.span() - 1 + output
    }

    /// Index of the oldest sample that the output of index `output` depends on.
    pub fn oldest_input(&self, output: u64) -> u64 {
        output
    }

    /// Goes on as if `sample` samples had been seen and forgotten. Gives the index of the first
    /// output that is due from there.
    pub fn resume_at(&mut self, sample: u64) -> u64 {
        self.seen = sample;
        self.origin = sample;
        self.ring.clear();
        self.sorted.iter_mut().for_each(Vec::clear);
        sample
    }

    /// The last samples that an output to come may depend on, sample by sample. A filter that
    /// is resumed so many samples before, and given these, goes on like this one.
    pub fn tail(&self) -> Vec<f32> {
        let length = (self.seen - self.origin).min(self.span() - 1);
        let row = |index: u64| {
            let slot = (index - self.origin) as usize % self.samples;
            &self.ring[slot * self.channels..][..self.channels]
        };
        (self.seen - length..self.seen).flat_map(row).copied().collect()
    }

    /// Takes a finite sample of all channels; gives it less the medians.
    ///
    /// # Panics
    /// When the sample has another number of channels.
    pub fn push(&mut self, sample: &[f32]) -> Option<&[f32]> {
        assert_eq!(sample.len(), self.channels, "a sample has one value a channel");
        let slot = ((self.seen - self.origin) % self.samples as u64) as usize * self.channels;
        if slot < self.ring.len() {
            for (channel, sorted) in self.sorted.iter_mut().enumerate() {
                remove(sorted, self.ring[slot + channel]);
            }
            self.ring[slot..][..self.channels].copy_from_slice(sample);
        } else {
            self.ring.extend_from_slice(sample);
        }
        for (sorted, &value) in self.sorted.iter_mut().zip(sample) {
            insert(sorted, value);
        }
        self.seen += 1;
        if self.seen - self.origin < self.span() {
            return None;
        }
        for (channel, sorted) in self.sorted.iter().enumerate() {
            self.output[channel] = sample[channel] - median(sorted);
        }
        Some(&self.output)
    }
}

fn insert(sorted: &mut Vec<f32>, value: f32) {
    let at = sorted.partition_point(|x| x.total_cmp(&value).is_lt());
    sorted.insert(at, value);
}

fn remove(sorted: &mut Vec<f32>, value: f32) {
    let at = sorted.partition_point(|x| x.total_cmp(&value).is_lt());
    sorted.remove(at);
}

fn median(sorted: &[f32]) -> f32 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return sorted[middle];
    }
    ((f64::from(sorted[middle - 1]) + f64::from(sorted[middle])) / 2.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_definition(samples: &[f32], length: usize) -> Vec<f32> {
        let windows = samples.windows(length);
        let less_median = |w: &[f32]| {
            let mut sorted = w.to_vec();
            sorted.sort_by(f32::total_cmp);
            w[length - 1] - median(&sorted)
        };
        windows.map(less_median).collect()
    }

    proptest! {
        #[test]
        fn every_channel_loses_its_running_median(
            raw in prop::collection::vec((-8i8..8, -8i8..8), 1..60),
            length in 2usize..12,
            from in 0usize..20,
        ) {
            let first: Vec<f32> = raw.iter().map(|p| f32::from(p.0) * 0.25).collect();
            let second: Vec<f32> = raw.iter().map(|p| f32::from(p.1)).collect();
            let mut high_pass = HighPass::new(length, 2).unwrap();
            let from = from.min(raw.len());
            high_pass.resume_at(1000 + from as u64);
            let mut found = (Vec::new(), Vec::new());
            for (x, y) in first.iter().zip(&second).skip(from) {
                if let Some(out) = high_pass.push(&[*x, *y]) {
                    found.0.push(out[0]);
                    found.1.push(out[1]);
                }
            }
            prop_assert_eq!(found.0, by_definition(&first[from..], length));
            prop_assert_eq!(found.1, by_definition(&second[from..], length));
        }
    }

    #[test]
    fn the_tail_is_all_that_is_needed_to_go_on() {
        let sample = |t: u16| [f32::from(t * 37 % 11), f32::from(t % 7)];
        let samples: Vec<[f32; 2]> = (0..60).map(sample).collect();
        for cut in [0, 1, 4, 5, 6, 23] {
            let mut whole = HighPass::new(5, 2).unwrap();
            whole.resume_at(3);
            samples[..cut].iter().for_each(|x| _ = whole.push(x));
            let tail = whole.tail();
            let mut resumed = HighPass::new(5, 2).unwrap();
            resumed.resume_at(3 + (cut - tail.len() / 2) as u64);
            assert!(tail.chunks_exact(2).all(|x| resumed.push(x).is_none()));
            for x in &samples[cut..] {
                assert_eq!(resumed.push(x), whole.push(x));
            }
        }
    }

    #[test]
    fn a_jump_of_the_baseline_fades() {
        let mut high_pass = HighPass::new(5, 1).unwrap();
        let jump = (0..20).map(|t| if t < 10 { 0.0 } else { 3.0 });
        let outputs: Vec<f32> = jump.filter_map(|x| high_pass.push(&[x]).map(|y| y[0])).collect();
        assert_eq!(outputs[4..10], [0.0, 0.0, 3.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn unusable_sizes_are_errors() {
        assert_eq!(HighPass::new(1, 1).err(), Some(FilterError::Samples(1)));
        assert_eq!(HighPass::new(5, 0).err(), Some(FilterError::Channels));
    }
}
