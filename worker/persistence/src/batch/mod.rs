//! Diagrams computed from scratch.
//!
//! For points that are at hand once, and to audit a [`Window`](crate::Window): this engine shares
//! with the windows the length of an edge ([`crate`]) and the way in which pairs become diagrams,
//! and nothing else. Its answer is theirs, bit for bit.
//!
//! What it does, and where that comes from:
//! * An edge whose *lune* (the points nearer to both its ends than they are to each other) is
//!   empty belongs to the relative neighbourhood graph; only such edges merge components or
//!   open loops (Koyama, Mémoli, Robins, Turner, arXiv:2307.16333). Kruskal's algorithm on that
//!   graph gives degree 0; the edges that it leaves out are the births of degree 1.
//! * Their deaths are found by implicit persistent cohomology with apparent pairs, as in Ripser
//!   (Bauer, arXiv:1908.02518). Any point of the lune makes an apparent pair with its edge, so
//!   the first one found is kept and later looked up.
//!
//! The time is that of finding all pairs within the radius, then near linear in their number for
//! degree 0; for degree 1 it grows with the loops that live long. Memory is linear in the number
//! of edges: an infinite radius makes that quadratic in the number of points.
//!
//! Not promised: speed next to a window that slides, and which of several classes with equal birth
//! and death a [`Loop`] shows, other than that it depends on nothing but the input.

mod cohomology;
mod cycle;
mod edge;
mod forest;
mod graph;
mod lune;

use crate::diagram::SquaredPairs;
use crate::error::check_point;
use crate::{Config, Degree, Diagram, Diagrams, Error, Pair};

use edge::Edge;
use graph::Graph;

/// A loop among the points, and the class of degree 1 that it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// The length of the longest edge of the loop, with which the class appears.
    pub birth: f32,
    /// The length at which the class disappears; infinite when it is alive at the maximal radius.
    pub death: f32,
    /// Row indices of the points on the loop in cyclic order, at least four and without
    /// repetition. The longest edge joins the last one to the first, which is the older of the
    /// two. Of equal points the oldest is named.
    pub points: Vec<usize>,
}

/// The persistence diagrams of all rows of `points`, `config.dimension` coordinates each, whatever
/// `config.window` is. No points have empty diagrams.
///
/// # Errors
/// When the dimension or the radius cannot be used, when there are more than
/// [`Config::MAX_WINDOW`] points, or when a row is incomplete or not finite: the first such row.
pub fn diagrams(points: &[f32], config: &Config) -> Result<Diagrams, Error> {
    let graph = graph(points, config)?;
    let forest = forest::span(&graph);
    let mut found = SquaredPairs::default();
    if config.max_degree == Degree::H1 {
        let pairs = cohomology::pairs(&graph, &forest.residual);
        found.loops = pairs.iter().map(|&(birth, death)| (birth.length(), death)).collect();
    }
    found.components = forest.components;
    found.merges = forest.merges;
    Ok(found.diagrams(config.max_degree))
}

/// The most persistent class of degree 1 of all rows of `points`, the first of them in the order
/// of the diagram, as a loop; `None` when there is no loop. `config.max_degree` plays no part.
///
/// The loop is the edge with which the class appears, closed by a path of edges that come before
/// it (Dey, Hou, Mandal, arXiv:1810.04807), here one with the fewest edges. From `death` on, and
/// not before, such a loop is homologous to one of earlier edges alone. It is neither promised to
/// be the shortest of its class, nor to bound at `death` without the help of earlier loops.
///
/// # Errors
/// As [`diagrams`].
pub fn longest_loop(points: &[f32], config: &Config) -> Result<Option<Loop>, Error> {
    let graph = graph(points, config)?;
    let residual = forest::span(&graph).residual;
    let pairs = cohomology::pairs(&graph, &residual);
    let bar =
        |(edge, death): &(Edge, f32)| Pair { birth: edge.length().sqrt(), death: death.sqrt() };
    let diagram: Diagram = pairs.iter().map(bar).collect();
    let longest = diagram.longest();
    let smallest = pairs.iter().filter(|p| Some(&bar(p)) == longest).map(|p| p.0).min();
    Ok(longest.zip(smallest).map(|(pair, edge)| Loop {
        birth: pair.birth,
        death: pair.death,
        points: cycle::through(&graph, edge),
    }))
}

fn graph(points: &[f32], config: &Config) -> Result<Graph, Error> {
    let rows = points.len() / config.dimension.max(1);
    Config { window: rows.max(1), ..config.clone() }.validate()?;
    for (index, row) in points.chunks(config.dimension).enumerate() {
        check_point(row, config.dimension, index as u64)?;
    }
    let mut graph = Graph::new(points, config.dimension, config.max_squared());
    lune::find_members(&mut graph);
    Ok(graph)
}
