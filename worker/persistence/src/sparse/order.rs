use std::cmp::Ordering;

/// An edge under the total order of the filtration: by squared length, then by the newer and the
/// older of its ends.
///
/// The order of two edges never changes while they live, and a new point only adds edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) length: f32,
    pub(super) newer: u32,
    pub(super) older: u32,
}

impl Eq for Edge {}

impl Ord for Edge {
    fn cmp(&self, other: &Edge) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Edge {
    fn partial_cmp(&self, other: &Edge) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Edge {
    /// Lengths are never negative, so their bits are in their order.
    fn key(&self) -> (u64, u32) {
        (u64::from(self.length.to_bits()) << 32 | u64::from(self.newer), self.older)
    }
}
