use crate::simd::Simd;

use super::adjacency::NONE;
use super::graph::Graph;
use super::order::Edge;
use super::records::{Record, Records};
use super::reduce::{Matrix, Reduction};
use super::relative::{DEAD, Relative, TREE};
use super::state::State;

/// The boundary of a critical triangle: of the edge and a vertex `apex` of a further component of
/// its lune, with the triangle over `base` taken off. A chain of relative neighbourhood edges.
#[derive(Clone, Copy, Debug)]
struct Column {
    edge: Edge,
    record: u32,
    stamp: u64,
    base: u32,
    apex: u32,
    /// The oldest vertex that the flow visited.
    oldest: u32,
    /// Where the chain is kept; [`NONE`] in `len` before it is known.
    start: u32,
    len: u32,
    /// The vertices that the flow visited.
    visited: Filter,
}

/// An edge on the way of the flow for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    column: u32,
    older: u32,
    newer: u32,
}

/// The Morse complex: its boundary matrix, kept between emissions.
#[derive(Debug, Default)]
pub(super) struct Morse {
    /// In the order of their edges.
    columns: Vec<Column>,
    new: Vec<Column>,
    spare: Vec<Column>,
    /// Chains as numbers of relative neighbourhood edges, in the order of the columns.
    chains: Vec<u32>,
    spare_chains: Vec<u32>,
    /// The vertices that left before their turn since the last emission.
    left: Filter,
    items: Vec<Item>,
    next_items: Vec<Item>,
    /// What the flow reached: column and edge number.
    reached: Vec<(u32, u32)>,
    /// Columns whose chain is being made anew.
    renewed: Vec<u32>,
    matrix: Matrix,
    reduction: Reduction,
}

/// Items beyond which equal ones are cancelled at each step of the flow.
const MANY: usize = 1 << 14;

impl Morse {
    /// Notes that a vertex left before its turn.
    pub(super) fn forget(&mut self, id: u32) {
        self.left.add(id);
    }

    /// Takes the critical triangles of a lune whose components have changed.
    pub(super) fn add(&mut self, record: u32, stamp: u64, r: &Record) {
        let column = |&apex: &u32| Column {
            edge: r.edge,
            record,
            stamp,
            base: r.base,
            apex,
            oldest: NONE,
            start: 0,
            len: NONE,
            visited: Filter::default(),
        };
        self.new.extend(r.others.iter().map(column));
    }

    /// Brings the boundary matrix up to date.
    pub(super) fn build(&mut self, graph: &Graph, records: &Records, relative: &Relative) {
        self.settle(records);
        self.inspect(graph.oldest, relative);
        self.flow(graph, records);
        self.rewrite();
        self.left = Filter::default();
        // The first window needs much more room than those that follow.
        self.items.shrink_to(2 * MANY);
        self.next_items.shrink_to(2 * MANY);
        self.reached.shrink_to(2 * MANY);
    }

    /// The pairs of degree one.
    pub(super) fn pairs(&mut self, relative: &Relative, loops: &mut Vec<(f32, f32)>) {
        self.matrix.clear();
        for column in &self.columns {
            let chain = &self.chains[column.start as usize..][..column.len as usize];
            let places = chain.iter().map(|&number| relative.place(number));
            self.matrix.push(places.filter(|&place| place != TREE));
        }
        let deaths = self.reduction.deaths(&mut self.matrix, relative.births.len());
        loops.extend(relative.births.iter().zip(deaths).map(|(&birth, &death)| {
            let death = self.columns.get(death as usize);
            (birth, death.map_or(f32::INFINITY, |column| column.edge.length))
        }));
    }

    /// Merges the new columns and drops those of lunes that have changed.
    fn settle(&mut self, records: &Records) {
        let current = |c: &Column| records.stamp(c.record) == c.stamp;
        self.new.retain(current);
        self.new.sort_unstable_by_key(|c| c.edge);
        self.spare.clear();
        let mut new = self.new.drain(..).peekable();
        for old in self.columns.iter().filter(|c| current(c)) {
            while let Some(column) = new.next_if(|c| c.edge < old.edge) {
                self.spare.push(column);
            }
            self.spare.push(*old);
        }
        self.spare.extend(new);
        std::mem::swap(&mut self.columns, &mut self.spare);
    }

