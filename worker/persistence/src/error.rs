use crate::Config;

/// Anything that this crate refuses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A point cannot be used; the window is as it was before.
    #[error(transparent)]
    Point(#[from] PointError),
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// Points need coordinates.
    #[error("dimension is 0: a point needs at least one coordinate")]
    Dimension,
    /// Points have more coordinates than can be held.
    #[error("dimension is {0}: a point has at most {max} coordinates", max = Config::MAX_DIMENSION)]
    TooManyDimensions(usize),
    /// The number of points in a window is out of range.
    #[error("window is {0}: it must hold from 1 to {max} points", max = Config::MAX_WINDOW)]
    Window(usize),
    /// The radius is negative or not a number.
    #[error("max_radius is {0}: it must be zero, positive or infinite")]
    MaxRadius(f32),
    /// An emission must be due after a positive number of points.
    #[error("hop is 0: diagrams are emitted after every hop points, so it must be at least 1")]
    Hop,
    /// At least every `stride`-th point is kept.
    #[error("stride is 0: every stride-th point is kept, so it must be at least 1")]
    Stride,
    /// A delay embedding needs at least one copy of the series.
    #[error("embedding is 0: a point needs at least one delayed copy of the series")]
    Embedding,
    /// Delayed copies must be apart.
    #[error("delay is 0: the copies of an embedding must be at least one sample apart")]
    Delay,
    /// The embedding reaches back further than can be held.
    #[error("delay {delay} × (embedding {copies} − 1) reaches back over more than {max} samples", max = Config::MAX_WINDOW)]
    Reach {
        /// Samples between two copies.
        delay: usize,
        /// Number of copies.
        copies: usize,
    },
    /// A list of channels names no channel.
    #[error("channels is empty: name at least one channel, or leave it out to use all")]
    NoChannels,
    /// A channel that the samples do not have.
    #[error("channel {channel} does not exist: samples have {channels} channels, numbered from 0")]
    Channel {
        /// The channel asked for.
        channel: usize,
        /// Channels in a sample.
        channels: usize,
    },
}

/// Why a point cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PointError {
    /// The point has another number of coordinates than the window.
    #[error("point {index} has {found} coordinates, expected {expected}")]
    Dimension {
        /// 0-based index in the stream of accepted points.
        index: u64,
        /// Coordinates in the point.
        found: usize,
        /// Coordinates that the window was made for.
        expected: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("point {index} is not finite: coordinate {coordinate} is {value}")]
    NotFinite {
        /// 0-based index in the stream of accepted points.
        index: u64,
        /// 0-based index of the first coordinate that is not finite.
        coordinate: usize,
        /// What stands there.
        value: f32,
    },
}

/// Checks that a point can be used.
pub(crate) fn check_point(point: &[f32], expected: usize, index: u64) -> Result<(), PointError> {
    if point.len() != expected {
        let found = point.len();
        return Err(PointError::Dimension { index, found, expected });
    }
    match point.iter().position(|x| !x.is_finite()) {
        Some(coordinate) => {
            let value = point[coordinate];
            Err(PointError::NotFinite { index, coordinate, value })
        }
        None => Ok(()),
    }
}
