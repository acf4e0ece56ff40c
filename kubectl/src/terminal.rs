//! Where things are printed.

use crate::text::Line;
use std::env;
use std::io::{self, IsTerminal, Write};
use terminal_size::{Height, Width, terminal_size};

/// What the standard output can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Whether it shows colours.
    pub(crate) colour: bool,
    /// Its columns and rows, when it is a terminal.
    pub(crate) size: Option<(usize, usize)>,
}

impl Terminal {
    /// That of this process.
    pub(crate) fn of_output(no_color: bool) -> Terminal {
        let is_terminal = io::stdout().is_terminal();
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        let size = || {
            let (Width(columns), Height(rows)) = terminal_size()?;
            Some((columns.into(), rows.into()))
        };
        Terminal {
            colour: is_terminal && !no_color && !dumb && set("NO_COLOR").is_none(),
            size: is_terminal.then(size).flatten(),
        }
    }

    /// Prints lines; the terminal breaks those that are too long for it.
    pub(crate) fn print(&self, lines: &[Line]) -> io::Result<()> {
        let text: String = lines.iter().map(|line| line.text(self.colour) + "\n").collect();
        put(&text)
    }

    /// Prints lines, each cut to the width of the terminal.
    pub(crate) fn print_cut(&self, lines: &[Line]) -> io::Result<()> {
        let text: String = lines.iter().map(|line| self.cut(line) + "\n").collect();
        put(&text)
    }

    /// A line as it is printed here, cut to the width of the terminal.
    pub(crate) fn cut(&self, line: &Line) -> String {
        let line = match self.size {
            Some((columns, _)) => line.clone().cut(columns),
            None => line.clone(),
        };
        line.text(self.colour)
    }
}

/// Prints text. That whoever reads it has gone, as `head` does, is no error.
pub(crate) fn put(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other,
    }
}
