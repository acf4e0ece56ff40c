//! Filters before the embedding. Each has a finite memory, its [`span`](Decimate::span): what it
//! gives depends on the last `span` samples and their index alone, so that it can be rebuilt by
//! replaying a log from there.

mod decimate;
mod high_pass;

pub use decimate::Decimate;
pub use high_pass::HighPass;

/// Why a filter cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Samples need channels.
    #[error("channels is 0: a sample needs at least one channel")]
    Channels,
    /// The factor of a decimation is out of range.
    #[error("decimate is {0}: it must be from 1, which keeps every sample, to {max}", max = Decimate::MAX_FACTOR)]
    Factor(usize),
    /// The median of a high-pass is out of range.
    #[error("high_pass is {0}: the running median must cover from 2 to {max} samples", max = HighPass::MAX_SAMPLES)]
    Samples(usize),
}
