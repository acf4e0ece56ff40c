use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::Deviation;
use super::score::name;
use super::{Channel, Score};

/// The least |z| of a feature that is said to have moved.
const MOVED: f64 = 3.0;

/// An emission that is unusual enough to be told about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// 0-based index of the newest point of the window in the scale's stream of points.
    pub end: u64,
    /// Points in the window.
    pub window: usize,
    /// The score of the channel, in robust standard deviations.
    pub score: f32,
    /// The score at which an alert is raised.
    pub threshold: f32,
    /// The channel that raised it.
    pub channel: Channel,
    /// The features that are far from what they usually are, of all channels, the farthest first.
    pub moved: Vec<Moved>,
    /// The most persistent loop of the window, for whoever has its points to fill in; `null` when
    /// there is none.
    #[serde(rename = "loop")]
    pub responsible: Option<Loop>,
}

/// A feature that is far from what it usually is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// Its name: `h1.max`, or `level.mean.0` for channel 0.
    pub feature: String,
    /// Its robust z-score, at most 10⁹ either way.
    pub z: f32,
    /// Its value.
    pub value: f32,
    /// What it usually is: the median of the reference.
    pub reference: f32,
}

/// A loop in the points of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loop {
    /// The length at which it closes, in the unit of the coordinates.
    pub birth: f32,
    /// The length at which it is filled; `null` when it is still open at the cap.
    pub death: Option<f32>,
    /// The points along it, in their order.
    pub points: Vec<LoopPoint>,
}

/// A point on a loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoopPoint {
    /// 0-based index in the series of the newest sample in the point.
    pub sample: u64,
    /// Its coordinates.
    pub values: Vec<f32>,
}

impl Alert {
    pub(super) fn new(
        (end, window): (u64, usize),
        score: &Score,
        row: &[f32],
        deviations: &[Deviation],
        channels: usize,
    ) -> Alert {
        let mut far: Vec<usize> =
            (0..row.len()).filter(|&i| deviations[i].z.abs() >= MOVED).collect();
        far.sort_by(|&a, &b| deviations[b].z.abs().total_cmp(&deviations[a].z.abs()));
        let moved = |i: usize| Moved {
            feature: name(i, channels),
            z: deviations[i].z as f32,
            value: row[i],
            reference: deviations[i].median as f32,
        };
        Alert {
            end,
            window,
            score: score.value,
            threshold: score.threshold,
            channel: score.channel,
            moved: far.into_iter().map(moved).collect(),
            responsible: None,
        }
    }
}
