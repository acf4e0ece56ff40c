//! Features, scores and alerts from the persistence diagrams of a stream.
//!
//! A [`Detector`] is told of each emission of a scale and gives its [`Features`], a [`Score`]
//! against the emissions before it, and an [`Alert`] when that is due. Before the engine,
//! [`signal`] filters the samples; [`calibrate`] finds out from a stretch of them how
//! to look at the series. [`distance`] has exact distances between diagrams, and
//! [`qrs`] a classical rule for electrocardiograms to compare with.
//!
//! Everything here is deterministic and free of I/O, clocks and logs.

mod bars;
mod calibrate;
mod detector;
pub mod distance;
pub mod features;
pub mod qrs;
pub mod signal;

pub use bars::{Bar, bars};
pub use calibrate::{Calibration, CalibrationError, Search, calibrate, cap};
pub use detector::{
    Alert, Channel, Detector, DetectorConfig, DetectorError, DetectorErrors, Loop, LoopPoint,
    LoopScore, Moved, Observation, Outcome, Radii, Score, Span,
};
pub use features::Features;

/// Raised when the same diagrams give other features, scores or alerts, be it by a bit, or when what
/// a detector remembers is kept in another form.
pub const REVISION: u32 = 3;
