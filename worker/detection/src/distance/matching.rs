use std::collections::VecDeque;

const NONE: usize = usize::MAX;

/// The right neighbours of left vertices.
#[derive(Default)]
pub(super) struct Neighbours {
    ends: Vec<usize>,
    right: Vec<usize>,
}

impl Neighbours {
    /// Adds a left vertex.
    pub(super) fn push(&mut self, right: impl Iterator<Item = usize>) {
        self.right.extend(right);
        self.ends.push(self.right.len());
    }

    /// The left vertices.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn of(&self, left: usize) -> &[usize] {
        let start = left.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.right[start..self.ends[left]]
    }
}

/// The size of a largest matching between left vertices, each with its right neighbours, and
/// `right` right vertices (Hopcroft and Karp, 1973): O(edges · √vertices).
pub(super) fn maximum_matching(neighbours: &Neighbours, right: usize) -> usize {
    let mut state = Matching {
        neighbours,
        left: vec![NONE; neighbours.len()],
        right: vec![NONE; right],
        layer: vec![0; neighbours.len()],
    };
    let mut size = 0;
    while state.layers() {
        let free: Vec<usize> = (0..neighbours.len()).filter(|&u| state.left[u] == NONE).collect();
        let augmented = free.into_iter().filter(|&u| state.augment(u)).count();
        size += augmented;
    }
    size
}

struct Matching<'a> {
    neighbours: &'a Neighbours,
    /// The right vertex matched to each left one.
    left: Vec<usize>,
    /// The left vertex matched to each right one.
    right: Vec<usize>,
    /// Matches between a free left vertex and this one on a shortest alternating path.
    layer: Vec<usize>,
}

impl Matching<'_> {
    /// Layers the left vertices by breadth; whether a free right vertex can be reached.
    fn layers(&mut self) -> bool {
        let mut queue = VecDeque::new();
        for u in 0..self.left.len() {
            self.layer[u] = if self.left[u] == NONE { 0 } else { NONE };
            if self.left[u] == NONE {
                queue.push_back(u);
            }
        }
        let mut reached = false;
        while let Some(u) = queue.pop_front() {
            for &v in self.neighbours.of(u) {
                let next = self.right[v];
                if next == NONE {
                    reached = true;
                } else if self.layer[next] == NONE {
                    self.layer[next] = self.layer[u] + 1;
                    queue.push_back(next);
                }
            }
        }
        reached
    }

    /// Extends the matching along a path of rising layers from `u`; whether there was one. The
    /// recursion is no deeper than the number of layers.
    fn augment(&mut self, u: usize) -> bool {
        let neighbours = self.neighbours;
        for &v in neighbours.of(u) {
            let next = self.right[v];
            let rises = next == NONE || self.layer[next] == self.layer[u].wrapping_add(1);
            if rises && (next == NONE || self.augment(next)) {
                self.left[u] = v;
                self.right[v] = u;
                return true;
            }
        }
        self.layer[u] = NONE;
        false
    }
}
