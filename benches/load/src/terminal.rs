//! What the terminal shows: one line rewritten in place on a terminal, a line now and then
//! elsewhere.

use crate::latency::Percentiles;
use crate::report::{Finding, Goal, Report, number};
use crate::run::{Plan, Progress};
use crate::workers::Workers;
use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;
use worker::console::{fit, width};

/// Between two lines when the output is no terminal.
const QUIET: Duration = Duration::from_secs(5);

/// What was shown so far.
#[derive(Debug)]
pub struct Terminal {
    live: bool,
    /// Time and count of points at the last look.
    last: (Duration, u64),
    next: Duration,
}

impl Default for Terminal {
    fn default() -> Terminal {
        Terminal::new()
    }
}

impl Terminal {
    /// Shows on standard output.
    pub fn new() -> Terminal {
        let live = stdout().is_terminal();
        Terminal { live, last: (Duration::ZERO, 0), next: Duration::ZERO }
    }

    /// Says what is to be done.
    pub fn greet(&self, plan: &Plan, goal: Goal) {
        let Plan { load, .. } = plan;
        let schedule = &load.schedule;
        let forms: Vec<String> = load.points.forms.iter().map(ToString::to_string).collect();
        self.say(&format!("  input    {} at {}", plan.input, plan.connection.brokers));
        self.say(&format!("  outputs  {}", plan.outputs.join(", ")));
        self.say(&format!(
            "  points   {} a second for {} s, {:.0} in all, seed {}",
            schedule.shape,
            schedule.seconds,
            schedule.points(),
            schedule.seed
        ));
        self.say(&format!("  series   {}, {}", load.series, forms.join(", ")));
        if let Some(anomalies) = &load.points.anomalies {
            self.say(&format!("  events   {anomalies}"));
        }
        self.say(&format!(
            "  goal     p95 within {} ms of the intended time; own lag at p99 at most {} ms",
            goal.p95_ms, goal.lag_p99_ms
        ));
        if self.live {
            self.say("  Ctrl-C ends it early.");
        }
        self.say("");
    }

    /// Shows how it is going.
    pub fn show(&mut self, progress: &Progress, workers: &Workers) {
        if !self.live && progress.at < self.next {
            return;
        }
        let (then, stored) = self.last;
        let elapsed = (progress.at - then.min(progress.at)).as_secs_f64().max(1e-3);
        let rate = (progress.stored - stored) as f64 / elapsed;
        self.last = (progress.at, progress.stored);
        self.next = progress.at + QUIET;
        let figures = figures(progress, rate, workers.resident_bytes());
        match self.live {
            true => print!("\r\x1b[2K{}", fit(&figures, width())),
            false => self.say(&figures.join("  ")),
        }
        _ = stdout().flush();
    }

    /// Shows the sums at the end.
    pub fn summarise(&self, report: &Report) {
        if self.live {
            print!("\r\x1b[2K");
        }
        let latency = &report.latency_ms;
        self.say("");
        self.say(&row(
            "milliseconds",
            &["p50", "p90", "p95", "p99", "p99.9", "max"].map(String::from),
        ));
        for (name, found) in [
            ("from intended", latency.from_intended),
            ("from sent", latency.from_sent),
            ("stored", latency.stored),
            ("own lag", report.lag_ms),
        ] {
            self.say(&row(name, &found.map_or_else(Default::default, percentiles)));
        }
        self.say("");
        self.say(&format!("audit    {}", report.audit));
        self.say(&format!(
            "rate     {} points/s after the warm-up",
            number(report.points_per_second)
        ));
        if let Some(seen) = report.workers.as_ref().filter(|seen| !seen.pids.is_empty()) {
            self.say(&format!(
                "workers  {}: {} at the most, {} s of processor time",
                seen.counted(),
                bytes(seen.most_bytes),
                number(seen.cpu_seconds)
            ));
        }
        self.say(&format!("result   {}", word(report.result)));
        report.reasons.iter().for_each(|reason| self.say(&format!("         {reason}")));
    }

    /// Says a line. Standard output may be closed at any time, as by `| head`; the run goes on.
    pub fn say(&self, line: &str) {
        _ = writeln!(stdout(), "{line}");
    }
}

/// The result in one word.
pub(crate) fn word(result: Finding) -> &'static str {
    match result {
        Finding::Passed => "passed",
        Finding::Invalid => "INVALID",
        Finding::Faulty => "FAULTY",
        Finding::Slow => "SLOW",
    }
}

fn figures(progress: &Progress, rate: f64, resident: u64) -> Vec<String> {
    let at = |p: Percentiles| [p.p50, p.p95, p.p99].map(number).join("/");
    let mut figures = vec![
        format!("{:.0} s", progress.at.as_secs_f64()),
        format!("{rate:.0} of {:.0} points/s", progress.rate),
        format!("p50/95/99 {} ms", progress.latency.map_or("–".into(), at)),
        format!("{} faults", progress.faults),
        format!("{} owed", progress.owed),
        format!("lag {} ms", progress.lag.map_or("–".into(), |lag| number(lag.p99))),
        format!("{} in flight", (progress.intended as u64).saturating_sub(progress.stored)),
    ];
    if resident > 0 {
        figures.push(bytes(resident));
    }
    figures
}

/// Bytes as people read them.
pub(crate) fn bytes(count: u64) -> String {
    format!("{:.1} MiB", count as f64 / f64::from(1 << 20))
}

fn percentiles(p: Percentiles) -> [String; 6] {
    [p.p50, p.p90, p.p95, p.p99, p.p99_9, p.max].map(number)
}

fn row(name: &str, cells: &[String; 6]) -> String {
    let cells: String = cells.iter().map(|cell| format!("{cell:>11}")).collect();
    format!("{name:<14}{cells}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_tell_how_it_is_going() {
        let progress = Progress {
            at: Duration::from_secs(12),
            intended: 1010.0,
            rate: 100.0,
            stored: 1000,
            owed: 3,
            ..Progress::default()
        };
        let line = figures(&progress, 99.6, 3 << 20).join("  ");
        let told = "12 s  100 of 100 points/s  p50/95/99 – ms  0 faults  3 owed  lag – ms  10 in flight  3.0 MiB";
        assert_eq!(line, told);
        assert_eq!(fit(&figures(&progress, 99.6, 0), 30), "12 s  100 of 100 points/s");
    }
}
