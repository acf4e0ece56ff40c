//! Exact persistent homology of sliding windows, updated instead of recomputed.
//!
//! A [`Window`] holds the last `W` points of a stream. Push points into it and ask
//! for its [`Diagrams`]: the H0 and H1 persistence diagrams of the Vietoris–Rips
//! filtration of those points up to a maximal radius. What the last answer already
//! established is kept, so an answer costs a small part of a computation from scratch,
//! and yet equals [`batch::diagrams`] on the same points bit for bit.
//!
//! ```
//! use persistence::{Config, Window};
//!
//! let mut window = Window::new(&Config::new(2, 100, 1.5))?;
//! for t in 0..250 {
//!     let angle = t as f32 * 0.1;
//!     window.push(&[angle.cos(), angle.sin()])?;
//! }
//! let diagrams = window.diagrams();
//! let longest = diagrams.degree(1).longest().expect("points on a circle enclose a loop");
//! assert!(longest.birth < 0.2 && longest.death == f32::INFINITY);
//! # Ok::<(), persistence::Error>(())
//! ```
//!
//! # What is computed
//!
//! * Points are rows of `f32`; all coordinates are finite.
//! * The squared length of an edge is the sum of the squared coordinate differences, added in
//!   the order of the dimensions in `f32`, without fused multiply-add. Every engine and
//!   every SIMD width computes these same bits.
//! * An edge is in the filtration if and only if its squared length is at most the `f32`
//!   square of the radius, and finite. A simplex enters with its longest edge (the diameter
//!   parameterisation that Ripser uses).
//! * Births and deaths are the correctly rounded square roots of squared lengths. A pair
//!   whose birth and death are the same `f32` is left out. A class that is still alive at the
//!   maximal radius has an infinite death.
//! * Homology is taken over the field of two elements.
//!
//! # What is not promised
//!
//! The order of the edges of equal length is not part of the result: diagrams do not depend on
//! it. Nothing here reads a clock, does I/O, logs, or fails on valid input.

pub mod batch;
mod config;
mod dense;
mod diagram;
mod embedding;
mod engine;
mod error;
mod locations;
mod metric;
mod scale;
mod simd;
mod sparse;
mod window;

pub use config::{Config, Degree};
pub use diagram::{Diagram, Diagrams, Pair};
pub use embedding::Embedding;
pub use error::{ConfigError, Error, PointError};
pub use scale::{Emission, Scale};
pub use window::{Path, Window};

/// Raised when the same points give other diagrams, be it by a bit.
pub const REVISION: u32 = 1;
