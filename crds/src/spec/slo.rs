use crate::schema::{rule, rule_at};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A promise about the results: which share of them is good, over which time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule_at(
    "objective",
    "self.objective > 0.0 && self.objective < 100.0",
    "objective is a percentage between 0 and 100, such as 99.5; 100 leaves no room for any error",
)]))]
pub struct Slo {
    /// Its name in metrics, alerts and status.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The share of good results, in percent, above 0 and below 100.
    pub objective: f64,
    /// The time over which the share is taken, in days, from 1 to 90. Default: 30.
    #[serde(default = "thirty")]
    #[schemars(range(min = 1, max = 90))]
    pub window_days: i32,
    /// What makes a result a good one.
    pub indicator: Indicator,
}

/// What makes a result a good one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "(self.type in ['Latency', 'Lag']) == has(self.thresholdMilliseconds)",
    "Latency and Lag need thresholdMilliseconds, and Availability has none",
)]))]
pub struct Indicator {
    /// What is measured.
    #[serde(rename = "type")]
    pub kind: IndicatorType,
    /// Up to which time a result is good, in milliseconds.
    #[serde(default)]
    #[schemars(range(min = 1, max = 86_400_000))]
    pub threshold_milliseconds: Option<i32>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IndicatorType {
    /// From a record's being appended to its result's being readable.
    Latency,
    /// Whether a record gave results, and did not become a dead letter.
    Availability,
    /// How far a partition is behind its end.
    Lag,
}

fn thirty() -> i32 {
    30
}
