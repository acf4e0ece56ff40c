//! Assignments of rows to columns in which either may stay alone.
//!
//! Jonker and Volgenant (1987) on a sparse matrix: rows bid for columns first, and what these bids
//! leave over is assigned along shortest augmenting paths. Columns have prices, of at most 0,
//! and 0 as long as no row has them. A row's reduced costs are its costs less the prices, and 0
//! for staying alone; every row that has a column has one with the lowest of these, so that
//! the assignment is the cheapest of its size at any time.

/// The columns that rows gain from, row by row, with their negative costs: what having the
/// column adds to the cost of the row and the column alone.
#[derive(Default)]
pub(super) struct Choices {
    ends: Vec<usize>,
    choices: Vec<Choice>,
}

#[derive(Clone, Copy)]
struct Choice {
    column: usize,
    cost: f64,
}

impl Choices {
    /// Adds a row with its costs, column by column.
    pub(super) fn push(&mut self, costs: impl Iterator<Item = f64>) {
        let gains = costs.enumerate().filter(|(_, cost)| *cost < 0.0);
        self.choices.extend(gains.map(|(column, cost)| Choice { column, cost }));
        self.ends.push(self.choices.len());
    }

    fn rows(&self) -> usize {
        self.ends.len()
    }

    fn of(&self, row: usize) -> &[Choice] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.choices[start..self.ends[row]]
    }
}

/// How often rows may bid, for each row.
const BIDS: usize = 2;

/// The row of each of `columns` columns, if it has one, in a cheapest assignment.
pub(super) fn assign(choices: &Choices, columns: usize) -> Vec<Option<usize>> {
    let mut assignment = Assignment {
        choices,
        prices: vec![0.0; columns],
        holders: vec![None; columns],
        paths: Paths::new(columns),
    };
    for row in assignment.bid() {
        assignment.augment(row);
    }
    assignment.holders.iter().map(|holder| holder.map(|h| h.row)).collect()
}

/// The row that has a column, and its cost there.
#[derive(Clone, Copy)]
struct Holder {
    row: usize,
    cost: f64,
}

struct Assignment<'a> {
    choices: &'a Choices,
    prices: Vec<f64>,
    holders: Vec<Option<Holder>>,
    paths: Paths,
}

impl Assignment<'_> {
    /// Gives rows the column of their lowest reduced cost at a price at which their second best
    /// place is as good, and lets the row that had it bid again. The rows left without a place.
    fn bid(&mut self) -> Vec<usize> {
        let mut left = Vec::new();
        let mut waiting: Vec<usize> = (0..self.choices.rows()).rev().collect();
        let mut bids = BIDS * waiting.len();
        while let Some(row) = waiting.pop() {
            let Some((best, margin)) = self.best(row) else {
                continue;
            };
            let holder = self.holders[best.column];
            if holder.is_some() && (margin <= 0.0 || bids == 0) {
                left.push(row);
                continue;
            }
            bids = bids.saturating_sub(1);
            self.prices[best.column] -= margin;
            self.holders[best.column] = Some(Holder { row, cost: best.cost });
            waiting.extend(holder.map(|h| h.row));
        }
        left
    }

    /// The choice of the lowest reduced cost, and how much higher the second lowest is; none when
    /// staying alone is as good.
    fn best(&self, row: usize) -> Option<(Choice, f64)> {
        let (mut best, mut lowest, mut second) = (None, 0.0, 0.0);
        for choice in self.choices.of(row) {
            let reduced = choice.cost - self.prices[choice.column];
            if reduced < lowest {
                (best, second, lowest) = (Some(*choice), lowest, reduced);
            } else if reduced < second {
                second = reduced;
            }
        }
        best.map(|best| (best, second - lowest))
    }
}

/// The shortest alternating paths from a row without a place, as far as they are known.
struct Paths {
    /// To each column, with their last steps: infinite where none is known.
    lengths: Vec<f64>,
    steps: Vec<Step>,
    /// Columns with a holder that a path leads to and none has gone on from.
    open: Vec<usize>,
    /// Columns whose paths are final.
    done: Vec<usize>,
    end: End,
}

