use super::Detection;
use crate::schema::{rule, rule_at};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One way to look at a series: an embedding, a window over its points, and what to do with the
/// diagrams of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules()))]
pub struct Scale {
    /// The name of the scale in ids, results and metrics: letters, digits, `.`, `_` and `-`.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// How samples become points. Default: each sample is a point.
    #[serde(default)]
    pub embedding: Embedding,
    /// Points in a window, from 1 to 16777216, or `auto` for one dominant period of the series.
    /// About one period detects best.
    pub window: Auto,
    /// Points between two emissions. Default: an eighth of the window.
    #[serde(default)]
    #[schemars(range(min = 1, max = 16_777_216))]
    pub hop: Option<i32>,
    /// Every n-th point enters the window. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 16_777_216))]
    pub stride: i32,
    /// The radius at which the filtration ends.
    pub max_radius: Radius,
    /// The highest degree of homology: 0 for components, 1 for loops too. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 0))]
    pub max_degree: i32,
    /// The stretch of the series from which `auto` values and deviations are found out. Needed
    /// when there are any. Default: none.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// How emissions are scored; `{}` for the defaults. Default: they are not.
    #[serde(default)]
    pub detection: Option<Detection>,
}

/// How samples become points: `(x[t], x[t − delay], …)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Embedding {
    /// Samples between two copies, or `auto` for about a twelfth of the period. Default: 1.
    pub delay: Auto,
    /// Copies of the series. Default: 1.
    #[schemars(range(min = 1, max = 65_536))]
    pub copies: i32,
    /// The channels that enter, from 1 to 1024 of them, counted from 0. Default: all.
    #[schemars(
        length(min = 1, max = 1024),
        inner(range(min = 0, max = 65_535)),
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub channels: Option<Vec<i32>>,
}

/// A number, or `auto` to find it out from the calibration stretch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Auto {
    /// This number.
    Fixed(i32),
    /// The word `auto`; no other is admitted.
    Word(String),
}

impl JsonSchema for Auto {
    fn schema_name() -> Cow<'static, str> {
        "Auto".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "x-kubernetes-validations": [rule(
                "type(self) == int ? int(self) >= 1 && int(self) <= 16777216 : self == 'auto'",
                "this is a whole number from 1 to 16777216, or auto",
            )],
        })
    }
}

/// A radius: exactly one of the three. 1.5 to 2 deviations detect best.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "[has(self.value), has(self.deviations), has(self.unbounded)].filter(x, x).size() == 1",
        "name exactly one of value, deviations and unbounded, such as {deviations: 1.5}",
    ),
    rule(
        "!has(self.unbounded) || self.unbounded",
        "unbounded: false says nothing: remove it, and name value or deviations",
    ),
]))]
pub struct Radius {
    /// In the unit of the (filtered) samples; 0 or more.
    #[schemars(range(min = 0))]
    pub value: Option<f64>,
    /// In standard deviations of the cloud of the calibration stretch: the root mean square distance
    /// of its points from their mean; 0 or more.
    #[schemars(range(min = 0))]
    pub deviations: Option<f64>,
    /// The filtration does not end; `true`.
    pub unbounded: Option<bool>,
}

/// The stretch of a series from which values are found out. The scale is silent until then; when
/// the stretch has no period, the next one is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Calibration {
    /// Samples in the stretch, after the filters. At least three times `maxPeriod` when something
    /// is `auto`.
    #[schemars(range(min = 2, max = 100_000_000))]
    pub samples: i32,
    /// The shortest period to look for, in samples after the filters. Default: 10.
    #[serde(default = "ten")]
    #[schemars(range(min = 2, max = 100_000_000))]
    pub min_period: i32,
    /// The longest period to look for, in samples after the filters. Default: a third of
    /// `samples`.
    #[serde(default)]
    #[schemars(range(min = 2, max = 100_000_000))]
    pub max_period: Option<i32>,
}

impl Default for Embedding {
    fn default() -> Embedding {
        Embedding { delay: Auto::Fixed(1), copies: 1, channels: None }
    }
}

fn one() -> i32 {
    1
}

fn ten() -> i32 {
    10
}

fn rules() -> Vec<serde_json::Value> {
    const PERIOD: &str = "(self.window == 'auto' || self.embedding.delay == 'auto')";
    const LONGEST: &str = "(has(self.calibration.maxPeriod) ? self.calibration.maxPeriod : \
                           self.calibration.samples / 3)";
    vec![
        rule_at(
            "name",
            "self.name.matches('^[a-zA-Z0-9._-]+$')",
            "the name of a scale has letters, digits, '.', '_' and '-'",
        ),
        rule_at(
            "maxDegree",
            "self.maxDegree <= 1",
            "degrees 0 and 1 are computed: set maxDegree to 0 for components, or 1 for loops too",
        ),
        rule(
            &format!("has(self.calibration) || !({PERIOD} || has(self.maxRadius.deviations))"),
            "auto values and deviations are found out from a stretch of the series: say how long it \
             is, such as calibration: {samples: 3000}",
        ),
        rule_at(
            "calibration",
            &format!("!has(self.calibration) || {PERIOD} || has(self.maxRadius.deviations)"),
            "there is nothing to be found out: remove calibration, or set window or embedding.delay \
             to auto, or maxRadius to deviations",
        ),
        rule_at(
            "calibration",
            &format!(
                "!has(self.calibration) || !{PERIOD} || self.calibration.samples >= 3 * {LONGEST}"
            ),
            "a period is found in a stretch of at least three times its length: raise samples, or \
             lower maxPeriod",
        ),
        rule_at(
            "calibration",
            &format!("!has(self.calibration) || self.calibration.minPeriod <= {LONGEST}"),
            "minPeriod is above maxPeriod, which is a third of samples when it is left out: lower \
             one, or raise the other",
        ),
        rule_at(
            "embedding",
            "self.embedding.delay == 'auto' || int(self.embedding.delay) * (self.embedding.copies - \
             1) <= 16777216",
            "the embedding reaches back over more than 16777216 samples: lower delay or copies",
        ),
    ]
}
