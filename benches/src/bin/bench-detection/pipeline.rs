use std::time::Duration;

use anyhow::{Context, Result};
use detection::features::Level;
use detection::signal::{Decimate, HighPass};
use detection::{Detector, DetectorConfig, Features, Observation, Radii, Score, Search};
use persistence::{Config, Embedding, Scale};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// How to look at a series.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    /// Samples a second.
    rate: f64,
    /// Keep one of so many samples, filtered.
    #[serde(default = "one")]
    decimate: usize,
    /// Subtract the median of so many kept samples.
    #[serde(default)]
    high_pass: Option<usize>,
    /// Kept samples from which the radius and, without a window, the period are found.
    calibrate: usize,
    /// The periods to look for, in kept samples.
    #[serde(default)]
    periods: Option<(usize, usize)>,
    /// Points in a window; found by the period when absent.
    #[serde(default)]
    window: Option<usize>,
    /// Points between two emissions; an eighth of the window when absent.
    #[serde(default)]
    hop: Option<usize>,
    /// Kept samples between two copies; a twelfth of the window when absent.
    #[serde(default)]
    delay: Option<usize>,
    #[serde(default = "three")]
    copies: usize,
    /// The cap, in standard deviations of the cloud.
    #[serde(default = "two")]
    deviations: f32,
    #[serde(default)]
    detector: DetectorConfig,
}

fn one() -> usize {
    1
}

fn three() -> usize {
    3
}

fn two() -> f32 {
    2.0
}

/// What was chosen for the series.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct View {
    window: usize,
    hop: usize,
    delay: usize,
    cap: f32,
    correlation: Option<f32>,
}

/// The scores of one emission.
#[derive(Serialize)]
pub(crate) struct Row {
    /// The newest sample of the window, counted in the series as it came.
    sample: u64,
    score: Option<Score>,
    alert: bool,
    features: Features,
    /// CPU time.
    engine_us: f64,
    detector_us: f64,
}

/// Filters, embedding, window and detector in a row.
pub(crate) struct Pipeline {
    filters: Filters,
    scale: Scale,
    detector: Detector,
    view: View,
    rate: f64,
}

impl Pipeline {
    pub(crate) fn new(setting: &Setting, samples: &[f32]) -> Result<Pipeline> {
        let stretch = filtered(setting, samples)?;
        let view = view(setting, &stretch[..setting.calibrate.min(stretch.len())])?;
        let embedding = Embedding::new(setting.copies, view.delay, 1, None)?;
        let config = Config::new(setting.copies, view.window, view.cap);
        Ok(Pipeline {
            filters: Filters::new(setting)?,
            scale: Scale::new(embedding, 1, view.hop, &config)?,
            detector: Detector::new(&setting.detector, view.window, view.hop)?,
            view,
            rate: setting.rate,
        })
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn push(&mut self, index: u64, sample: f32) -> Result<Option<Row>> {
        let Some(value) = self.filters.push(sample) else {
            return Ok(None);
        };
        let before = cpu_time();
        let Some(emission) = self.scale.push(&[value])? else {
            return Ok(None);
        };
        let degrees = self.detector.degrees();
        let window = self.scale.window_mut();
        let radii = Radii {
            h0: window.radius_at_degree(degrees.h0),
            h1: window.radius_at_degree(degrees.h1),
        };
        let engine_us = micros(before);
        let before = cpu_time();
        let outcome = self.detector.observe(&Observation {
            end: emission.end,
            time: index as f64 / self.rate * 1000.0,
            diagrams: &emission.diagrams,
            cap: self.view.cap,
            radii,
            level: Level::of(window.points(), 1),
        });
        Ok(Some(Row {
            sample: index,
            score: outcome.score,
            alert: outcome.alert.is_some(),
            features: outcome.features,
            engine_us,
            detector_us: micros(before),
        }))
    }
}

/// Of this thread: neighbours on the machine do not count.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn micros(since: Duration) -> f64 {
    (cpu_time() - since).as_secs_f64() * 1e6
}

fn view(setting: &Setting, stretch: &[f32]) -> Result<View> {
    let found = match (setting.window, setting.periods) {
        (None, Some((first, last))) => {
            let search = Search { copies: setting.copies, ..Search::new(1, first..=last) };
            Some(detection::calibrate(stretch, &search)?)
        }
        _ => None,
    };
    let window = setting.window.or(found.map(|f| f.window));
    let window = window.context("the setting has neither a window nor periods to look for")?;
    let delay = setting.delay.or(found.map(|f| f.delay)).unwrap_or((window / 12).max(1));
    Ok(View {
        window,
        hop: setting.hop.unwrap_or((window / 8).max(1)),
        delay,
        cap: detection::cap(stretch, 1, delay, setting.copies, setting.deviations),
        correlation: found.map(|f| f.correlation),
    })
}

struct Filters {
    decimate: Decimate,
    high_pass: Option<HighPass>,
}

impl Filters {
    fn new(setting: &Setting) -> Result<Filters> {
        let high_pass = setting.high_pass.map(|samples| HighPass::new(samples, 1)).transpose()?;
        Ok(Filters { decimate: Decimate::new(setting.decimate, 1)?, high_pass })
    }

    fn push(&mut self, sample: f32) -> Option<f32> {
        let kept = self.decimate.push(&[sample])?;
        match &mut self.high_pass {
            Some(high_pass) => high_pass.push(kept).map(|value| value[0]),
            None => Some(kept[0]),
        }
    }
}

fn filtered(setting: &Setting, samples: &[f32]) -> Result<Vec<f32>> {
    let mut filters = Filters::new(setting)?;
    Ok(samples.iter().filter_map(|x| filters.push(*x)).collect())
}
