//! One scale of one series: found out about, followed, judged.

mod settings;

pub(crate) use settings::Settings;

use crate::config;
use crate::filter::Filters;
use crate::results::Found;
use detection::features::Level;
use detection::{Alert, Detector, Loop, LoopPoint, Observation, Radii};
use persistence::{Config, Emission, PointError, batch};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One scale of one series.
#[derive(Debug)]
pub(crate) struct Watch {
    config: Arc<config::Scale>,
    dimension: usize,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Collecting the stretch that begins with the filtered sample `from`.
    Calibrating {
        from: u64,
        samples: Vec<f32>,
    },
    Following(Box<Following>),
}

#[derive(Debug)]
struct Following {
    settings: Settings,
    /// The filtered sample with which its windows begin.
    from: u64,
    scale: persistence::Scale,
    detector: Option<Detector>,
    /// Channels that enter a point.
    channels: usize,
    stride: u64,
    /// Samples between the oldest and the newest in a point.
    reach: u64,
}

/// The part of a watch that is not a function of the last samples.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Memory {
    /// The filtered sample with which the calibration stretch begins.
    Calibrating(u64),
    /// What was found out, if anything had to be, the detector, and the filtered sample with which
    /// the windows begin: that of the stretch in which it was found out.
    Following(
        Option<Settings>,
        Option<Box<Detector>>,
        #[serde(default, skip_serializing_if = "is_first")] u64,
    ),
}

/// Left out, so that a memory with it can be read by versions that did not know it.
fn is_first(from: &u64) -> bool {
    *from == 0
}

/// What became of a sample.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) found: Option<Found>,
    /// How long the engine took for the emission.
    pub(crate) engine: Option<Duration>,
    /// The calibration stretch was of no use.
    pub(crate) uncalibrated: Option<detection::CalibrationError>,
}

impl Watch {
    /// A watch that has seen nothing, for filtered samples of `dimension` channels.
    pub(crate) fn new(config: &Arc<config::Scale>, dimension: usize) -> Watch {
        let stage = match Settings::fixed(config) {
            Some(settings) => Stage::Following(Box::new(follow(config, settings, dimension, 0))),
            None => Stage::Calibrating { from: 0, samples: Vec::new() },
        };
        Watch { config: config.clone(), dimension, stage }
    }

    /// A watch that goes on at the filtered sample `next`, with what was remembered. One that
    /// has to find something out and remembers nothing begins with that sample.
    pub(crate) fn resume(
        config: &Arc<config::Scale>,
        dimension: usize,
        memory: Option<Memory>,
        next: u64,
    ) -> Watch {
        let mut watch = Watch::new(config, dimension);
        match memory {
            None => {
                if let Stage::Calibrating { from, .. } = &mut watch.stage {
                    *from = next;
                }
            }
            Some(Memory::Calibrating(from)) => {
                watch.stage = Stage::Calibrating { from, samples: Vec::new() };
            }
            Some(Memory::Following(found, detector, from)) => {
                let settings = found.or_else(|| Settings::fixed(config));
                let settings = settings.expect("what is not fixed was found out");
                let mut following = follow(config, settings, dimension, from);
                following.detector = detector.map(|d| *d);
                watch.stage = Stage::Following(Box::new(following));
            }
        }
        if let Stage::Following(following) = &mut watch.stage {
            following.scale.resume_at(next.max(following.from));
        }
        watch
    }

    /// Takes a filtered sample.
    pub(crate) fn push(
        &mut self,
        index: u64,
        sample: &[f32],
        time: f64,
        filters: &Filters,
    ) -> Result<Step, PointError> {
        match &mut self.stage {
            Stage::Calibrating { .. } => self.calibrate(index, sample),
            Stage::Following(following) => following.push(sample, time, filters),
        }
    }

    /// Takes a filtered sample whose results were acknowledged before.
    pub(crate) fn replay(&mut self, index: u64, sample: &[f32]) -> Result<(), PointError> {
        match &mut self.stage {
            Stage::Calibrating { from, samples } if index >= *from => {
                samples.extend_from_slice(sample);
            }
            Stage::Calibrating { .. } => {}
            Stage::Following(following) if index >= following.from => {
                following.scale.replay(sample)?;
            }
            Stage::Following(_) => {}
        }
        Ok(())
    }

    /// The oldest filtered sample that is still needed, when `next` comes next.
    pub(crate) fn oldest(&self, next: u64) -> u64 {
        match &self.stage {
            Stage::Calibrating { from, .. } => *from,
            Stage::Following(following) => {
                next.saturating_sub(following.scale.span()).max(following.from)
            }
        }
    }

    /// The part that is not a function of the samples from the oldest on.
    pub(crate) fn memory(&self) -> Option<Memory> {
        match &self.stage {
            Stage::Calibrating { from, .. } => Some(Memory::Calibrating(*from)),
            Stage::Following(following) => {
                let found = self.config.is_calibrated().then_some(following.settings);
                let detector = following.detector.clone().map(Box::new);
                let remembers = found.is_some() || detector.is_some();
                remembers.then_some(Memory::Following(found, detector, following.from))
            }
        }
    }

