use crate::{Config, ConfigError, Diagrams, Embedding, PointError, Window};

/// The diagrams of one window at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// 0-based index of the newest point in the scale's stream of points.
    pub end: u64,
    /// 0-based index of the newest sample in the series.
    pub sample: u64,
    /// Points in the window.
    pub window: usize,
    /// The diagrams.
    pub diagrams: Diagrams,
}

/// One way to look at a series: an embedding, a subsampling stride, and a window that emits
/// its diagrams when it is full and then after every `hop` points.
#[derive(Debug)]
pub struct Scale {
    embedding: Embedding,
    stride: u64,
    hop: u64,
    window: Window,
    config: Config,
}

impl Scale {
    /// Every `stride`-th point of `embedding` enters a window made by `config` (whose dimension
    /// is that of the embedding); diagrams are emitted when the window is full and
    /// then after every `hop` points.
    ///
    /// # Errors
    /// When a field cannot be used.
    pub fn new(
        embedding: Embedding,
        stride: usize,
        hop: usize,
        config: &Config,
    ) -> Result<Scale, ConfigError> {
        if stride == 0 {
            return Err(ConfigError::Stride);
        }
        if hop == 0 {
            return Err(ConfigError::Hop);
        }
        let config = Config { dimension: embedding.dimension(), ..config.clone() };
        Ok(Scale {
            stride: stride as u64,
            hop: hop as u64,
            window: Window::new(&config)?,
            embedding,
            config,
        })
    }

    /// Takes a sample; gives the window's diagrams when they are due.
    ///
    /// # Errors
    /// When the sample cannot be used; it is then ignored.
    pub fn push(&mut self, sample: &[f32]) -> Result<Option<Emission>, PointError> {
        if !self.admit(sample)? || !self.is_due() {
            return Ok(None);
        }
        Ok(Some(self.emit()))
    }

    /// Takes a sample without computing anything: to rebuild a window from a log. Gives whether
    /// an emission was due.
    ///
    /// # Errors
    /// When the sample cannot be used; it is then ignored.
    pub fn replay(&mut self, sample: &[f32]) -> Result<bool, PointError> {
        Ok(self.admit(sample)? && self.is_due())
    }

    /// Goes on as if `sample` samples had already been seen: the next one pushed has that index.
    /// To rebuild a window from a log, resume at the oldest sample of its [`span`](Scale::span),
    /// and replay from there; every later emission is then what it would have been.
    pub fn resume_at(&mut self, sample: u64) {
        self.embedding.resume_at(sample);
        let complete = sample + self.embedding.reach() as u64;
        self.window.resume_at(self.points_before(complete));
    }

    /// Points made of samples before the sample of index `sample`.
    fn points_before(&self, sample: u64) -> u64 {
        sample.saturating_sub(self.embedding.reach() as u64).div_ceil(self.stride)
    }

    /// Samples from the oldest that a full window depends on to the newest.
    pub fn span(&self) -> u64 {
        let points = (self.config.window as u64 - 1).saturating_mul(self.stride);
        points.saturating_add(self.embedding.reach() as u64 + 1)
    }

    /// The window, as the last sample left it.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The window, to ask it for more than its diagrams.
    pub fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.embedding.heap_bytes() + self.window.heap_bytes()
    }

    /// Whether the sample completed a point that entered the window.
    fn admit(&mut self, sample: &[f32]) -> Result<bool, PointError> {
        let (index, reach) = (self.embedding.seen(), self.embedding.reach() as u64);
        let Some(point) = self.embedding.push(sample)? else {
            return Ok(false);
        };
        let kept = (index - reach).is_multiple_of(self.stride);
        if kept {
            self.window.push(point)?;
        }
        Ok(kept)
    }

    fn is_due(&self) -> bool {
        let (seen, size) = (self.window.seen(), self.config.window as u64);
        // One that was resumed has seen more points than it holds.
        self.window.is_full() && (seen - size).is_multiple_of(self.hop)
    }

    fn emit(&mut self) -> Emission {
        Emission {
            end: self.window.seen() - 1,
            sample: self.embedding.seen() - 1,
            window: self.config.window,
            diagrams: self.window.diagrams(),
        }
    }
}
