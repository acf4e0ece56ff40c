use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::Deviation;
use super::{DetectorConfig, LoopScore};
use crate::features::{Features, Level};

/// A group of features that is scored together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Components. At a small degree a statistic of local density.
    H0,
    /// Loops: topology in the strict sense.
    H1,
    /// Mean and standard deviation of the samples. Not topological.
    Level,
}

/// How unusual an emission is. No score is beyond ±10⁹.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Of the components: how far they have moved, the root mean square of the clipped robust
    /// z-scores of their features; and of that the robust z-score.
    pub h0: f32,
    /// Of the loops: likewise, or the robust z-score of their maximal persistence.
    pub h1: f32,
    /// Of mean and standard deviation of the samples: as for `h0`; not topological.
    pub level: f32,
    /// The largest score of the channels that can raise an alert.
    pub value: f32,
    /// The channel of that score.
    pub channel: Channel,
    /// The value at which an alert is raised.
    pub threshold: f32,
}

/// The features that are scored, in the order of their names.
pub(super) fn scored(features: &Features) -> Vec<f32> {
    let (h0, h1) = (features.h0, features.h1);
    let topological = [h0.total, h0.p90, h0.max, h0.entropy, h1.total, h1.max, h1.second];
    let topological = topological.into_iter().chain([h1.entropy, h1.l2]);
    topological.chain(level_row(&features.level)).collect()
}

fn level_row(level: &Level) -> impl Iterator<Item = f32> + '_ {
    level.mean.iter().chain(&level.deviation).copied()
}

const NAMES: [&str; 9] = [
    "h0.total",
    "h0.p90",
    "h0.max",
    "h0.entropy",
    "h1.total",
    "h1.max",
    "h1.second",
    "h1.entropy",
    "h1.l2",
];
const H0: std::ops::Range<usize> = 0..4;
const H1: std::ops::Range<usize> = 4..9;
const H1_MAX: usize = 5;

/// The moves of h0, h1 and level.
pub(super) const MOVES: usize = 3;
/// The least MAD of a move, which is in robust standard deviations: about that of the root mean
/// square of five independent normal deviations. What usually moves less is no more unusual
/// when it moves as chance would have it.
pub(super) const MOVE_FLOOR: f64 = 0.2;

/// The number of scored features of samples with `channels` channels.
pub(super) fn features(channels: usize) -> usize {
    NAMES.len() + 2 * channels
}

/// The name of the scored feature at `index`, of samples with `channels` channels.
pub(super) fn name(index: usize, channels: usize) -> String {
    match NAMES.get(index) {
        Some(name) => (*name).to_owned(),
        None if index < NAMES.len() + channels => format!("level.mean.{}", index - NAMES.len()),
        None => format!("level.deviation.{}", index - NAMES.len() - channels),
    }
}

/// The least MAD of each feature, so that what is always exactly the same does not turn the
/// smallest change into an anomaly: 1 % of the cap for lengths, 0.05 nats for entropies.
pub(super) fn floors(channels: usize, cap: f32) -> Vec<f64> {
    let length = if cap.is_finite() { 0.01 * f64::from(cap) } else { 0.0 };
    let floor = |name: &&str| if name.ends_with("entropy") { 0.05 } else { length };
    NAMES.iter().map(floor).chain(std::iter::repeat_n(length, 2 * channels)).collect()
}

/// How far each channel has moved: the root mean square of the clipped z-scores of its features.
pub(super) fn moves(deviations: &[Deviation], clip: f32) -> [f32; MOVES] {
    let rms = |group: &[Deviation]| root_mean_square(group, clip.into()) as f32;
    [rms(&deviations[H0]), rms(&deviations[H1]), rms(&deviations[NAMES.len()..])]
}

impl Score {
    /// From the z-scores of the features, and those of the moves.
    pub(super) fn of(
        deviations: &[Deviation],
        [h0, h1, level]: [Deviation; MOVES],
        config: &DetectorConfig,
    ) -> Score {
        let h1 = match config.h1_score {
            LoopScore::Rms => h1,
            LoopScore::Max => deviations[H1_MAX],
        };
        let [h0, h1, level] = [h0, h1, level].map(|d| d.z as f32);
        let of = |channel: &Channel| match channel {
            Channel::H0 => h0,
            Channel::H1 => h1,
            Channel::Level => level,
        };
        let alerting = config.channels.iter().map(|c| (of(c), *c));
        let (value, channel) = alerting
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .unwrap_or((0.0, Channel::H1));
        Score { h0, h1, level, value, channel, threshold: config.threshold }
    }
}

/// Of no scores: 0.
fn root_mean_square(deviations: &[Deviation], clip: f64) -> f64 {
    let squares: f64 = deviations.iter().map(|d| d.z.clamp(-clip, clip).powi(2)).sum();
    (squares / deviations.len().max(1) as f64).sqrt()
}
