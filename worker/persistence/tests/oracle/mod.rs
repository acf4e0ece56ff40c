//! The textbook: the boundary matrix of the whole 2-skeleton, reduced column by column (Edelsbrunner,
//! Letscher, Zomorodian, 2002). It shares no code with the engines, not even the distance.

#![allow(dead_code, reason = "each test binary uses its part")]

/// Births and deaths of one degree, sorted; pairs of equal birth and death left out.
pub(crate) type Bars = Vec<(f32, f32)>;

/// Squared length, newer and older end.
pub(crate) type Edge = (f32, usize, usize);

/// The diagrams of degree 0 and 1 of `points` up to `radius`.
pub(crate) fn diagrams(points: &[Vec<f32>], radius: f32) -> [Bars; 2] {
    diagrams_if(points, |squared| within(radius, squared))
}

/// The diagrams of degree 0 and 1 of the edges whose squared length is accepted.
pub(crate) fn diagrams_if(points: &[Vec<f32>], accept: impl Fn(f32) -> bool) -> [Bars; 2] {
    let mut edges = edges(points, f32::INFINITY);
    edges.retain(|e| accept(e.0));
    let triangles = triangles(points.len(), &edges);
    let vertex_columns = edges.iter().map(|e| column(points.len(), &[e.1, e.2]));
    let edge_columns = triangles.iter().map(|t| column(edges.len(), t));
    let merges = reduce(points.len(), vertex_columns);
    let deaths = reduce(edges.len(), edge_columns);

    let mut degree_0 = vec![(0.0, f32::INFINITY); points.len()];
    let mut degree_1 = Vec::new();
    let mut opens = vec![true; edges.len()];
    for (vertex, edge) in merges.iter().enumerate() {
        if let Some(edge) = *edge {
            degree_0[vertex].1 = root(edges[edge].0);
            opens[edge] = false;
        }
    }
    for edge in (0..edges.len()).filter(|&e| opens[e]) {
        degree_1.push((root(edges[edge].0), length(&edges, &triangles, deaths[edge])));
    }
    [tidy(degree_0), tidy(degree_1)]
}

/// The death of the class that an edge opens.
pub(crate) fn death(points: &[Vec<f32>], edge: Edge, radius: f32) -> Option<f32> {
    let edges = edges(points, radius);
    let triangles = triangles(points.len(), &edges);
    let deaths = reduce(edges.len(), triangles.iter().map(|t| column(edges.len(), t)));
    let number = edges.iter().position(|e| *e == edge)?;
    Some(length(&edges, &triangles, deaths[number]))
}

/// The number of edges on a shortest path from end to end of an edge along those before it.
pub(crate) fn distance(points: &[Vec<f32>], edge: Edge) -> usize {
    let mut reached = vec![false; points.len()];
    reached[edge.1] = true;
    let mut steps = 0;
    while !reached[edge.2] {
        let before = reached.clone();
        for e in edges(points, f32::INFINITY).iter().filter(|e| **e < edge) {
            reached[e.1] |= before[e.2];
            reached[e.2] |= before[e.1];
        }
        steps += 1;
    }
    steps
}

fn length(edges: &[Edge], triangles: &[[usize; 3]], triangle: Option<usize>) -> f32 {
    let longest = |t: usize| edges[triangles[t][2].max(triangles[t][1]).max(triangles[t][0])];
    triangle.map_or(f32::INFINITY, |t| root(longest(t).0))
}

/// Diagrams as the bits of their numbers, to be compared.
pub(crate) fn bits(diagrams: &[Bars]) -> Vec<Vec<(u32, u32)>> {
    let bits = |bars: &Bars| bars.iter().map(|(b, d)| (b.to_bits(), d.to_bits())).collect();
    diagrams.iter().map(bits).collect()
}

/// The edges up to `radius`, in order.
pub(crate) fn edges(points: &[Vec<f32>], radius: f32) -> Vec<Edge> {
    let mut edges = Vec::new();
    for i in 0..points.len() {
        for j in 0..i {
            let squared = squared_distance(&points[i], &points[j]);
            if within(radius, squared) {
                edges.push((squared, i, j));
            }
        }
    }
    edges.sort_by(|a, b| a.partial_cmp(b).expect("lengths are numbers"));
    edges
}

/// Whether an edge of this squared length is in the filtration.
pub(crate) fn within(radius: f32, squared: f32) -> bool {
    squared <= radius * radius && squared < f32::INFINITY
}

pub(crate) fn squared_distance(p: &[f32], q: &[f32]) -> f32 {
    let squares = p.iter().zip(q).map(|(x, y)| (x - y) * (x - y));
    squares.fold(0.0, |sum, square| sum + square)
}

/// The points without the later copies of equal ones.
pub(crate) fn distinct(points: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut distinct: Vec<Vec<f32>> = Vec::new();
    for point in points {
        if !distinct.contains(point) {
            distinct.push(point.clone());
        }
    }
    distinct
}

/// The three edges of each triangle, by number; in the order of the longest.
fn triangles(vertices: usize, edges: &[Edge]) -> Vec<[usize; 3]> {
    let mut number = vec![vec![None; vertices]; vertices];
    for (e, &(_, i, j)) in edges.iter().enumerate() {
        number[j][i] = Some(e);
    }
    let mut triangles = Vec::new();
    for i in 0..vertices {
        for j in i + 1..vertices {
            for k in j + 1..vertices {
                if let (Some(a), Some(b), Some(c)) = (number[i][j], number[i][k], number[j][k]) {
                    triangles.push([a, b, c]);
                }
            }
        }
    }
    triangles.sort_by_key(|t| t.iter().max().copied());
    triangles
}

fn column(rows: usize, ones: &[usize]) -> Vec<u64> {
    let mut words = vec![0; rows.div_ceil(64)];
    ones.iter().for_each(|one| words[one / 64] |= 1 << (one % 64));
    words
}

/// For each row, the column whose lowest one it is when all columns have been reduced.
fn reduce(rows: usize, columns: impl Iterator<Item = Vec<u64>>) -> Vec<Option<usize>> {
    let mut owner: Vec<Option<usize>> = vec![None; rows];
    let mut reduced: Vec<Vec<u64>> = Vec::new();
    for mut column in columns {
        while let Some(low) = lowest(&column) {
            let Some(earlier) = owner[low] else {
                owner[low] = Some(reduced.len());
                break;
            };
            column.iter_mut().zip(&reduced[earlier]).for_each(|(a, b)| *a ^= b);
        }
        reduced.push(column);
    }
    owner
}

fn lowest(column: &[u64]) -> Option<usize> {
    let word = column.iter().rposition(|w| *w != 0)?;
    Some(word * 64 + 63 - column[word].leading_zeros() as usize)
}

/// The square root rounded to `f32`: the detour by `f64` rounds to the same number.
fn root(squared: f32) -> f32 {
    f64::from(squared).sqrt() as f32
}

fn tidy(mut bars: Bars) -> Bars {
    bars.retain(|bar| bar.0 != bar.1);
    bars.sort_by(|a, b| a.partial_cmp(b).expect("lengths are numbers"));
    bars
}