    /// Finds the chains that do not hold any more, and where the flow has to start again. A chain
    /// holds as long as all vertices that the flow visited live and its edges are in the relative
    /// neighbourhood graph; an edge that has left it is carried on by the flow.
    fn inspect(&mut self, oldest: u32, relative: &Relative) {
        self.items.clear();
        self.reached.clear();
        self.renewed.clear();
        for (at, column) in self.columns.iter_mut().enumerate() {
            let at = at as u32;
            if column.len == NONE || column.oldest < oldest || column.visited.may_meet(&self.left) {
                (column.oldest, column.visited, column.len) = (NONE, Filter::default(), 0);
                let Edge { older, newer, .. } = column.edge;
                for apex in [column.base, column.apex] {
                    self.items.push(Item::new(at, older, apex));
                    self.items.push(Item::new(at, apex, newer));
                }
                self.renewed.push(at);
                continue;
            }
            let chain = &self.chains[column.start as usize..][..column.len as usize];
            if chain.iter().all(|&number| relative.place(number) != DEAD) {
                continue;
            }
            for &number in chain {
                match relative.place(number) {
                    DEAD => {
                        let (older, newer) = relative.ends(number);
                        self.items.push(Item { column: at, older, newer });
                    }
                    _ => self.reached.push((at, number)),
                }
            }
            self.renewed.push(at);
        }
    }

    /// Carries the items along the gradient until only relative neighbourhood edges are left, all
    /// columns abreast.
    fn flow(&mut self, graph: &Graph, records: &Records) {
        while !self.items.is_empty() {
            if self.items.len() > MANY {
                self.items.sort_unstable();
                cancel_pairs(&mut self.items);
            }
            self.next_items.clear();
            for (i, &item) in self.items.iter().enumerate() {
                if let Some(ahead) = self.items.get(i + 12) {
                    Simd::prefetch(graph.vertex(ahead.older));
                }
                if let Some(ahead) = self.items.get(i + 6) {
                    graph.vertex(ahead.older).prefetch_newer();
                }
                let column = &mut self.columns[item.column as usize];
                column.oldest = column.oldest.min(item.older);
                column.visited.add(item.older);
                column.visited.add(item.newer);
                debug_assert!(graph.is_live(item.older) && graph.is_live(item.newer));
                let owner = graph.vertex(item.older);
                let Some(position) = owner.position(graph.simd, item.newer) else { continue };
                let apex = match owner.state(position) {
                    State::Relative(number) => {
                        self.reached.push((item.column, number));
                        continue;
                    }
                    State::Cone(apex) => apex,
                    State::Open { record, .. } => records.get(record).base,
                };
                self.next_items.push(Item::new(item.column, item.older, apex));
                self.next_items.push(Item::new(item.column, apex, item.newer));
            }
            std::mem::swap(&mut self.items, &mut self.next_items);
        }
    }

    /// Writes all chains in the order of the columns.
    fn rewrite(&mut self) {
        self.reached.sort_unstable();
        cancel_pairs(&mut self.reached);
        let mut reached = self.reached.iter().peekable();
        let mut renewed = self.renewed.iter().peekable();
        let chains = &mut self.spare_chains;
        chains.clear();
        for (at, column) in self.columns.iter_mut().enumerate() {
            let at = at as u32;
            let start = chains.len();
            if renewed.next_if(|&&c| c == at).is_some() {
                while let Some((_, number)) = reached.next_if(|&&(c, _)| c == at) {
                    chains.push(*number);
                }
            } else {
                let chain = column.start as usize..(column.start + column.len) as usize;
                chains.extend_from_slice(&self.chains[chain]);
            }
            (column.start, column.len) = (start as u32, (chains.len() - start) as u32);
        }
        std::mem::swap(&mut self.chains, &mut self.spare_chains);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let columns = self.columns.capacity() + self.new.capacity() + self.spare.capacity();
        let items = self.items.capacity() + self.next_items.capacity();
        columns * size_of::<Column>()
            + items * size_of::<Item>()
            + self.reached.capacity() * size_of::<(u32, u32)>()
            + (self.chains.capacity() + self.spare_chains.capacity() + self.renewed.capacity()) * 4
            + self.matrix.heap_bytes()
            + self.reduction.heap_bytes()
    }
}

impl Item {
    #[inline]
    fn new(column: u32, a: u32, b: u32) -> Item {
        Item { column, older: a.min(b), newer: a.max(b) }
    }
}

/// A set of vertices, of which some may be taken for others.
#[derive(Clone, Copy, Debug, Default)]
struct Filter([u64; 4]);

impl Filter {
    #[inline]
    fn add(&mut self, id: u32) {
        let hash = id.wrapping_mul(0x9E37_79B1) >> 24;
        self.0[hash as usize / 64] |= 1 << (hash % 64);
    }

    #[inline]
    fn may_meet(&self, other: &Filter) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }
}

/// Takes equal neighbours out two by two.
fn cancel_pairs<T: PartialEq + Copy>(sorted: &mut Vec<T>) {
    let mut kept = 0;
    for i in 0..sorted.len() {
        if kept > 0 && sorted[kept - 1] == sorted[i] {
            kept -= 1;
        } else {
            sorted[kept] = sorted[i];
            kept += 1;
        }
    }
    sorted.truncate(kept);
}
