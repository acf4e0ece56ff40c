use super::adjacency::NONE;
use super::bits::Bits;

/// A matrix over the field of two elements, by columns.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    /// Begin and end of each column in `entries`.
    columns: Vec<(u32, u32)>,
    entries: Vec<u32>,
}

impl Matrix {
    pub(super) fn clear(&mut self) {
        self.columns.clear();
        self.entries.clear();
    }

    /// Adds a column after the others; no row twice.
    pub(super) fn push(&mut self, rows: impl Iterator<Item = u32>) {
        let start = self.entries.len() as u32;
        self.entries.extend(rows);
        self.columns.push((start, self.entries.len() as u32));
    }

    fn column(&self, j: u32) -> &[u32] {
        let (start, end) = self.columns[j as usize];
        &self.entries[start as usize..end as usize]
    }

    /// Makes `self` the transpose of a matrix of `rows` rows, with both orders reversed.
    fn reverse_transpose(&mut self, matrix: &Matrix, rows: usize) {
        self.clear();
        self.columns.resize(rows, (0, 0));
        self.entries.resize(matrix.entries.len(), 0);
        for &row in &matrix.entries {
            self.columns[rows - 1 - row as usize].1 += 1;
        }
        let mut end = 0;
        for column in &mut self.columns {
            end += column.1;
            *column = (end - column.1, end - column.1);
        }
        let last = matrix.columns.len() as u32;
        for j in 0..last {
            for &row in matrix.column(j) {
                let column = &mut self.columns[rows - 1 - row as usize];
                self.entries[column.1 as usize] = last - 1 - j;
                column.1 += 1;
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.columns.capacity() * size_of::<(u32, u32)>() + self.entries.capacity() * 4
    }
}

/// Column reduction.
#[derive(Debug, Default)]
pub(super) struct Reduction {
    transpose: Matrix,
    /// The column whose pivot is the row, or [`NONE`].
    owner: Vec<u32>,
    deaths: Vec<u32>,
    sum: Bits,
}

impl Reduction {
    /// For each of `rows` rows the column whose reduced form has its pivot there, or [`NONE`].
    ///
    /// Homology and cohomology pair alike. Cohomology has a column for each row, and none of
    /// them has to be reduced to zero only to be found the start of a class two degrees up.
    pub(super) fn deaths(&mut self, matrix: &mut Matrix, rows: usize) -> &[u32] {
        let columns = matrix.columns.len();
        if columns > rows + rows / 4 {
            let mut transpose = std::mem::take(&mut self.transpose);
            transpose.reverse_transpose(matrix, rows);
            self.reduce(&mut transpose, columns);
            self.transpose = transpose;
            self.deaths.clear();
            self.deaths.resize(rows, NONE);
            for (row, &column) in self.owner.iter().enumerate() {
                if column != NONE {
                    self.deaths[rows - 1 - column as usize] = (columns - 1 - row) as u32;
                }
            }
            &self.deaths
        } else {
            self.reduce(matrix, rows);
            &self.owner
        }
    }

    fn reduce(&mut self, matrix: &mut Matrix, rows: usize) {
        self.owner.clear();
        self.owner.resize(rows, NONE);
        self.sum.reserve(rows);
        for j in 0..matrix.columns.len() as u32 {
            let Some(&pivot) = matrix.column(j).iter().max() else { continue };
            if self.owner[pivot as usize] == NONE {
                self.owner[pivot as usize] = j;
                continue;
            }
            matrix.column(j).iter().for_each(|&row| self.sum.toggle(row));
            while let Some(pivot) = self.sum.max() {
                let owner = self.owner[pivot as usize];
                if owner == NONE {
                    self.owner[pivot as usize] = j;
                    let start = matrix.entries.len() as u32;
                    self.sum.drain_into(&mut matrix.entries);
                    matrix.columns[j as usize] = (start, matrix.entries.len() as u32);
                    break;
                }
                matrix.column(owner).iter().for_each(|&row| self.sum.toggle(row));
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.transpose.heap_bytes()
            + (self.owner.capacity() + self.deaths.capacity()) * size_of::<u32>()
            + self.sum.heap_bytes()
    }
}
