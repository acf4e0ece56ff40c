use crate::schema::rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the emissions of one scale are scored. All fields have defaults, from experiments on labelled
/// electrocardiograms and machine metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Detection {
    /// The mean degree at whose radius the diagram of degree 0 is ended, window by window; above 0.
    /// Default: 16.
    #[schemars(extend("minimum" = 0, "exclusiveMinimum" = true))]
    pub h0_degree: f64,
    /// The mean degree at whose radius the diagram of degree 1 is ended, window by window; above 0,
    /// good values lie between a third and half of the window. Default: half of the window, rounded
    /// up to a whole number.
    #[schemars(extend("minimum" = 0, "exclusiveMinimum" = true))]
    pub h1_degree: Option<f64>,
    /// How the loops of an emission become one number. Default: Rms.
    pub h1_score: LoopScore,
    /// The groups of features that can raise an alert. Default: H0 and H1.
    #[schemars(length(min = 1, max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub channels: Vec<Channel>,
    /// The score at which an alert is raised, in robust standard deviations; above 0. Default: 6.
    #[schemars(extend("minimum" = 0, "exclusiveMinimum" = true))]
    pub threshold: f64,
    /// Robust z-scores beyond ± this value count as this value in a root mean square; above 0.
    /// Default: 20.
    #[schemars(extend("minimum" = 0, "exclusiveMinimum" = true))]
    pub clip: f64,
    /// How far back the reference reaches, at most 10000 emissions. It should be at least 400
    /// emissions and three times the longest event expected. Default: 600 emissions.
    #[schemars(extend("x-kubernetes-validations" = [rule(
        "has(self.emissions) != has(self.seconds)",
        "name either emissions or seconds, such as memory: {seconds: 60}",
    ), rule(
        "!has(self.emissions) || self.emissions <= 10000",
        "a reference holds at most 10000 emissions: lower emissions",
    )]))]
    pub memory: Span,
    /// For how long there is no score; at least 200 emissions are advisable. Default: 200
    /// emissions.
    #[schemars(extend("x-kubernetes-validations" = [rule(
        "has(self.emissions) != has(self.seconds)",
        "name either emissions or seconds, such as warmUp: {emissions: 200}",
    )]))]
    pub warm_up: Span,
    /// Seconds, by the time of the series, after an alert in which there is no other; 0 or more.
    /// Default: 1.
    #[schemars(range(min = 0))]
    pub refractory_seconds: f64,
    /// Radii in the grid of the Betti curves, up to 1024. Default: 32.
    #[schemars(range(min = 0, max = 1024))]
    pub betti_radii: i32,
    /// Landscapes, from the highest, in the landscape norms, up to 1024. Default: 3.
    #[schemars(range(min = 0, max = 1024))]
    pub landscapes: i32,
    /// Bars of a diagram, from the most persistent, that enter the distances, up to 1024; with more,
    /// the distances carry a bound on their error. The cost is cubic. Default: 128.
    #[schemars(range(min = 0, max = 1024))]
    pub distance_bars: i32,
}

/// How the loops of an emission become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LoopScore {
    /// Robust z-score of how far the loops have moved: of the root mean square of the clipped
    /// robust z-scores of the features of degree 1.
    #[default]
    Rms,
    /// Robust z-score of the maximal persistence alone: how much more the largest loop stands out
    /// than usual.
    Max,
}

/// A group of features that is scored together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Channel {
    /// Components. At a small degree a statistic of local density.
    H0,
    /// Loops: topology in the strict sense.
    H1,
    /// Mean and standard deviation of the samples. Not topological.
    Level,
}

/// A stretch of a series: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Span {
    /// This many emissions.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub emissions: Option<i32>,
    /// This many seconds, by the time of the series; above 0.
    #[schemars(extend("minimum" = 0, "exclusiveMinimum" = true))]
    pub seconds: Option<f64>,
}

impl Span {
    /// So many emissions.
    pub fn emissions(count: i32) -> Span {
        Span { emissions: Some(count), seconds: None }
    }
}

impl Default for Detection {
    fn default() -> Detection {
        Detection {
            h0_degree: 16.0,
            h1_degree: None,
            h1_score: LoopScore::Rms,
            channels: vec![Channel::H0, Channel::H1],
            threshold: 6.0,
            clip: 20.0,
            memory: Span::emissions(600),
            warm_up: Span::emissions(200),
            refractory_seconds: 1.0,
            betti_radii: 32,
            landscapes: 3,
            distance_bars: 128,
        }
    }
}
