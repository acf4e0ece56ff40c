//! The JSON of an emission: the lines that `diagrams` prints, and the same bytes in Kafka records.

use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The persistence diagrams of one window at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Emission {
    /// 0-based index of the newest point of the window in the stream of points.
    pub end: u64,
    /// Points in the window.
    pub window: usize,
    /// One diagram for each degree from 0: pairs `[birth, death]` sorted by birth, then death.
    /// A death of `null` is a class that is still alive at the maximal radius.
    pub diagrams: Vec<Vec<(f32, Option<f32>)>>,
}

impl From<&persistence::Emission> for Emission {
    fn from(emission: &persistence::Emission) -> Emission {
        Emission::new(emission.end, emission.window, &emission.diagrams)
    }
}

impl Emission {
    /// The diagrams of a window of `window` points whose newest is number `end`.
    pub fn new(end: u64, window: usize, diagrams: &persistence::Diagrams) -> Emission {
        let pair = |p: &persistence::Pair| (p.birth, p.death.is_finite().then_some(p.death));
        let diagram = |d: &persistence::Diagram| d.pairs().iter().map(pair).collect();
        Emission { end, window, diagrams: diagrams.all().iter().map(diagram).collect() }
    }

    /// Writes the compact JSON, without a line end. Every number is the shortest decimal that
    /// reads back as the same `f32`.
    ///
    /// # Errors
    /// When `to` cannot be written to.
    pub fn write(&self, to: impl io::Write) -> io::Result<()> {
        serde_json::to_writer(to, self).map_err(io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::Emission;

    #[test]
    fn numbers_are_the_shortest_decimals_of_their_f32() {
        let pairs = vec![(0.0, Some(0.1)), (1e-45, Some(16_777_216.0)), (0.5, None)];
        let emission = Emission { end: 999, window: 1000, diagrams: vec![pairs, vec![]] };
        let mut json = Vec::new();
        emission.write(&mut json).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(
            json,
            r#"{"end":999,"window":1000,"diagrams":[[[0.0,0.1],[1e-45,16777216.0],[0.5,null]],[]]}"#
        );
        assert_eq!(serde_json::from_str::<Emission>(&json).unwrap(), emission);
    }
}
