//! What the terminal shows: alerts as they come, and how it goes; one line rewritten in place on a
//! terminal, a line now and then elsewhere.

use super::latency::Percentiles;
use super::reference::RULE;
use super::scene::{Alert, Setup, Totals};
use super::story::Story;
use crate::console::{fit, width};
use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

/// Between two lines when the output is no terminal.
const QUIET: Duration = Duration::from_secs(5);
/// Between two rewritings of the line on a terminal.
const LIVE: Duration = Duration::from_millis(250);

/// What was shown so far.
#[derive(Debug)]
pub(super) struct Terminal {
    live: bool,
    alerts: usize,
    next: Duration,
}

impl Terminal {
    /// Shows on standard output.
    pub(super) fn new() -> Terminal {
        Terminal { live: stdout().is_terminal(), alerts: 0, next: Duration::ZERO }
    }

    /// Says where to look, before anything has happened.
    pub(super) fn greet(&self, setup: &Setup, page: &str, brokers: &str) {
        let speed =
            setup.speed.map_or("as fast as it goes".to_owned(), |x| format!("{x}× real time"));
        let scale = &setup.scale;
        let milliseconds = |points: usize| 1000.0 * points as f64 / setup.point_rate;
        say(&setup.title);
        say(&format!("  page     {page}"));
        say(&format!("  broker   {brokers}"));
        say(&format!("  speed    {speed}, {} samples a second of signal", setup.rate));
        say(&format!(
            "  window   {} points ({:.0} ms), {} copies {:.0} ms apart, an emission every {:.0} ms",
            scale.window,
            milliseconds(scale.window),
            scale.copies,
            milliseconds(scale.delay),
            milliseconds(scale.hop)
        ));
        say(&format!(
            "  alerts   at a score of {} or more, after {:.0} s of signal",
            setup.threshold, setup.warm_up
        ));
        if setup.reference {
            say(&format!("  beats    {RULE}"));
        }
        say("  latency  engine, and end to end (e2e): p50/p95/p99 in milliseconds");
        if self.live {
            say("  Ctrl-C ends it.");
        }
        say("");
    }

    /// Shows what is new after `wall` of playing.
    pub(super) fn show(&mut self, story: &Story, wall: Duration) {
        let new = &story.alerts()[self.alerts..];
        if self.live && (!new.is_empty() || wall >= self.next) {
            print!("\r\x1b[2K");
        }
        for alert in new {
            say(&describe(alert, story.setup()));
        }
        self.alerts += new.len();
        if wall >= self.next || (self.live && !new.is_empty()) {
            self.next = wall + if self.live { LIVE } else { QUIET };
            match self.live {
                true => print!("{}", fit(&status(story), width())),
                false => say(&status(story).join("  ")),
            }
        }
        _ = stdout().flush();
    }

    /// Shows the sums at the end.
    pub(super) fn summarise(&self, story: &Story) {
        if self.live {
            print!("\r\x1b[2K");
        }
        let totals = story.totals();
        say("");
        say(&format!(
            "{} points in {:.1} s ({:.0} points/s), {} emissions",
            totals.points, totals.wall, totals.points_per_second, totals.emissions
        ));
        say(&format!("engine          {}", milliseconds(totals.engine)));
        say(&format!("end to end      {}", milliseconds(totals.end_to_end)));
        alerts(story, &totals).iter().for_each(|line| say(line));
    }
}

/// Standard output may be closed at any time, as by `| head`; the demo goes on.
fn say(line: &str) {
    _ = writeln!(stdout(), "{line}");
}

fn status(story: &Story) -> [String; 6] {
    let pulse = story.last_pulse();
    let rate = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.0}"));
    let latency = |found: Option<Percentiles>, digits: usize| {
        let at =
            |p: Percentiles| [p.p50, p.p95, p.p99].map(|ms| format!("{ms:.digits$}")).join("/");
        found.map_or("–".into(), at)
    };
    [
        clock(story.at(), 0),
        format!("{} points/s", rate(pulse.map(|p| p.points_per_second))),
        format!("{} emissions/s", rate(pulse.map(|p| p.emissions_per_second))),
        format!("engine {}", latency(pulse.and_then(|p| p.engine), 2)),
        format!("e2e {}", latency(pulse.and_then(|p| p.end_to_end), 1)),
        counted(story.alerts().len() as u64),
    ]
}

fn describe(alert: &Alert, setup: &Setup) -> String {
    let beside = match (alert.mark, alert.delay_ms) {
        (Some(mark), Some(delay)) => {
            format!("{delay:.0} ms after the marked beat at {}", clock(mark, 2))
        }
        _ if setup.straddles_a_seam(alert.time) => "where the recording starts again".into(),
        _ if setup.reference => "no marked beat near".into(),
        _ => String::new(),
    };
    let line = format!("alert {}  score {:5.1}  {beside}", clock(alert.time, 2), alert.score);
    line.trim_end().to_owned()
}

fn alerts(story: &Story, totals: &Totals) -> Vec<String> {
    let (all, scored) = story.marks();
    let counted = counted(totals.alerts);
    if !story.setup().reference {
        return vec![counted];
    }
    let times: Vec<f64> = story.alerts().iter().map(|alert| alert.time).collect();
    vec![
        format!("{counted}, {} of them beside a marked beat", totals.matched),
        format!(
            "marked beats: {}; {} of them after the warm-up, {} of those with an alert",
            all.len(),
            scored.len(),
            super::reference::alerted(scored, &times)
        ),
    ]
}

fn counted(alerts: u64) -> String {
    format!("{alerts} alert{}", if alerts == 1 { "" } else { "s" })
}

fn milliseconds(found: Option<Percentiles>) -> String {
    found.map_or("not measured".into(), |p| {
        format!("p50 {:.3} ms, p95 {:.3} ms, p99 {:.3} ms", p.p50, p.p95, p.p99)
    })
}

/// Minutes and seconds.
fn clock(seconds: f64, digits: usize) -> String {
    let factor = 10f64.powi(digits as i32);
    let whole = (seconds * factor).round() / factor;
    let minutes = (whole / 60.0).floor();
    let width = if digits == 0 { 2 } else { 3 + digits };
    format!("{minutes}:{:0width$.digits$}", whole - 60.0 * minutes)
}

#[cfg(test)]
mod tests {
    use super::{clock, fit};

    #[test]
    fn figures_that_do_not_fit_the_terminal_are_left_out_whole() {
        let figures = ["0:12", "5 ×", "86 alerts"].map(String::from);
        assert_eq!(fit(&figures, 21), "0:12  5 ×  86 alerts");
        assert_eq!(fit(&figures, 20), "0:12  5 ×");
        assert_eq!(fit(&figures, 10), "0:12  5 ×");
        assert_eq!(fit(&figures, 9), "0:12");
        assert_eq!(fit(&figures, 4), "");
    }

    #[test]
    fn a_clock_shows_minutes_and_seconds() {
        assert_eq!(clock(0.0, 0), "0:00");
        assert_eq!(clock(59.999, 2), "1:00.00");
        assert_eq!(clock(83.456, 2), "1:23.46");
        assert_eq!(clock(754.0, 0), "12:34");
    }
}
