use detection::DetectorConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way to look at a series: an embedding, a window over its points, and what to do with the
/// diagrams of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The name of the scale in ids, results and metrics: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// How samples become points. Default: each sample is a point.
    #[serde(default)]
    pub embedding: Embedding,
    /// Points in a window, or `auto` for one dominant period of the series. About one period
    /// detects best.
    pub window: Auto,
    /// Points between two emissions. Default: an eighth of the window.
    #[serde(default)]
    pub hop: Option<usize>,
    /// Every n-th point enters the window. Default: 1.
    #[serde(default = "one")]
    pub stride: usize,
    /// The radius at which the filtration ends, in the unit of the (filtered) samples; or
    /// `{deviations: d}` for d standard deviations of the cloud; or `infinity`. 1.5 to 2
    /// deviations detect best.
    pub max_radius: Radius,
    /// The highest degree of homology: 0 for components, 1 for loops too. Default: 1.
    #[serde(default = "one_u8")]
    pub max_degree: u8,
    /// The stretch of the series from which `auto` values and deviations are found out. Needed
    /// when there are any.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// How emissions are scored. Default (null): they are not.
    #[serde(default)]
    pub detection: Option<DetectorConfig>,
}

/// How samples become points: `(x[t], x[t − delay], …)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Embedding {
    /// Samples between two copies, or `auto` for about a twelfth of the period. Default: 1.
    pub delay: Auto,
    /// Copies of the series. Default: 1.
    pub copies: usize,
    /// The channels that enter, counted from 0. Default (null): all.
    pub channels: Option<Vec<usize>>,
}

/// A number, or `auto` to find it out from the calibration stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number, or auto")]
pub enum Auto {
    /// This number.
    Fixed(usize),
    /// Found out.
    Auto(Found),
}

/// The word `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Found out from the calibration stretch.
    Auto,
}

/// A radius.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, {deviations: number}, or infinity")]
pub enum Radius {
    /// In the unit of the samples.
    Fixed(f32),
    /// In standard deviations of the cloud.
    Relative(Deviations),
    /// The filtration does not end.
    Unbounded(Unbounded),
}

/// The word `infinity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unbounded {
    /// There is no largest radius.
    Infinity,
}

/// A length in standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deviations {
    /// Standard deviations of the cloud of the calibration stretch: the root mean square distance
    /// of its points from their mean.
    pub deviations: f32,
}

/// The stretch of a series from which values are found out. The scale is silent until then; when
/// the stretch has no period, the next one is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Samples in the stretch, after the filters. At least three times `max_period` when
    /// something is `auto`.
    pub samples: usize,
    /// The shortest period to look for, in samples after the filters. Default: 10.
    #[serde(default = "ten")]
    pub min_period: usize,
    /// The longest period to look for, in samples after the filters. Default: a third of
    /// `samples`.
    #[serde(default)]
    pub max_period: Option<usize>,
}

impl Scale {
    /// Whether something has to be found out from the series.
    pub fn is_calibrated(&self) -> bool {
        self.needs_period() || matches!(self.max_radius, Radius::Relative(_))
    }

    /// Whether the period has to be found out.
    pub fn needs_period(&self) -> bool {
        [self.window, self.embedding.delay].iter().any(|a| matches!(a, Auto::Auto(_)))
    }
}

impl Radius {
    /// The radius, when it does not depend on the series.
    pub fn fixed(self) -> Option<f32> {
        match self {
            Radius::Fixed(radius) => Some(radius),
            Radius::Unbounded(_) => Some(f32::INFINITY),
            Radius::Relative(_) => None,
        }
    }
}

impl Calibration {
    /// The longest period to look for.
    pub fn longest(&self) -> usize {
        self.max_period.unwrap_or(self.samples / 3)
    }
}

impl Default for Embedding {
    fn default() -> Embedding {
        Embedding { delay: Auto::Fixed(1), copies: 1, channels: None }
    }
}

fn one() -> usize {
    1
}

fn one_u8() -> u8 {
    1
}

fn ten() -> usize {
    10
}
