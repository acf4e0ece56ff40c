//! The series that is played.

use super::arguments::Arguments;
use super::ecg;
use super::reference::{Marks, RULE};
use crate::diagrams::samples;
use anyhow::ensure;

/// A series, played again and again.
#[derive(Clone, Debug)]
pub(super) struct Signal {
    /// What it is.
    pub(super) title: String,
    /// Where it comes from.
    pub(super) about: String,
    /// What to keep in mind.
    pub(super) caveat: String,
    /// The key of its records.
    pub(super) series: String,
    /// The unit of the values, for the axes.
    pub(super) unit: String,
    /// Samples a second.
    pub(super) rate: f64,
    /// The samples of one pass; not empty.
    pub(super) samples: Vec<f32>,
    /// Reference marks, where a rule for them is known.
    pub(super) marks: Option<Marks>,
}

impl Signal {
    /// The series that the arguments name.
    ///
    /// # Errors
    /// When the file cannot be read or is too short to play.
    pub(super) fn open(arguments: &Arguments) -> anyhow::Result<Signal> {
        let Some(path) = &arguments.input else { return Ok(Signal::electrocardiogram()) };
        let mut reader = samples::open(path, Some(vec![arguments.channel]))?;
        let (mut all, mut sample) = (Vec::new(), Vec::new());
        while reader.read(&mut sample)? {
            all.extend_from_slice(&sample);
        }
        let name = reader.name().to_owned();
        ensure!(all.len() >= 100, "{name} has {} samples: at least 100 are needed", all.len());
        let stem = path.file_stem().and_then(|s| s.to_str()).filter(|s| *s != "-");
        Ok(Signal {
            title: format!("{name}, column {}", arguments.channel),
            about: format!(
                "{} samples at {} a second from {name}, played again and again.",
                all.len(),
                arguments.rate
            ),
            caveat: String::new(),
            series: stem.unwrap_or("input").to_owned(),
            unit: "value".into(),
            rate: arguments.rate,
            samples: all,
            marks: None,
        })
    }

    /// Five minutes of MIT-BIH record 208.
    pub(super) fn electrocardiogram() -> Signal {
        let samples = ecg::millivolts();
        Signal {
            title: "Five minutes of a real electrocardiogram: MIT-BIH record 208, lead MLII".into(),
            about: "Data: MIT-BIH Arrhythmia Database, record 208, 19:35 to 24:35 (Moody and Mark \
                    2001; PhysioNet; the excerpt by way of SciPy), Open Data Commons Attribution \
                    License 1.0. The excerpt is played again and again; the time goes on."
                .into(),
            caveat: format!(
                "Reference beats are {RULE}. The configuration was picked on this very record, so \
                 the figures show how it works, not how well it would do on another heart."
            ),
            series: "208".into(),
            unit: ecg::UNIT.into(),
            rate: ecg::SAMPLE_RATE,
            marks: Some(Marks::of(&samples, ecg::SAMPLE_RATE)),
            samples,
        }
    }

    /// Sample `number`, counted over all passes.
    pub(super) fn at(&self, number: u64) -> f32 {
        self.samples[(number % self.samples.len() as u64) as usize]
    }

    /// Seconds that one pass lasts.
    pub(super) fn length(&self) -> f64 {
        self.samples.len() as f64 / self.rate
    }
}
