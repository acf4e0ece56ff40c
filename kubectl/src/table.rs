//! Tables as `kubectl get` prints them.

use crate::text::{FAINT, Line, PLAIN};
use anstyle::Style;

/// A cell: its words and their style.
pub(crate) type Cell = (String, Style);

/// A cell in no particular style.
pub(crate) fn plain(words: impl Into<String>) -> Cell {
    (words.into(), PLAIN)
}

/// Aligned columns under their names. A column in which nothing stands is left out.
pub(crate) fn table(names: &[&str], rows: &[Vec<Cell>]) -> Vec<Line> {
    let used = |column: &usize| rows.iter().any(|row| !row[*column].0.is_empty());
    let columns: Vec<usize> = (0..names.len()).filter(used).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].0.chars().count());
        cells.chain([names[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = columns.iter().map(|column| width(*column)).collect();
    let line = |cells: &dyn Fn(usize) -> Cell| {
        columns.iter().zip(&widths).fold(Line::new(), |line, (column, width)| {
            let (words, style) = cells(*column);
            let gap = width + 3 - words.chars().count();
            line.and(style, words).and(PLAIN, " ".repeat(gap))
        })
    };
    let head = line(&|column| (names[column].to_owned(), FAINT));
    let body = rows.iter().map(|row| line(&|column| row[column].clone()));
    [head].into_iter().chain(body).collect()
}
