use crate::ConfigError;

/// The highest degree of homology that a window computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Degree {
    /// Connected components only.
    H0,
    /// Connected components and loops.
    #[default]
    H1,
}

impl Degree {
    /// The number of diagrams up to this degree.
    pub fn diagrams(self) -> usize {
        self as usize + 1
    }
}

/// What a [`Window`](crate::Window) holds and computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Coordinates in a point, from 1 to 2¹⁶.
    pub dimension: usize,
    /// Points in a full window, from 1 to 2²⁴.
    pub window: usize,
    /// The radius at which the filtration ends, in the unit of the coordinates. Zero and
    /// infinity are allowed.
    pub max_radius: f32,
    /// The highest degree of homology. Default: [`Degree::H1`].
    pub max_degree: Degree,
}

impl Config {
    /// The largest number of coordinates in a point.
    pub const MAX_DIMENSION: usize = 1 << 16;

    /// The largest number of points in a window.
    pub const MAX_WINDOW: usize = 1 << 24;

    /// H0 and H1 of the last `window` points of `dimension` coordinates, up to `max_radius`.
    pub fn new(dimension: usize, window: usize, max_radius: f32) -> Config {
        Config { dimension, window, max_radius, max_degree: Degree::default() }
    }

    /// # Errors
    /// Names the first field that cannot be used.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.dimension == 0 {
            return Err(ConfigError::Dimension);
        }
        if self.dimension > Config::MAX_DIMENSION {
            return Err(ConfigError::TooManyDimensions(self.dimension));
        }
        if !(1..=Config::MAX_WINDOW).contains(&self.window) {
            return Err(ConfigError::Window(self.window));
        }
        if self.max_radius.is_nan() || self.max_radius < 0.0 {
            return Err(ConfigError::MaxRadius(self.max_radius));
        }
        Ok(())
    }

    /// The largest squared length of an edge in the filtration: the `f32` square of the radius,
    /// and always finite, so that an edge whose squared length overflows is never in it.
    pub(crate) fn max_squared(&self) -> f32 {
        (self.max_radius * self.max_radius).min(f32::MAX)
    }
}
