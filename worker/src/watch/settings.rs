use crate::config::{Auto, Calibration, Radius, Scale};
use detection::{CalibrationError, Search};
use persistence::{Config, ConfigError, Degree, Embedding};
use serde::{Deserialize, Deserializer, Serialize};

/// What a scale is made with, once everything is found out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) window: usize,
    pub(crate) hop: usize,
    pub(crate) delay: usize,
    #[serde(deserialize_with = "number_or_infinity")]
    pub(crate) cap: f32,
}

/// JSON has no infinity: it is written as null.
fn number_or_infinity<'de, D: Deserializer<'de>>(cap: D) -> Result<f32, D::Error> {
    Ok(Option::deserialize(cap)?.unwrap_or(f32::INFINITY))
}

impl Settings {
    /// What the configuration says, when it leaves nothing open.
    pub(crate) fn fixed(scale: &Scale) -> Option<Settings> {
        let cap = scale.max_radius.fixed()?;
        let (Auto::Fixed(window), Auto::Fixed(delay)) = (scale.window, scale.embedding.delay)
        else {
            return None;
        };
        Some(Settings { window, hop: hop(scale, window), delay, cap })
    }

    /// What the configuration says, with unremarkable values for what it leaves open: to check
    /// the rest of it.
    pub(crate) fn example(scale: &Scale) -> Settings {
        let or = |auto: Auto, value: usize| if let Auto::Fixed(n) = auto { n } else { value };
        let window = or(scale.window, 62);
        let cap = match scale.max_radius {
            Radius::Relative(relative) => relative.deviations,
            radius => radius.fixed().unwrap_or(f32::NAN),
        };
        Settings { window, hop: hop(scale, window), delay: or(scale.embedding.delay, 1), cap }
    }

    /// What a stretch of filtered samples, row by row, says.
    pub(crate) fn found(
        scale: &Scale,
        calibration: &Calibration,
        samples: &[f32],
        dimension: usize,
    ) -> Result<Settings, CalibrationError> {
        let all: Vec<usize> = (0..dimension).collect();
        let channels = scale.embedding.channels.as_deref().unwrap_or(&all);
        let rows = samples.chunks_exact(dimension);
        let chosen: Vec<f32> = rows.flat_map(|row| channels.iter().map(|&c| row[c])).collect();
        let mut search =
            Search::new(channels.len(), calibration.min_period..=calibration.longest());
        search.copies = scale.embedding.copies;
        let period = || detection::calibrate(&chosen, &search);
        let (window, delay) = match (scale.window, scale.embedding.delay) {
            (Auto::Fixed(window), Auto::Fixed(delay)) => (window, delay),
            (Auto::Fixed(window), Auto::Auto(_)) => (window, period()?.delay),
            (Auto::Auto(_), Auto::Fixed(delay)) => (period()?.window, delay),
            (Auto::Auto(_), Auto::Auto(_)) => period().map(|found| (found.window, found.delay))?,
        };
        let Radius::Relative(relative) = scale.max_radius else {
            let settings = Settings::example(scale);
            return Ok(Settings { window, hop: hop(scale, window), delay, ..settings });
        };
        let (channels, copies) = (channels.len(), scale.embedding.copies);
        let cap = detection::cap(&chosen, channels, delay, copies, relative.deviations);
        match cap > 0.0 {
            true => Ok(Settings { window, hop: hop(scale, window), delay, cap }),
            false => Err(CalibrationError::Constant),
        }
    }

    /// The engine for samples of `dimension` channels.
    pub(crate) fn scale(
        &self,
        scale: &Scale,
        dimension: usize,
    ) -> Result<persistence::Scale, ConfigError> {
        let Settings { window, hop, delay, cap } = *self;
        let channels = scale.embedding.channels.as_deref();
        let embedding = Embedding::new(scale.embedding.copies, delay, dimension, channels)?;
        let mut config = Config::new(embedding.dimension(), window, cap);
        config.max_degree = if scale.max_degree == 0 { Degree::H0 } else { Degree::H1 };
        persistence::Scale::new(embedding, scale.stride, hop, &config)
    }
}

fn hop(scale: &Scale, window: usize) -> usize {
    scale.hop.unwrap_or_else(|| (window / 8).max(1))
}
