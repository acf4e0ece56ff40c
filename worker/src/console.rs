//! What terminals have in common.

/// Columns of the terminal; 80 where there is none.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

/// As many figures as fit: a line that wraps could not be rewritten in place.
pub fn fit(figures: &[String], width: usize) -> String {
    let joined = |count: usize| figures[..count].join("  ");
    let fitting = (1..=figures.len()).rev().map(joined).find(|line| line.chars().count() < width);
    fitting.unwrap_or_default()
}
