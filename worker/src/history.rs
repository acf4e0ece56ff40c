//! The last filtered samples of a series, so that its windows can be stored.

use std::collections::VecDeque;

/// Consecutive filtered samples, the newest of them the last of the series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct History {
    channels: usize,
    /// Index of the oldest sample.
    first: u64,
    values: VecDeque<f32>,
}

impl History {
    /// No samples, of which the next has this index.
    pub(crate) fn new(channels: usize, next: u64) -> History {
        History { channels, first: next, values: VecDeque::new() }
    }

    /// These samples, of which the first has this index.
    pub(crate) fn of(channels: usize, first: u64, values: Vec<f32>) -> History {
        History { channels, first, values: values.into() }
    }

    /// Channels in a sample.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Index of the oldest sample.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Index of the next sample.
    pub(crate) fn next(&self) -> u64 {
        self.first + (self.values.len() / self.channels) as u64
    }

    pub(crate) fn push(&mut self, sample: &[f32]) {
        self.values.extend(sample);
    }

    /// Forgets the samples before one.
    pub(crate) fn forget_before(&mut self, sample: u64) {
        let sample = sample.clamp(self.first, self.next());
        self.values.drain(..(sample - self.first) as usize * self.channels);
        self.first = sample;
    }

    /// The values, sample by sample.
    pub(crate) fn values(&self) -> impl Iterator<Item = f32> + '_ {
        self.values.iter().copied()
    }

    /// The samples and their indices.
    pub(crate) fn rows(&mut self) -> impl Iterator<Item = (u64, &[f32])> {
        let values: &[f32] = self.values.make_contiguous();
        (self.first..).zip(values.chunks_exact(self.channels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_last_samples_under_their_indices() {
        let mut history = History::new(2, 10);
        for t in 10..15 {
            history.push(&[t as f32, -(t as f32)]);
        }
        assert_eq!((history.first(), history.next()), (10, 15));
        history.forget_before(13);
        let rows: Vec<_> = history.rows().map(|(index, row)| (index, row.to_vec())).collect();
        assert_eq!(rows, [(13, vec![13.0, -13.0]), (14, vec![14.0, -14.0])]);
        history.forget_before(5);
        assert_eq!(history.first(), 13);
        history.forget_before(99);
        assert_eq!((history.first(), history.next()), (15, 15));
        assert_eq!(History::of(2, 13, vec![1.0; 4]).next(), 15);
    }
}
