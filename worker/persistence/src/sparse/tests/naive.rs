//! Textbook persistent homology: the boundary matrix of all triangles, reduced column by column.

use std::collections::HashMap;

use crate::Degree;
use crate::diagram::SquaredPairs;
use crate::metric::squared_distance;

/// Pairs as bits, sorted, without those of equal birth and death.
#[derive(Debug, PartialEq)]
pub(super) struct Pairs {
    merges: Vec<u32>,
    components: usize,
    loops: Vec<(u32, u32)>,
}

impl Pairs {
    pub(super) fn of(found: &SquaredPairs) -> Pairs {
        let mut merges: Vec<u32> = found.merges.iter().map(|l| l.to_bits()).collect();
        let loops = found.loops.iter().filter(|(birth, death)| birth != death);
        let mut loops: Vec<_> = loops.map(|(b, d)| (b.to_bits(), d.to_bits())).collect();
        merges.sort_unstable();
        loops.sort_unstable();
        Pairs { merges, components: found.components, loops }
    }
}

fn edges(points: &[&[f32]], max_squared: f32) -> Vec<(f32, usize, usize)> {
    let mut edges = Vec::new();
    for j in 0..points.len() {
        for i in 0..j {
            let length = squared_distance(points[i], points[j]);
            if length <= max_squared {
                edges.push((length, i, j));
            }
        }
    }
    edges.sort_by(|a, b| a.partial_cmp(b).unwrap());
    edges
}

pub(super) fn lengths(points: &[&[f32]], max_squared: f32) -> Vec<f32> {
    edges(points, max_squared).into_iter().map(|(length, ..)| length).collect()
}

pub(super) fn pairs(points: &[&[f32]], max_squared: f32, max_degree: Degree) -> Pairs {
    let edges = edges(points, max_squared);
    let mut found = SquaredPairs::default();
    let mut component: Vec<usize> = (0..points.len()).collect();
    let mut positive = vec![true; edges.len()];
    for (e, &(length, i, j)) in edges.iter().enumerate() {
        let (from, to) = (component[i], component[j]);
        if from != to {
            component.iter_mut().filter(|c| **c == from).for_each(|c| *c = to);
            found.merges.push(length);
            positive[e] = false;
        }
    }
    found.components = points.len() - found.merges.len();
    if max_degree == Degree::H1 {
        let deaths = deaths(points.len(), &edges);
        for (e, &(birth, ..)) in edges.iter().enumerate().filter(|(e, _)| positive[*e]) {
            found.loops.push((birth, deaths.get(&e).map_or(f32::INFINITY, |&d| edges[d].0)));
        }
    }
    Pairs::of(&found)
}

/// For each edge that is paired, the longest edge of the triangle it is paired with.
fn deaths(points: usize, edges: &[(f32, usize, usize)]) -> HashMap<usize, usize> {
    let mut neighbours = vec![HashMap::new(); points];
    for (e, &(_, i, j)) in edges.iter().enumerate() {
        neighbours[i].insert(j, e);
        neighbours[j].insert(i, e);
    }
    let mut reduced: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut deaths = HashMap::new();
    for (e, &(_, i, j)) in edges.iter().enumerate() {
        for (k, &a) in &neighbours[i] {
            let Some(&b) = neighbours[j].get(k).filter(|&&b| a < e && b < e) else { continue };
            let mut column = vec![a.min(b), a.max(b), e];
            while let Some(pivot) = column.last() {
                let Some(other) = reduced.get(pivot) else {
                    deaths.insert(*pivot, e);
                    reduced.insert(*pivot, column);
                    break;
                };
                column = symmetric_difference(&column, other);
            }
        }
    }
    deaths
}

fn symmetric_difference(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut sum = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (x, y) = (a.get(i).unwrap_or(&usize::MAX), b.get(j).unwrap_or(&usize::MAX));
        if x != y {
            sum.push(*x.min(y));
        }
        (i, j) = (i + usize::from(x <= y), j + usize::from(y <= x));
    }
    sum
}
