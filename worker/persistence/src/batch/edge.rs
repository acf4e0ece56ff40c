//! The strict order in which edges and triangles enter the filtration.

/// An edge: by its squared length, then its newer end, then its older end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Edge {
    /// The bits of a float that is not negative sort as the float does.
    length: u32,
    pub(super) newer: u32,
    pub(super) older: u32,
}

impl Edge {
    pub(super) fn new(length: f32, a: u32, b: u32) -> Edge {
        Edge { length: length.to_bits(), newer: a.max(b), older: a.min(b) }
    }

    /// The squared length.
    pub(super) fn length(self) -> f32 {
        f32::from_bits(self.length)
    }
}

/// A triangle: by its longest edge, then by the vertex across from it. The triangle over the known
/// member of that edge's lune comes first, so that the two are an apparent pair. One word, so that
/// a comparison is one: columns are made of little else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Triangle(u128);

impl Triangle {
    pub(super) fn new(longest: Edge, vertex: u32, member: Option<u32>) -> Triangle {
        let across = if member == Some(vertex) { 0 } else { vertex + 1 };
        let parts = [longest.length, longest.newer, longest.older, across];
        Triangle(parts.iter().fold(0, |word, &part| word << 32 | u128::from(part)))
    }

    pub(super) fn longest(self) -> Edge {
        let part = |shift: u32| (self.0 >> shift) as u32;
        Edge { length: part(96), newer: part(64), older: part(32) }
    }

    /// Whether the triangle and its longest edge are an apparent pair.
    pub(super) fn is_apparent(self) -> bool {
        self.0 as u32 == 0
    }
}
