//! A 1- or 2-Wasserstein distance that leaves nothing out: every bar of one diagram can be
//! matched with every bar of the other one.

use detection::Bar;
use detection::distance::Order;

/// The Wasserstein distance between finite bars.
pub(crate) fn distance(a: &[Bar], b: &[Bar], order: Order) -> f64 {
    let sum = cost(a, b, order);
    if order == Order::Two { sum.sqrt() } else { sum }
}

fn power(order: Order, cost: f64) -> f64 {
    if order == Order::Two { cost * cost } else { cost }
}

fn between(a: &Bar, b: &Bar) -> f64 {
    let birth = (f64::from(a.birth) - f64::from(b.birth)).abs();
    birth.max((f64::from(a.death) - f64::from(b.death)).abs())
}

fn to_diagonal(bar: &Bar) -> f64 {
    bar.persistence() / 2.0
}

/// The smallest sum of the powers of the costs over all matchings with the diagonal.
///
/// All of `columns` go to the diagonal at first; a row that takes one of them pays the match less
/// what the column's own way would have cost. A row goes either to a column or, like nobody
/// else, to its own place on the diagonal. Rows are assigned one by one along shortest
/// augmenting paths.
fn cost(a: &[Bar], b: &[Bar], order: Order) -> f64 {
    let (rows, columns) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let alone = |bars: &[Bar]| -> Vec<f64> {
        bars.iter().map(|bar| power(order, to_diagonal(bar))).collect()
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

/// The shortest alternating paths from a new row, as far as they are known.
struct Paths {
    /// The length of the shortest path to each column, and the column before it on that path;
    /// none when that is the new row.
    reach: Vec<f64>,
    via: Vec<Option<usize>>,
    /// Columns whose path is final.
    done: Vec<bool>,
    /// The same for the diagonal, which only the row at the end of a path has as its own place.
    diagonal: f64,
    diagonal_via: Option<usize>,
}

impl Paths {
    fn new(columns: usize) -> Paths {
        Paths {
            reach: vec![f64::INFINITY; columns],
            via: vec![None; columns],
            done: vec![false; columns],
            diagonal: f64::INFINITY,
            diagonal_via: None,
        }
    }

    /// The nearest column that is not final, if it is nearer than the diagonal.
    fn nearest(&self) -> Option<usize> {
        let open = (0..self.done.len()).filter(|&c| !self.done[c]);
        let nearest = open.min_by(|&a, &b| self.reach[a].total_cmp(&self.reach[b]));
        nearest.filter(|&c| self.reach[c] < self.diagonal)
    }
}

impl Assignment<'_> {
    fn price(&self, row: usize, column: usize) -> f64 {
        let matched = power(self.order, between(&self.rows[row], &self.columns[column]));
        matched - self.column_alone[column]
    }

    /// Gives `row` a place, moving others along the shortest path (Dijkstra's algorithm on
    /// the reduced costs).
    fn assign(&mut self, row: usize) {
        let mut paths = Paths::new(self.columns.len());
        self.extend(&mut paths, row, None, 0.0);
        while let Some(column) = paths.nearest() {
            let Some(next) = self.row_of[column] else {
                self.raise(row, paths.reach[column], &paths);
                return self.hand_over(row, Some(column), &paths);
            };
            paths.done[column] = true;
            let length = paths.reach[column];
            self.extend(&mut paths, next, Some(column), length);
        }
        self.raise(row, paths.diagonal, &paths);
        self.hand_over(row, paths.diagonal_via, &paths);
    }

    /// Goes one step on from `row`, which has `column` and is `length` away.
    fn extend(&self, paths: &mut Paths, row: usize, column: Option<usize>, length: f64) {
        let from = length - self.row_potential[row];
        if from + self.row_alone[row] < paths.diagonal {
            (paths.diagonal, paths.diagonal_via) = (from + self.row_alone[row], column);
        }
        for next in 0..self.columns.len() {
            if paths.done[next] {
                continue;
            }
            let reach = from + self.price(row, next) - self.column_potential[next];
            if reach < paths.reach[next] {
                (paths.reach[next], paths.via[next]) = (reach, column);
            }
        }
    }

    /// Keeps the reduced costs from becoming negative, and those on the shortest path, which is
    /// `length` long, zero.
    fn raise(&mut self, row: usize, length: f64, paths: &Paths) {
        self.row_potential[row] += length;
        for column in (0..self.columns.len()).filter(|&c| paths.done[c]) {
            let slack = length - paths.reach[column];
            self.column_potential[column] -= slack;
            if let Some(other) = self.row_of[column] {
                self.row_potential[other] += slack;
            }
        }
    }

    /// Hands every column on the path that ends at `last` to the row before it; the row that had
    /// the last one, if any, goes to the diagonal.
    fn hand_over(&mut self, row: usize, last: Option<usize>, paths: &Paths) {
        let mut next = last;
        while let Some(column) = next {
            let before = paths.via[column];
            self.row_of[column] = before.map_or(Some(row), |b| self.row_of[b]);
            next = before;
        }
    }

    fn total(&self) -> f64 {
        let mut alone = vec![true; self.rows.len()];
        let mut total = 0.0;
        for (column, row) in self.row_of.iter().enumerate() {
            if let Some(row) = *row {
                alone[row] = false;
                total += power(self.order, between(&self.rows[row], &self.columns[column]));
            } else {
                total += self.column_alone[column];
            }
        }
        let rows = alone.iter().zip(&self.row_alone).filter(|(alone, _)| **alone);
        total + rows.map(|(_, cost)| cost).sum::<f64>()
    }
}
