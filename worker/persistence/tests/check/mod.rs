//! How the answers of two engines are compared: bit for bit.

#![allow(dead_code, reason = "each test binary uses its part")]

use persistence::{Config, ConfigError, Degree, Diagram, Diagrams, Path, Window, batch};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, FileFailurePersistence};

use crate::oracle;

/// Births and deaths of each degree.
pub(crate) type Bits = Vec<Vec<(u32, u32)>>;

/// Runs `cases` cases, after those that have failed before, which `file` remembers.
pub(crate) fn runner(cases: u32, file: &'static str) -> Runner {
    let persistence = Some(Box::new(FileFailurePersistence::Direct(file)) as Box<_>);
    Runner { cases, failure_persistence: persistence, ..Runner::default() }
}

/// A window that chooses its path, and one held to each.
pub(crate) fn windows(config: &Config) -> Result<[Window; 3], ConfigError> {
    Ok([
        Window::new(config)?,
        Window::with_path(config, Path::Dense)?,
        Window::with_path(config, Path::Sparse)?,
    ])
}

/// The bits of the numbers in each diagram.
pub(crate) fn bits(diagrams: &Diagrams) -> Bits {
    let pairs = |diagram: &Diagram| {
        let pairs = diagram.pairs().iter();
        pairs.map(|p| (p.birth.to_bits(), p.death.to_bits())).collect()
    };
    diagrams.all().iter().map(pairs).collect()
}

/// The bits that the oracle finds for these points.
pub(crate) fn expected(points: &[Vec<f32>], config: &Config) -> Bits {
    let diagrams = oracle::diagrams(points, config.max_radius);
    oracle::bits(&diagrams[..config.max_degree.diagrams()])
}

/// The bits that the batch engine finds for these points.
pub(crate) fn recomputed(points: &[Vec<f32>], config: &Config) -> Bits {
    bits(&batch::diagrams(&points.concat(), config).expect("the points are good"))
}

pub(crate) fn degrees() -> impl Strategy<Value = Degree> {
    prop_oneof![1 => Just(Degree::H0), 5 => Just(Degree::H1)]
}
