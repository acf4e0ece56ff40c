//! What an emission looks like, in numbers.
//!
//! All numbers are finite. A class that is still alive at the end of the filtration counts as if
//! it died there, and of the components the one that never dies is left out of everything but the
//! Betti curve: see [`bars`](crate::bars).

mod betti;
mod landscape;
mod level;
mod summary;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distance::Distances;

pub(crate) use betti::grid;
pub use betti::{BettiCurves, betti_curve};
pub use landscape::{LandscapeNorms, landscapes};
pub use level::Level;
pub use summary::{Components, Loops};

/// The features of one emission.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Features {
    /// Of the diagram of degree 0, ended at the radius of mean degree `h0_degree`.
    pub h0: Components,
    /// Of the diagram of degree 1, ended at the radius of mean degree `h1_degree`.
    pub h1: Loops,
    /// Of both diagrams up to the cap.
    pub betti: BettiCurves,
    /// Of the bars of `h0` and `h1`.
    pub landscape: Landscapes,
    /// To other diagrams, each up to the cap.
    pub distance: DistanceFeatures,
    /// Of the samples in the window; not topological.
    pub level: Level,
}

/// Landscape norms by degree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Landscapes {
    /// Of the components.
    pub h0: LandscapeNorms,
    /// Of the loops.
    pub h1: LandscapeNorms,
}

/// How far the diagrams have moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistanceFeatures {
    /// From the emission before; `null` at the first one.
    pub previous: Option<DegreeDistances>,
    /// From the reference of the warm-up; `null` before it is chosen.
    pub reference: Option<DegreeDistances>,
}

/// Distances by degree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DegreeDistances {
    /// Between the components.
    pub h0: Distances,
    /// Between the loops.
    pub h1: Distances,
}
