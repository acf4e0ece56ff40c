use super::{Order, between, to_diagonal};
use crate::bars::Bar;

/// The smallest sum of the powers of the costs over all matchings with the diagonal.
///
/// All of `columns` go to the diagonal at first; a row that takes one of them pays the match less
/// what the column's own way would have cost. A row goes either to a column or, like nobody
/// else, to its own place on the diagonal. Rows are assigned one by one along shortest
/// augmenting paths.
pub(super) fn cost(a: &[Bar], b: &[Bar], order: Order) -> f64 {
    let (rows, columns) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let alone = |bars: &[Bar]| -> Vec<f64> {
        bars.iter().map(|bar| order.power(to_diagonal(bar))).collect()
    };
    let mut assignment = Assignment {
        rows,
        columns,
        order,
        row_alone: alone(rows),
        column_alone: alone(columns),
        row_potential: vec![0.0; rows.len()],
        column_potential: vec![0.0; columns.len()],
        row_of: vec![None; columns.len()],
    };
    for row in 0..rows.len() {
        assignment.assign(row);
    }
    assignment.total()
}

struct Assignment<'a> {
    rows: &'a [Bar],
    columns: &'a [Bar],
    order: Order,
    row_alone: Vec<f64>,
    column_alone: Vec<f64>,
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    row_of: Vec<Option<usize>>,
}

/// Where a shortest path ends.
#[derive(Clone, Copy)]
enum End {
    /// At a column that no row has taken.
    Free(usize),
    /// At the diagonal, from the row of this column, or from the new row.
    Diagonal(Option<usize>),
}

impl Assignment<'_> {
    fn price(&self, row: usize, column: usize) -> f64 {
        let matched = self.order.power(between(&self.rows[row], &self.columns[column]));
        matched - self.column_alone[column]
    }

    /// Gives `row` a place, moving others along the shortest path (Dijkstra's algorithm on
    /// the reduced costs).
    fn assign(&mut self, row: usize) {
        let count = self.columns.len();
        let mut reach = vec![f64::INFINITY; count];
        let mut via: Vec<Option<usize>> = vec![None; count];
        let mut done = vec![false; count];
        let (mut diagonal, mut diagonal_via) = (f64::INFINITY, None);
        let (mut here, mut visited) = (None, row);
        let mut length = 0.0;
        let end = loop {
            let alone = length + self.row_alone[visited] - self.row_potential[visited];
            if alone < diagonal {
                (diagonal, diagonal_via) = (alone, here);
            }
            let mut nearest = None;
            for column in (0..count).filter(|&c| !done[c]) {
                let reduced = self.price(visited, column)
                    - self.row_potential[visited]
                    - self.column_potential[column];
                if length + reduced < reach[column] {
                    (reach[column], via[column]) = (length + reduced, here);
                }
                if nearest.is_none_or(|n: usize| reach[column] < reach[n]) {
                    nearest = Some(column);
                }
            }
            match nearest.filter(|&n| reach[n] < diagonal) {
                None => {
                    length = diagonal;
                    break End::Diagonal(diagonal_via);
                }
                Some(column) => {
                    length = reach[column];
                    match self.row_of[column] {
                        None => break End::Free(column),
                        Some(next) => {
                            done[column] = true;
                            (here, visited) = (Some(column), next);
                        }
                    }
                }
            }
        };
        self.raise(row, length, &reach, &done);
        self.augment(row, end, &via);
    }

    /// Keeps the reduced costs from becoming negative, and those on the path zero.
    fn raise(&mut self, row: usize, length: f64, reach: &[f64], done: &[bool]) {
        self.row_potential[row] += length;
        for column in (0..done.len()).filter(|&c| done[c]) {
            let slack = length - reach[column];
            self.column_potential[column] -= slack;
            if let Some(other) = self.row_of[column] {
                self.row_potential[other] += slack;
            }
        }
    }

    /// Hands every column on the path to the row before it.
    fn augment(&mut self, row: usize, end: End, via: &[Option<usize>]) {
        let mut next = match end {
            End::Free(column) => Some(column),
            End::Diagonal(None) => None,
            End::Diagonal(Some(column)) => {
                self.row_of[column] = None;
                Some(column)
            }
        };
        while let Some(column) = next {
            let before = via[column];
            self.row_of[column] = Some(
                before.map_or(row, |b| self.row_of[b].expect("columns inside a path are taken")),
            );
            next = before;
        }
    }

    fn total(&self) -> f64 {
        let mut alone = vec![true; self.rows.len()];
        let mut total = 0.0;
        for (column, row) in self.row_of.iter().enumerate() {
            if let Some(row) = *row {
                alone[row] = false;
                total += self.order.power(between(&self.rows[row], &self.columns[column]));
            } else {
                total += self.column_alone[column];
            }
        }
        let rows = alone.iter().zip(&self.row_alone).filter(|(alone, _)| **alone);
        total + rows.map(|(_, cost)| cost).sum::<f64>()
    }
}
