//! Lines of words that have colours, on a terminal that shows them.

use anstyle::{AnsiColor, Style};

/// What is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What is not yet.
pub(crate) const PENDING: Style = AnsiColor::Yellow.on_default();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What matters less than the rest.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// What the rest is about.
pub(crate) const STRONG: Style = Style::new().bold();
/// Neither.
pub(crate) const PLAIN: Style = Style::new();

/// A line, in parts that each have a style.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line(Vec<(String, Style)>);

impl Line {
    pub(crate) fn new() -> Line {
        Line::default()
    }

    /// The line with more words at its end.
    pub(crate) fn and(mut self, style: Style, words: impl Into<String>) -> Line {
        // A line is a line, whatever an API server says.
        let words = words.into().replace(['\n', '\r', '\t'], " ");
        if !words.is_empty() {
            self.0.push((words, style));
        }
        self
    }

    /// The line after others, such as the branches of a tree.
    pub(crate) fn behind(self, words: &str) -> Line {
        let Line(mut parts) = Line::new().and(FAINT, words);
        parts.extend(self.0);
        Line(parts)
    }

    /// The characters of the line.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|(words, _)| words.chars().count()).sum()
    }

    /// No more than this many characters; what was cut off shows as `…`.
    pub(crate) fn cut(self, width: usize) -> Line {
        if self.width() <= width {
            return self;
        }
        let mut left = width.saturating_sub(1);
        let mut parts = Vec::new();
        for (words, style) in self.0 {
            let words: String = words.chars().take(left).collect();
            left -= words.chars().count();
            parts.push((words, style));
        }
        Line(parts).and(PLAIN, "…")
    }

    /// As text, with the codes of the colours or without.
    pub(crate) fn text(&self, colour: bool) -> String {
        let part = |(words, style): &(String, Style)| match colour && !style.is_plain() {
            true => format!("{style}{words}{style:#}"),
            false => words.clone(),
        };
        self.0.iter().map(part).collect::<String>().trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_to_the_terminal_whatever_their_colours() {
        let line = Line::new().and(GOOD, "ready").and(PLAIN, " since\nyesterday");
        assert_eq!(line.text(false), "ready since yesterday");
        assert_eq!(line.clone().cut(8).text(false), "ready s…");
        assert_eq!(line.clone().cut(8).text(true), "\u{1b}[32mready\u{1b}[0m s…");
        assert_eq!(line.clone().cut(21), line);
    }
}
