use super::bits::{bits, is_empty};

/// A loop that is alive, as a cocycle: the edges on which it is one, a symmetric matrix of
/// bits. Most rows are zero, and only the others are stored.
#[derive(Debug, Default)]
pub(crate) struct Cocycle {
    /// Squared length at birth.
    pub(crate) birth: f32,
    /// Rank among the births of the sweep.
    pub(crate) rank: usize,
    pub(crate) alive: bool,
    /// Row after row; the first is the zero row.
    rows: Vec<u64>,
    /// For each vertex, its row in `rows`.
    row_of: Vec<u16>,
    /// The vertices whose row is not zero.
    vertices: Vec<u64>,
}

impl Cocycle {
    /// A cocycle that is zero on all edges between `slots` vertices.
    pub(crate) fn zero<const N: usize>(slots: usize) -> Cocycle {
        Cocycle {
            rows: vec![0; N],
            row_of: vec![0; slots],
            vertices: vec![0; N],
            ..Cocycle::default()
        }
    }

    /// The edges at a vertex on which it is one.
    #[inline(always)]
    pub(crate) fn row<const N: usize>(&self, vertex: usize) -> &[u64; N] {
        &self.rows.as_chunks().0[self.row_of[vertex] as usize]
    }

    /// Makes it one on the edge `ab`.
    pub(crate) fn set<const N: usize>(&mut self, a: usize, b: usize) {
        self.row_mut::<N>(a)[b / 64] |= 1 << (b % 64);
        self.row_mut::<N>(b)[a / 64] |= 1 << (a % 64);
    }

    /// Adds another cocycle, and tells for each vertex of that one whether this one's row is
    /// now other than zero.
    pub(crate) fn add<const N: usize>(
        &mut self,
        other: &Cocycle,
        mut changed: impl FnMut(usize, bool),
    ) {
        for vertex in bits(&other.vertices) {
            let row = self.row_mut::<N>(vertex);
            row.iter_mut().zip(other.row::<N>(vertex)).for_each(|(x, y)| *x ^= y);
            let rest = !is_empty(row);
            if !rest {
                self.drop_row(vertex);
            }
            changed(vertex, rest);
        }
    }

    /// Makes it zero everywhere; gives the vertices where it was not.
    pub(crate) fn clear<const N: usize>(&mut self) -> [u64; N] {
        let vertices = std::array::from_fn(|i| self.vertices[i]);
        bits(&vertices).for_each(|vertex| self.drop_row(vertex));
        self.rows.truncate(N);
        self.alive = false;
        vertices
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        (self.rows.capacity() + self.vertices.capacity()) * 8 + self.row_of.capacity() * 2
    }

    fn row_mut<const N: usize>(&mut self, vertex: usize) -> &mut [u64; N] {
        if self.row_of[vertex] == 0 {
            self.row_of[vertex] = (self.rows.len() / N) as u16;
            self.rows.extend([0; N]);
            self.vertices[vertex / 64] |= 1 << (vertex % 64);
        }
        &mut self.rows.as_chunks_mut().0[self.row_of[vertex] as usize]
    }

    fn drop_row(&mut self, vertex: usize) {
        self.row_of[vertex] = 0;
        self.vertices[vertex / 64] &= !(1 << (vertex % 64));
    }
}
