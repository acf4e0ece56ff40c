use crate::error::check_point;
use crate::{Config, ConfigError, PointError};

/// Turns a series of samples into points of delay coordinates (Takens, 1981).
///
/// With copies `M` and delay `T`, the sample of time `t` becomes the point
/// `(x[t], x[t−T], …, x[t−(M−1)T])`, as soon as the oldest of them has been seen. With several
/// channels each entry stands for all of them: first every channel at `t`, then every channel at
/// `t−T`, and so on.
#[derive(Clone, Debug)]
pub struct Embedding {
    copies: usize,
    delay: usize,
    channels: Vec<usize>,
    sample_dimension: usize,
    /// The chosen channels of the last `reach + 1` samples, a ring.
    ring: Vec<f32>,
    seen: u64,
    /// The index of the first sample that was pushed here.
    origin: u64,
    point: Vec<f32>,
}

impl Embedding {
    /// `copies` copies, `delay` samples apart, of the given channels of samples with
    /// `sample_dimension` channels; `None` takes all channels in their order.
    ///
    /// # Errors
    /// When `copies` or `delay` is zero, a channel does not exist, or points or samples have too
    /// many coordinates.
    pub fn new(
        copies: usize,
        delay: usize,
        sample_dimension: usize,
        channels: Option<&[usize]>,
    ) -> Result<Embedding, ConfigError> {
        if sample_dimension == 0 {
            return Err(ConfigError::Dimension);
        }
        if sample_dimension > Config::MAX_DIMENSION {
            return Err(ConfigError::TooManyDimensions(sample_dimension));
        }
        let all: Vec<usize> = (0..sample_dimension).collect();
        let channels = channels.unwrap_or(&all);
        if copies == 0 {
            return Err(ConfigError::Embedding);
        }
        if delay == 0 {
            return Err(ConfigError::Delay);
        }
        if channels.is_empty() {
            return Err(ConfigError::NoChannels);
        }
        if let Some(&channel) = channels.iter().find(|&&c| c >= sample_dimension) {
            return Err(ConfigError::Channel { channel, channels: sample_dimension });
        }
        let dimension = copies.saturating_mul(channels.len());
        if dimension > Config::MAX_DIMENSION {
            return Err(ConfigError::TooManyDimensions(dimension));
        }
        let reach = (copies - 1).checked_mul(delay).filter(|&r| r <= Config::MAX_WINDOW);
        let Some(reach) = reach else {
            return Err(ConfigError::Reach { delay, copies });
        };
        Ok(Embedding {
            copies,
            delay,
            channels: channels.to_vec(),
            sample_dimension,
            ring: vec![0.0; (reach + 1) * channels.len()],
            seen: 0,
            origin: 0,
            point: Vec::with_capacity(copies * channels.len()),
        })
    }

    /// Samples taken as they are: one copy of all channels.
    ///
    /// # Errors
    /// When `sample_dimension` is zero.
    pub fn identity(sample_dimension: usize) -> Result<Embedding, ConfigError> {
        Embedding::new(1, 1, sample_dimension, None)
    }

    /// Coordinates in a point.
    pub fn dimension(&self) -> usize {
        self.copies * self.channels.len()
    }

    /// Samples between the oldest and the newest one in a point.
    pub fn reach(&self) -> usize {
        (self.copies - 1) * self.delay
    }

    /// Goes on as if `sample` samples had been seen and forgotten.
    pub fn resume_at(&mut self, sample: u64) {
        self.seen = sample;
        self.origin = sample;
    }

    /// Samples accepted so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        size_of::<f32>() * (self.ring.capacity() + self.point.capacity())
            + size_of::<usize>() * self.channels.capacity()
    }

    /// Takes a sample; gives the point whose newest sample it is, or `None` while the series is
    /// shorter than the embedding.
    ///
    /// # Errors
    /// When the sample has another number of channels or is not finite; it is then ignored.
    pub fn push(&mut self, sample: &[f32]) -> Result<Option<&[f32]>, PointError> {
        check_point(sample, self.sample_dimension, self.seen)?;
        let width = self.channels.len();
        let slots = self.ring.len() / width;
        let newest = (self.seen % slots as u64) as usize;
        for (entry, &channel) in self.ring[newest * width..][..width].iter_mut().zip(&self.channels)
        {
            *entry = sample[channel];
        }
        self.seen += 1;
        if self.seen - self.origin < slots as u64 {
            return Ok(None);
        }
        self.point.clear();
        for copy in 0..self.copies {
            let slot = (newest + slots - copy * self.delay) % slots;
            self.point.extend_from_slice(&self.ring[slot * width..][..width]);
        }
        Ok(Some(&self.point))
    }
}
