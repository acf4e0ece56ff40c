use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Channel;

/// How a detector scores the emissions of one scale. All fields have defaults, from experiments
/// on labelled electrocardiograms and machine metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DetectorConfig {
    /// The mean degree at whose radius the diagram of degree 0 is ended, window by window.
    /// Default: 16.
    pub h0_degree: f32,
    /// The mean degree at whose radius the diagram of degree 1 is ended, window by window; good
    /// values lie between a third and half of the window. Default (null): half of the window,
    /// rounded up to a whole number.
    pub h1_degree: Option<f32>,
    /// How the loops are scored. Default: rms.
    pub h1_score: LoopScore,
    /// The channels that can raise an alert; level is the one that is not topological.
    /// Default: h0 and h1.
    pub channels: Vec<Channel>,
    /// The score at which an alert is raised, in robust standard deviations. Default: 6.
    pub threshold: f32,
    /// Robust z-scores beyond ± this value count as this value in a root mean square. Default: 20.
    pub clip: f32,
    /// How far back the reference reaches, in emissions or seconds. It should be at least 400
    /// emissions and three times the longest event expected. Default: 600 emissions.
    pub memory: Span,
    /// For how long there is no score, in emissions (at least 200 are advisable) or seconds.
    /// Default: 200 emissions.
    pub warm_up: Span,
    /// Seconds, by the time of the series, after an alert in which there is no other.
    /// Default: 1.
    pub refractory_seconds: f64,
    /// Radii in the grid of the Betti curves. Default: 32.
    pub betti_radii: usize,
    /// Landscapes, from the highest, in the landscape norms. Default: 3.
    pub landscapes: usize,
    /// Bars of a diagram, from the most persistent, that enter the distances; with more, the
    /// distances carry a bound on their error. At most 1024; the cost is cubic. Default: 128.
    pub distance_bars: usize,
}

/// How the loops of an emission become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoopScore {
    /// Robust z-score of how far the loops have moved: of the root mean square of the clipped
    /// robust z-scores of the features of degree 1.
    #[default]
    Rms,
    /// Robust z-score of the maximal persistence alone: how much more the largest loop stands out
    /// than usual.
    Max,
}

/// A stretch of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// This many emissions.
    Emissions(usize),
    /// This many seconds, by the time of the series.
    Seconds(f64),
}

impl Default for DetectorConfig {
    fn default() -> DetectorConfig {
        DetectorConfig {
            h0_degree: 16.0,
            h1_degree: None,
            h1_score: LoopScore::Rms,
            channels: vec![Channel::H0, Channel::H1],
            threshold: 6.0,
            clip: 20.0,
            memory: Span::Emissions(600),
            warm_up: Span::Emissions(200),
            refractory_seconds: 1.0,
            betti_radii: 32,
            landscapes: 3,
            distance_bars: 128,
        }
    }
}

impl DetectorConfig {
    /// The largest number of emissions in a reference, whatever the memory.
    pub const MAX_MEMORY: usize = 10_000;
    /// The largest number of bars that enter a distance.
    pub const MAX_DISTANCE_BARS: usize = 1024;
    /// The largest number of radii in the grid of the Betti curves, and of landscapes.
    pub const MAX_GRID: usize = 1024;

    /// All that is wrong with these values.
    ///
    /// # Errors
    /// When anything is.
    pub fn validate(&self) -> Result<(), DetectorErrors> {
        let degrees = [("h0_degree", Some(self.h0_degree)), ("h1_degree", self.h1_degree)];
        let degrees = degrees.map(|(field, value)| positive(field, value.map(f64::from)));
        let checks = degrees.into_iter().chain([
            positive("threshold", Some(self.threshold.into())),
            positive("clip", Some(self.clip.into())),
            self.memory.check("memory", DetectorConfig::MAX_MEMORY),
            self.warm_up.check("warm_up", usize::MAX),
            refuse(self.channels.is_empty(), DetectorError::NoChannels),
            refuse(
                !(self.refractory_seconds.is_finite() && self.refractory_seconds >= 0.0),
                DetectorError::Refractory(self.refractory_seconds),
            ),
            above("betti_radii", self.betti_radii, DetectorConfig::MAX_GRID),
            above("landscapes", self.landscapes, DetectorConfig::MAX_GRID),
            above("distance_bars", self.distance_bars, DetectorConfig::MAX_DISTANCE_BARS),
        ]);
        let errors: Vec<DetectorError> = checks.flatten().collect();
        if errors.is_empty() { Ok(()) } else { Err(DetectorErrors(errors)) }
    }
}

impl Span {
    fn check(self, field: &'static str, max: usize) -> Option<DetectorError> {
        match self {
            Span::Emissions(n) if n > max => Some(DetectorError::Above { field, value: n, max }),
            Span::Emissions(0) => Some(DetectorError::NotPositive { field, value: 0.0 }),
            Span::Emissions(_) => None,
            Span::Seconds(s) => positive(field, Some(s)),
        }
    }
}

fn refuse(condition: bool, error: DetectorError) -> Option<DetectorError> {
    condition.then_some(error)
}

fn positive(field: &'static str, value: Option<f64>) -> Option<DetectorError> {
    let refused = value.filter(|v| !(v.is_finite() && *v > 0.0));
    refused.map(|value| DetectorError::NotPositive { field, value })
}

fn above(field: &'static str, value: usize, max: usize) -> Option<DetectorError> {
    refuse(value > max, DetectorError::Above { field, value, max })
}

/// Why a detector cannot be made: one field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectorError {
    /// A number must be finite and above 0.
    #[error("{field} is {value}: it must be above 0")]
    NotPositive {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// A number is too large.
    #[error("{field} is {value}: it must be at most {max}")]
    Above {
        /// The field.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The largest value allowed.
        max: usize,
    },
    /// A time is negative or not a number.
    #[error("refractory_seconds is {0}: it must be 0 or more")]
    Refractory(f64),
    /// Nothing could ever raise an alert.
    #[error("channels is empty: name at least one of h0, h1 and level")]
    NoChannels,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorErrors(pub Vec<DetectorError>);

impl std::fmt::Display for DetectorErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for DetectorErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(DetectorConfig::default().validate(), Ok(()));
    }

    #[test]
    fn one_error_lists_all_that_is_wrong() {
        let config = DetectorConfig {
            h1_degree: Some(f32::NAN),
            threshold: 0.0,
            memory: Span::Emissions(20_000),
            warm_up: Span::Seconds(-1.0),
            channels: vec![],
            refractory_seconds: f64::INFINITY,
            distance_bars: 5000,
            ..DetectorConfig::default()
        };
        let message = config.validate().unwrap_err().to_string();
        for part in [
            "h1_degree is NaN",
            "threshold is 0",
            "memory is 20000: it must be at most 10000",
            "warm_up is -1",
            "channels is empty",
            "refractory_seconds is inf",
            "distance_bars is 5000",
        ] {
            assert!(message.contains(part), "{part} is not in {message}");
        }
        assert_eq!(message.split("; ").count(), 7);
    }

    #[test]
    fn fields_are_optional_and_unknown_ones_refused() {
        let text = r#"{"memory": {"seconds": 60}, "h1_score": "max", "channels": ["h1"]}"#;
        let config: DetectorConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.memory, Span::Seconds(60.0));
        assert_eq!((config.h1_score, config.h0_degree), (LoopScore::Max, 16.0));
        assert!(serde_json::from_str::<DetectorConfig>(r#"{"treshold": 5}"#).is_err());
    }
}