/// The last step of the shortest path to a column: what the row that takes it pays for the column,
/// and the column that it leaves, none when it is the first.
#[derive(Clone, Copy, Default)]
struct Step {
    cost: f64,
    left: Option<usize>,
}

/// The end of the shortest path known to a place that nobody has.
#[derive(Clone, Copy)]
struct End {
    length: f64,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Column(usize),
    /// The row that leaves this column, or has none, remains alone.
    Alone(Option<usize>),
}

const NOWHERE: End = End { length: f64::INFINITY, place: Place::Alone(None) };

impl Paths {
    fn new(columns: usize) -> Paths {
        Paths {
            lengths: vec![f64::INFINITY; columns],
            steps: vec![Step::default(); columns],
            open: Vec::new(),
            done: Vec::new(),
            end: NOWHERE,
        }
    }

    fn restart(&mut self) {
        self.lengths.fill(f64::INFINITY);
        self.open.clear();
        self.done.clear();
        self.end = NOWHERE;
    }

    /// Takes the nearest open column, if it is nearer than the end.
    fn nearest(&mut self) -> Option<usize> {
        let length = |index: usize| self.lengths[self.open[index]];
        let nearest = (0..self.open.len()).min_by(|&a, &b| length(a).total_cmp(&length(b)))?;
        if length(nearest) >= self.end.length {
            return None;
        }
        let column = self.open.swap_remove(nearest);
        self.done.push(column);
        Some(column)
    }
}

impl Assignment<'_> {
    /// Finds a place for `row`, moving others along the shortest path (Dijkstra's algorithm on what
    /// the reduced costs exceed the lowest of their row by).
    fn augment(&mut self, row: usize) {
        self.paths.restart();
        self.extend(row, self.lowest(row), 0.0, None);
        while let Some(column) = self.paths.nearest() {
            if let Some(holder) = self.holders[column] {
                let lowest = holder.cost - self.prices[column];
                self.extend(holder.row, lowest, self.paths.lengths[column], Some(column));
            }
        }
        self.lower_prices();
        self.hand_over(row);
    }

    /// The lowest reduced cost of a row.
    fn lowest(&self, row: usize) -> f64 {
        let reduced = self.choices.of(row).iter().map(|c| c.cost - self.prices[c.column]);
        reduced.fold(0.0, f64::min)
    }

    /// Goes one step on from `row`, which leaves the column `left` and is `length` away. Rounding
    /// must not make a step negative: a final path could become shorter.
    fn extend(&mut self, row: usize, lowest: f64, length: f64, left: Option<usize>) {
        let paths = &mut self.paths;
        let alone = length - lowest;
        if alone < paths.end.length {
            paths.end = End { length: alone, place: Place::Alone(left) };
        }
        for &Choice { column, cost } in self.choices.of(row) {
            let length = length + (cost - self.prices[column] - lowest).max(0.0);
            let known = paths.lengths[column];
            if length >= paths.end.length || length >= known {
                continue;
            }
            if self.holders[column].is_none() {
                paths.end = End { length, place: Place::Column(column) };
            } else if known == f64::INFINITY {
                paths.open.push(column);
            }
            paths.lengths[column] = length;
            paths.steps[column] = Step { cost, left };
        }
    }

    /// Keeps the reduced costs of the columns that rows have the lowest of these rows.
    fn lower_prices(&mut self) {
        for &column in &self.paths.done {
            self.prices[column] -= self.paths.end.length - self.paths.lengths[column];
        }
    }

    /// Hands every column on the path to the row before it.
    fn hand_over(&mut self, row: usize) {
        let mut next = match self.paths.end.place {
            Place::Column(column) => Some(column),
            Place::Alone(left) => left,
        };
        while let Some(column) = next {
            let step = self.paths.steps[column];
            let row = step.left.and_then(|l| self.holders[l]).map_or(row, |holder| holder.row);
            self.holders[column] = Some(Holder { row, cost: step.cost });
            next = step.left;
        }
    }
}