    /// The name of its scale.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// Bytes on the heap, but for the detector.
    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.stage {
            Stage::Calibrating { samples, .. } => samples.capacity() * size_of::<f32>(),
            Stage::Following(following) => following.scale.heap_bytes(),
        }
    }

    /// Adds to the stretch; at its end, begins to follow, or begins another stretch.
    fn calibrate(&mut self, index: u64, sample: &[f32]) -> Result<Step, PointError> {
        let Stage::Calibrating { from, samples } = &mut self.stage else {
            return Ok(Step::default());
        };
        samples.extend_from_slice(sample);
        let calibration = self.config.calibration.expect("a checked configuration says how");
        if samples.len() < calibration.samples * self.dimension {
            return Ok(Step::default());
        }
        match Settings::found(&self.config, &calibration, samples, self.dimension) {
            Ok(settings) => {
                let mut following = follow(&self.config, settings, self.dimension, *from);
                following.scale.resume_at(*from);
                for row in samples.chunks_exact(self.dimension) {
                    following.scale.replay(row)?;
                }
                self.stage = Stage::Following(Box::new(following));
                Ok(Step::default())
            }
            Err(error) => {
                self.stage = Stage::Calibrating { from: index + 1, samples: Vec::new() };
                Ok(Step { uncalibrated: Some(error), ..Step::default() })
            }
        }
    }
}

impl Following {
    fn push(&mut self, sample: &[f32], time: f64, filters: &Filters) -> Result<Step, PointError> {
        let began = Instant::now();
        let Some(emission) = self.scale.push(sample)? else { return Ok(Step::default()) };
        let engine = Some(began.elapsed());
        let outcome = self.judge(&emission, time, filters);
        Ok(Step { found: Some(Found { emission, outcome }), engine, uncalibrated: None })
    }

    fn judge(
        &mut self,
        emission: &Emission,
        time: f64,
        filters: &Filters,
    ) -> Option<detection::Outcome> {
        let detector = self.detector.as_mut()?;
        let degrees = detector.degrees();
        let window = self.scale.window_mut();
        let radii = Radii {
            h0: window.radius_at_degree(degrees.h0),
            h1: window.radius_at_degree(degrees.h1),
        };
        let mut outcome = detector.observe(&Observation {
            end: emission.end,
            time,
            diagrams: &emission.diagrams,
            cap: self.settings.cap,
            radii,
            level: Level::of(self.scale.window().points(), self.channels),
        });
        if let Some(alert) = &mut outcome.alert {
            self.explain(alert, filters);
        }
        Some(outcome)
    }

    /// Fills in the loop responsible.
    fn explain(&self, alert: &mut Alert, filters: &Filters) {
        let window = self.scale.window();
        let points: Vec<f32> = window.points().flatten().copied().collect();
        let config = Config::new(window.config().dimension, window.len(), self.settings.cap);
        let longest = batch::longest_loop(&points, &config);
        let longest = longest.expect("points in a window are finite and few enough");
        let first = window.seen() - window.len() as u64;
        let row = |&row: &usize| LoopPoint {
            sample: filters.newest_input((first + row as u64) * self.stride + self.reach),
            values: points[row * config.dimension..][..config.dimension].to_vec(),
        };
        alert.responsible = longest.map(|found| Loop {
            birth: found.birth,
            death: found.death.is_finite().then_some(found.death),
            points: found.points.iter().map(row).collect(),
        });
    }
}

fn follow(config: &config::Scale, settings: Settings, dimension: usize, from: u64) -> Following {
    let scale = settings.scale(config, dimension).expect("the configuration was checked");
    let detector = config.detection.as_ref().map(|detection| {
        Detector::new(detection, settings.window, settings.hop)
            .expect("the configuration was checked")
    });
    let embedding = &config.embedding;
    Following {
        channels: embedding.channels.as_ref().map_or(dimension, Vec::len),
        stride: config.stride as u64,
        reach: ((embedding.copies - 1) * settings.delay) as u64,
        settings,
        from,
        scale,
        detector,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_that_does_not_say_where_the_windows_begin_can_be_read() {
        let settings = r#"{"window":8,"hop":1,"delay":2,"cap":1.5}"#;
        let old = format!(r#"{{"Following":[{settings},null]}}"#);
        let memory: Memory = serde_json::from_str(&old).unwrap();
        assert!(matches!(memory, Memory::Following(Some(_), None, 0)));
        assert_eq!(serde_json::to_string(&memory).unwrap(), old, "and is written as it was");
        let new = format!(r#"{{"Following":[{settings},null,30]}}"#);
        let memory: Memory = serde_json::from_str(&new).unwrap();
        assert_eq!(serde_json::to_string(&memory).unwrap(), new);
    }
}
