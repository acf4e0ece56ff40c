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
        let words = printable(&words.into());
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

/// Words that stay in their line and give a terminal no orders, whatever a workload has said of itself.
pub(crate) fn printable(words: &str) -> String {
    words.replace(char::is_control, " ")
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

    #[test]
    fn a_terminal_takes_no_orders_from_what_is_shown() {
        let said = "Error\u{1b}]0;title\u{7}\u{9b}2J\u{1b}[8mhidden\r\nOK\u{8}\u{7f}";
        let shown = Line::new().and(BAD, said).text(false);
        assert!(!shown.contains(char::is_control), "{shown:?}");
        assert_eq!(shown, "Error ]0;title  2J [8mhidden  OK");
    }
}
