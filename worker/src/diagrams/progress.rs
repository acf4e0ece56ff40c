use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use super::samples::{InputError, Samples};

/// A source of samples whose progress is shown.
pub(super) struct Watched {
    samples: Box<dyn Samples>,
    bar: ProgressBar,
    count: u64,
}

/// A bar on standard error when that is a terminal that the output does not write to as well.
pub(super) fn bar(to_stdout: bool) -> ProgressBar {
    let shared = to_stdout && io::stdout().is_terminal();
    if shared { ProgressBar::hidden() } else { ProgressBar::no_length() }
}

impl Watched {
    pub(super) fn new(samples: Box<dyn Samples>, bar: ProgressBar) -> Watched {
        let template = match samples.length() {
            Some(length) => {
                bar.set_length(length);
                "{wide_bar} {binary_bytes} of {binary_total_bytes}, {msg}, {eta} left"
            }
            None => "{spinner} {binary_bytes}, {msg}",
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Watched { samples, bar, count: 0 }
    }

    /// Samples read.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        const EVERY: u64 = 256;
        if self.count.is_multiple_of(EVERY) && !self.bar.is_hidden() {
            self.bar.set_message(format!("{} samples", self.count));
            self.bar.set_position(self.samples.position());
        }
    }
}

impl Samples for Watched {
    fn read(&mut self, sample: &mut Vec<f32>) -> Result<bool, InputError> {
        let read = self.samples.read(sample)?;
        self.count += u64::from(read);
        self.show();
        Ok(read)
    }

    fn name(&self) -> &str {
        self.samples.name()
    }

    fn position(&self) -> u64 {
        self.samples.position()
    }

    fn length(&self) -> Option<u64> {
        self.samples.length()
    }
}
