//! What the page and the report are told: JSON, in the terms of the pictures. Times of the signal
//! are seconds since its first sample; `wall` is seconds since the demo began to play.

use super::latency::Percentiles;
use detection::features::BettiCurves;
use serde::Serialize;

/// What stays the same for the whole demo.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Setup {
    /// What is played.
    pub(super) title: String,
    /// The unit of the values, for the axes.
    pub(super) unit: String,
    /// Samples a second.
    pub(super) rate: f64,
    /// Samples a second that enter the pictures and, filtered, the embedding.
    pub(super) point_rate: f64,
    /// Times faster than real time; `None` as fast as the worker can follow.
    pub(super) speed: Option<f64>,
    /// Seconds that one pass of the recording lasts.
    pub(super) length: f64,
    /// The scale in the pictures.
    pub(super) scale: Scale,
    /// The score at which there is an alert.
    pub(super) threshold: f32,
    /// Seconds of signal without a score, at least.
    pub(super) warm_up: f64,
    /// Whether there are reference marks.
    pub(super) reference: bool,
    /// Where the series comes from.
    pub(super) about: String,
    /// What to keep in mind when reading the figures.
    pub(super) caveat: String,
}

impl Setup {
    /// Whether a window that ends at `time` holds the end of the recording and its beginning.
    pub(super) fn straddles_a_seam(&self, time: f64) -> bool {
        let Scale { window, copies, delay, .. } = self.scale;
        let span = (window + (copies - 1) * delay) as f64 / self.point_rate;
        time >= self.length && time % self.length <= span
    }
}

/// How windows are made.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scale {
    /// Its name.
    pub(super) name: String,
    /// Points in a window.
    pub(super) window: usize,
    /// Points between two emissions.
    pub(super) hop: usize,
    /// Points between two copies.
    pub(super) delay: usize,
    /// Copies of the series in a point.
    pub(super) copies: usize,
    /// The radius at which the filtration ends.
    pub(super) max_radius: f32,
}

/// All that a page needs that has just connected.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Scene {
    /// What stays the same.
    pub(super) setup: Setup,
    /// What happened lately.
    pub(super) history: Frame,
    /// When the report was made, milliseconds since the Unix epoch; `None` on the live page.
    pub(super) made: Option<f64>,
}

/// What is new.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Frame {
    /// Time of the signal up to which it was fed.
    pub(super) at: f64,
    /// Seconds since the demo began to play.
    pub(super) wall: f64,
    /// The series as it was fed.
    pub(super) signal: Piece,
    /// The series as it enters the embedding.
    pub(super) points: Piece,
    /// Times of reference marks.
    pub(super) marks: Vec<f64>,
    /// Times at which the recording began again.
    pub(super) seams: Vec<f64>,
    /// Alerts.
    pub(super) alerts: Vec<Alert>,
    /// Times and scores; `None` in the warm-up.
    pub(super) scores: Vec<(f64, Option<f32>)>,
    /// One entry for each second of wall time.
    pub(super) pulse: Vec<Pulse>,
    /// The newest window.
    pub(super) now: Option<Shape>,
    /// Sums since the start.
    pub(super) totals: Totals,
}

/// Consecutive values; number `n` was measured at `n / point_rate` seconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Piece {
    /// Number of the first value.
    pub(super) start: u64,
    /// The values.
    pub(super) values: Vec<f32>,
}

/// An alert, beside the marked beat that it belongs to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Alert {
    /// Time of the newest sample in its window.
    pub(super) time: f64,
    /// The score.
    pub(super) score: f32,
    /// The marked beat.
    pub(super) mark: Option<f64>,
    /// Milliseconds of signal from that beat to `time`.
    pub(super) delay_ms: Option<f64>,
    /// The radius at which the loop responsible closes.
    pub(super) birth: Option<f32>,
    /// The radius at which it is filled; `None` when it is open at the end of the filtration.
    pub(super) death: Option<f32>,
    /// The points along it.
    #[serde(rename = "loop")]
    pub(super) points: Vec<Vec<f32>>,
    /// Its window, for the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shape: Option<Box<Shape>>,
}

/// The persistent homology of one window.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Shape {
    /// Time of its newest sample.
    pub(super) time: f64,
    /// Pairs of H0, the most persistent ones when there are very many.
    pub h0: Vec<(f32, Option<f32>)>,
    /// Pairs of H1, likewise.
    pub h1: Vec<(f32, Option<f32>)>,
    /// Betti curves, once the features are there.
    pub(super) betti: Option<BettiCurves>,
}

/// One second of wall time.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Pulse {
    /// Its end.
    pub(super) wall: f64,
    /// Points fed.
    pub(super) points_per_second: f64,
    /// Emissions read.
    pub(super) emissions_per_second: f64,
    /// Milliseconds that the engine took for an emission.
    pub(super) engine: Option<Percentiles>,
    /// Milliseconds from a point's append to its results being readable.
    pub(super) end_to_end: Option<Percentiles>,
}

/// Sums since the start.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Totals {
    /// Points fed.
    pub(super) points: u64,
    /// Emissions read.
    pub(super) emissions: u64,
    /// Alerts read.
    pub(super) alerts: u64,
    /// Alerts that belong to a marked beat.
    pub(super) matched: u64,
    /// Reference marks played.
    pub(super) marks: u64,
    /// Bytes that the windows take.
    pub(super) memory_bytes: Option<u64>,
    /// Seconds of playing.
    pub(super) wall: f64,
    /// Mean over the whole time.
    pub(super) points_per_second: f64,
    /// Mean over the whole time.
    pub(super) emissions_per_second: f64,
    /// Over the whole time.
    pub(super) engine: Option<Percentiles>,
    /// Over the whole time.
    pub(super) end_to_end: Option<Percentiles>,
    /// Whether the demo has ended.
    pub(super) finished: bool,
}
