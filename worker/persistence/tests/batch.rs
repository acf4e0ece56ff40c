//! The batch engine against the textbook.

mod clouds;
mod oracle;

use persistence::{Config, Degree, Diagrams, batch};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, FileFailurePersistence};

fn runner(cases: u32) -> Runner {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/regressions/batch.txt");
    let persistence = Some(Box::new(FileFailurePersistence::Direct(file)) as Box<_>);
    Runner { cases, failure_persistence: persistence, ..Runner::default() }
}

fn bits(diagrams: &Diagrams) -> Vec<Vec<(u32, u32)>> {
    let pairs = |d: &persistence::Diagram| {
        d.pairs().iter().map(|p| (p.birth.to_bits(), p.death.to_bits())).collect()
    };
    diagrams.all().iter().map(pairs).collect()
}

proptest! {
    #![proptest_config(runner(2000))]

    #[test]
    fn diagrams_are_those_of_the_oracle(cloud in clouds::clouds(28)) {
        let config = Config::new(cloud.dimension, 1, cloud.radius);
        let found = batch::diagrams(&cloud.rows(), &config)?;
        prop_assert_eq!(bits(&found), oracle::bits(&oracle::diagrams(&cloud.points, cloud.radius)));

        let config = Config { max_degree: Degree::H0, ..config };
        let components = batch::diagrams(&cloud.rows(), &config)?;
        prop_assert_eq!(components.all(), &found.all()[..1]);
    }
}
