use persistence::Diagram;
use serde::{Deserialize, Serialize};

/// A class of homology with a finite death.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// The length at which the class appears.
    pub birth: f32,
    /// The length at which it disappears, at least `birth`.
    pub death: f32,
}

impl Bar {
    /// `death − birth`.
    pub fn persistence(&self) -> f64 {
        f64::from(self.death) - f64::from(self.birth)
    }
}

/// The classes of degree `degree` in the filtration ended at `end`: births at or beyond it are
/// dropped, later and infinite deaths become `end`. Degree 0 is reduced: of the components that
/// never die one is left out, because every window has it. When `end` is infinite, the
/// largest finite length of the diagram takes its place.
pub fn bars(diagram: &Diagram, degree: usize, end: f32) -> Vec<Bar> {
    let end = if end.is_finite() { end } else { longest_length(diagram) };
    let pairs = diagram.pairs();
    let alive = |p: &persistence::Pair| p.death == f32::INFINITY;
    let reduced = if degree == 0 { pairs.iter().rposition(alive) } else { None };
    let kept = pairs.iter().enumerate().filter(|(i, p)| Some(*i) != reduced && p.birth < end);
    kept.map(|(_, p)| Bar { birth: p.birth, death: p.death.min(end) }).collect()
}

/// The largest finite birth or death; 0 for an empty diagram.
pub(crate) fn longest_length(diagram: &Diagram) -> f32 {
    let lengths = diagram.pairs().iter().flat_map(|p| [p.birth, p.death]);
    lengths.filter(|l| l.is_finite()).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use persistence::Pair;

    fn diagram(pairs: &[(f32, f32)]) -> Diagram {
        pairs.iter().map(|&(birth, death)| Pair { birth, death }).collect()
    }

    #[test]
    fn one_essential_component_is_left_out() {
        let inf = f32::INFINITY;
        let found = bars(&diagram(&[(0.0, 1.0), (0.0, inf), (0.0, inf)]), 0, 2.0);
        let expected = [(0.0, 1.0), (0.0, 2.0)].map(|(birth, death)| Bar { birth, death });
        assert_eq!(found, expected);
    }

    #[test]
    fn the_end_drops_births_and_clips_deaths() {
        let found = bars(&diagram(&[(0.5, 3.0), (1.0, f32::INFINITY), (2.0, 3.0)]), 1, 2.0);
        let expected = [(0.5, 2.0), (1.0, 2.0)].map(|(birth, death)| Bar { birth, death });
        assert_eq!(found, expected);
    }

    #[test]
    fn an_infinite_end_is_the_largest_finite_length() {
        let found = bars(&diagram(&[(0.5, 3.0), (1.0, f32::INFINITY)]), 1, f32::INFINITY);
        assert_eq!(found[1], Bar { birth: 1.0, death: 3.0 });
    }
}
