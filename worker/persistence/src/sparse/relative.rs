use super::order::Edge;

/// The relative neighbourhood graph: the edges with an empty lune, which are the births of degree
/// one and, among them, the minimum spanning tree.
#[derive(Debug, Default)]
pub(super) struct Relative {
    /// Edges in order, with their numbers.
    sorted: Vec<(Edge, u32)>,
    new: Vec<(Edge, u32)>,
    spare: Vec<(Edge, u32)>,
    /// By number: [`DEAD`], [`TREE`] or the index among the births.
    place: Vec<u32>,
    /// By number: older and newer end.
    ends: Vec<(u32, u32)>,
    free: Vec<u32>,
    /// Numbers that no list holds any more, but a chain may.
    retired: Vec<u32>,
    parents: Vec<u32>,
    /// Squared lengths of the edges outside the tree, in order.
    pub(super) births: Vec<f32>,
}

/// The place of an edge that is no longer in the graph.
pub(super) const DEAD: u32 = u32::MAX - 1;
/// The place of an edge of the minimum spanning tree.
pub(super) const TREE: u32 = u32::MAX;

impl Relative {
    /// Takes an edge; gives its number.
    pub(super) fn add(&mut self, edge: Edge) -> u32 {
        let ends = (edge.older, edge.newer);
        let number = match self.free.pop() {
            Some(number) => {
                self.ends[number as usize] = ends;
                self.place[number as usize] = TREE;
                number
            }
            None => {
                self.ends.push(ends);
                self.place.push(TREE);
                (self.place.len() - 1) as u32
            }
        };
        self.new.push((edge, number));
        number
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.place[number as usize] = DEAD;
    }

    #[inline]
    pub(super) fn place(&self, number: u32) -> u32 {
        self.place[number as usize]
    }

    pub(super) fn ends(&self, number: u32) -> (u32, u32) {
        self.ends[number as usize]
    }

    /// Brings the sorted list up to date.
    pub(super) fn settle(&mut self) {
        self.new.sort_unstable();
        self.spare.clear();
        let mut new = self.new.drain(..).peekable();
        for &old in &self.sorted {
            while let Some(entry) = new.next_if(|entry| entry.0 < old.0) {
                self.spare.push(entry);
            }
            self.spare.push(old);
        }
        self.spare.extend(new);
        let (place, retired) = (&self.place, &mut self.retired);
        self.spare.retain(|&(_, number)| {
            let live = place[number as usize] != DEAD;
            if !live {
                retired.push(number);
            }
            live
        });
        std::mem::swap(&mut self.sorted, &mut self.spare);
    }

    /// Kruskal's algorithm over vertices `id mod capacity`, of which `live` exist. Appends the
    /// squared lengths of the tree's edges; the others are the births.
    pub(super) fn span(&mut self, capacity: usize, live: usize, merges: &mut Vec<f32>) {
        let mask = capacity as u32 - 1;
        self.parents.clear();
        self.parents.extend(0..capacity as u32);
        self.births.clear();
        let mut components = live;
        for &(edge, number) in &self.sorted {
            let joins = components > 1 && {
                let a = root(&mut self.parents, edge.older & mask);
                let b = root(&mut self.parents, edge.newer & mask);
                self.parents[a as usize] = b;
                a != b
            };
            self.place[number as usize] = if joins {
                components -= 1;
                merges.push(edge.length);
                TREE
            } else {
                self.births.push(edge.length);
                (self.births.len() - 1) as u32
            };
        }
    }

    /// Frees the numbers of removed edges, once no chain holds them.
    pub(super) fn recycle(&mut self) {
        self.free.append(&mut self.retired);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let lists = self.sorted.capacity() + self.new.capacity() + self.spare.capacity();
        let numbers = self.place.capacity()
            + 2 * self.ends.capacity()
            + self.free.capacity()
            + self.retired.capacity()
            + self.parents.capacity()
            + self.births.capacity();
        lists * size_of::<(Edge, u32)>() + numbers * size_of::<u32>()
    }
}

/// The root of a vertex, halving the path to it.
fn root(parents: &mut [u32], mut v: u32) -> u32 {
    while parents[v as usize] != v {
        let above = parents[parents[v as usize] as usize];
        parents[v as usize] = above;
        v = above;
    }
    v
}
