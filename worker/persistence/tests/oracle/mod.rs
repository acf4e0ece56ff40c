//! The textbook: the boundary matrix of the whole 2-skeleton, reduced column by column (Edelsbrunner,
//! Letscher, Zomorodian, 2002). It shares no code with the engines, not even the distance.

#![allow(dead_code, reason = "each test binary uses its part")]

/// Births and deaths of one degree, sorted; pairs of equal birth and death left out.
pub(crate) type Bars = Vec<(f32, f32)>;

/// The diagrams of degree 0 and 1 of `points` up to `radius`.
pub(crate) fn diagrams(points: &[Vec<f32>], radius: f32) -> [Bars; 2] {
    let edges = edges(points, radius);
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
        let death = deaths[edge].map(|t| edges[*triangles[t].iter().max().expect("three edges")].0);
        degree_1.push((root(edges[edge].0), death.map_or(f32::INFINITY, root)));
    }
    [tidy(degree_0), tidy(degree_1)]
}

/// Diagrams as the bits of their numbers, to be compared.
pub(crate) fn bits(diagrams: &[Bars]) -> Vec<Vec<(u32, u32)>> {
    let bits = |bars: &Bars| bars.iter().map(|(b, d)| (b.to_bits(), d.to_bits())).collect();
    diagrams.iter().map(bits).collect()
}

/// Squared length and ends of each edge, in order.
pub(crate) fn edges(points: &[Vec<f32>], radius: f32) -> Vec<(f32, usize, usize)> {
    let limit = radius * radius;
    let mut edges = Vec::new();
    for i in 0..points.len() {
        for j in 0..i {
            let squares = points[i].iter().zip(&points[j]).map(|(p, q)| (p - q) * (p - q));
            let squared = squares.fold(0.0f32, |sum, square| sum + square);
            if squared <= limit && squared < f32::INFINITY {
                edges.push((squared, j, i));
            }
        }
    }
    edges.sort_by(|a, b| a.partial_cmp(b).expect("lengths are numbers"));
    edges
}

/// The three edges of each triangle, by number; in the order of the longest.
fn triangles(vertices: usize, edges: &[(f32, usize, usize)]) -> Vec<[usize; 3]> {
    let mut number = vec![vec![None; vertices]; vertices];
    for (e, &(_, i, j)) in edges.iter().enumerate() {
        number[i][j] = Some(e);
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
