//! Charts as SVG, drawn once: no script.

use super::axis::{Axis, number, short};
use std::fmt::Write;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 24.0;
/// Room for the unit, and for a label above the highest value.
const TOP: f64 = 24.0;
/// Room for two lines of the size that phones show.
const BOTTOM: f64 = 42.0;

/// Lines over time.
pub(super) struct Chart<'a> {
    /// What it shows, for those who cannot see it.
    pub(super) label: &'a str,
    /// Unit of the values.
    pub(super) unit: &'a str,
    /// Seconds of each value.
    pub(super) times: Vec<f64>,
    /// The values.
    pub(super) lines: Vec<Line<'a>>,
    /// Values that are marked, and what they are.
    pub(super) guides: Vec<(f64, String)>,
    /// Seconds at the beginning that do not count.
    pub(super) warm_up: f64,
    /// Whether values are laid out by their ratios.
    pub(super) logarithmic: bool,
}

/// One line; where there is no value, there is a gap.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) class: &'a str,
    pub(super) values: Vec<Option<f64>>,
}

impl Chart<'_> {
    /// The SVG, with a legend above it.
    pub(super) fn svg(&self) -> String {
        let values = || self.lines.iter().flat_map(|line| line.values.iter().flatten().copied());
        let guides = self.guides.iter().map(|(value, _)| *value);
        let all = values().chain(guides);
        let y = if self.logarithmic { Axis::logarithmic(all) } else { Axis::above_zero(all) };
        let x = Axis::linear(0.0, self.times.last().copied().unwrap_or(1.0));
        let mut body = String::new();
        if self.warm_up > 0.0 {
            let width = across(x.place(self.warm_up)) - LEFT;
            _ = write!(
                body,
                "<rect class=warm x={LEFT} y={TOP} width={width:.1} height={:.1} />",
                down(0.0) - TOP
            );
        }
        body += &grid(&x, &y, "seconds", self.unit);
        for (value, _) in &self.guides {
            let at = down(y.place(*value));
            _ = write!(body, "<path class=guide d='M{LEFT} {at:.1}H{:.1}'/>", WIDTH - RIGHT);
        }
        for line in &self.lines {
            let path = self.path(line, &x, &y);
            _ = write!(body, "<path class='line {}' d='{path}'/>", line.class);
        }
        body += &self.notes(&y);
        body += &self.tips(&x);
        frame(self.label, &body)
    }

    /// The words, over the lines.
    fn notes(&self, y: &Axis) -> String {
        let mut notes = String::new();
        if self.warm_up > 0.0 {
            let (x, y) = (LEFT + 5.0, TOP + 15.0);
            _ = write!(notes, "<text class=note x={x:.1} y={y:.1}>warm-up</text>");
        }
        for (value, name) in &self.guides {
            let (x, y) = (WIDTH - RIGHT - 4.0, down(y.place(*value)) - 6.0);
            _ = write!(notes, "<text class='note end' x={x:.1} y={y:.1}>{name}</text>");
        }
        notes
    }

    fn path(&self, line: &Line<'_>, x: &Axis, y: &Axis) -> String {
        let mut path = String::new();
        let mut pen = 'M';
        for (time, value) in self.times.iter().zip(&line.values) {
            match value {
                None => pen = 'M',
                Some(value) => {
                    let (right, below) = (across(x.place(*time)), down(y.place(*value)));
                    _ = write!(path, "{pen}{right:.1} {below:.1}");
                    // A value alone is a dot: a line of no length with round ends.
                    if pen == 'M' {
                        path += "h0";
                    }
                    pen = 'L';
                }
            }
        }
        path
    }

    /// What the values are, where the pointer is.
    fn tips(&self, x: &Axis) -> String {
        let width = (WIDTH - LEFT - RIGHT) / self.times.len().max(1) as f64;
        let mut tips = String::new();
        for (n, time) in self.times.iter().enumerate() {
            let value = |line: &Line<'_>| {
                let value = line.values.get(n).copied().flatten()?;
                Some(format!("{} {}", line.name, number(value)))
            };
            let told: Vec<String> = self.lines.iter().filter_map(value).collect();
            _ = write!(
                tips,
                "<rect class=tip x={:.1} y={TOP} width={width:.1} height={:.1}><title>{} s\n{}</title></rect>",
                across(x.place(*time)) - width / 2.0,
                down(0.0) - TOP,
                number(*time),
                told.join("\n")
            );
        }
        tips
    }
}

/// How many values lie where.
pub(super) struct Histogram<'a> {
    /// What it shows, for those who cannot see it.
    pub(super) label: &'a str,
    /// Upper bounds, each the same number of times the one before, and counts.
    pub(super) bins: &'a [(f64, u64)],
    /// Values that are marked, and what they are.
    pub(super) guides: Vec<(f64, String)>,
}

impl Histogram<'_> {
    /// The SVG.
    pub(super) fn svg(&self) -> String {
        let ratio = match self.bins {
            [(first, _), (second, _), ..] => second / first,
            _ => 2.0,
        };
        let low = self.bins.first().map_or(1.0, |(bound, _)| bound / ratio);
        let bounds = self.bins.iter().map(|(bound, _)| *bound);
        let guides = self.guides.iter().map(|(value, _)| *value);
        let x = Axis::logarithmic(bounds.chain(guides).chain([low]));
        let y = Axis::above_zero(self.bins.iter().map(|(_, count)| *count as f64));
        let mut body = grid(&x, &y, "milliseconds", "outputs");
        for (bound, count) in self.bins.iter().filter(|(_, count)| *count > 0) {
            let (left, right) = (across(x.place(bound / ratio)), across(x.place(*bound)));
            let top = down(y.place(*count as f64));
            _ = write!(
                body,
                "<rect class=bar x={:.1} y={top:.1} width={:.1} height={:.1}><title>{}–{} ms\n{} outputs</title></rect>",
                left + 0.5,
                (right - left - 1.0).max(0.5),
                (down(0.0) - top).max(0.5),
                number(bound / ratio),
                number(*bound),
                number(*count as f64)
            );
        }
        for (value, _) in &self.guides {
            let at = across(x.place(*value));
            _ = write!(body, "<path class=guide d='M{at:.1} {TOP}V{:.1}'/>", down(0.0));
        }
        // Each in a row of its own, on the side of its line where there is room.
        for (n, (value, name)) in self.guides.iter().enumerate() {
            let at = across(x.place(*value));
            let below = TOP + 14.0 + 20.0 * n as f64;
            let (class, beside) = match at > (LEFT + WIDTH - RIGHT) / 2.0 {
                true => ("'note end'", at - 5.0),
                false => ("note", at + 5.0),
            };
            _ = write!(body, "<text class={class} x={beside:.1} y={below:.1}>{name}</text>");
        }
        frame(self.label, &body)
    }
}

fn frame(label: &str, body: &str) -> String {
    format!("<svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img aria-label='{label}'>{body}</svg>")
}

fn grid(x: &Axis, y: &Axis, x_unit: &str, y_unit: &str) -> String {
    let mut grid = String::new();
    for tick in y.ticks() {
        let at = down(y.place(tick));
        _ = write!(grid, "<path class=grid d='M{LEFT} {at:.1}H{:.1}'/>", WIDTH - RIGHT);
        _ = write!(
            grid,
            "<text class=end x={:.1} y={:.1}>{}</text>",
            LEFT - 7.0,
            at + 4.0,
            short(tick)
        );
    }
    for tick in x.ticks() {
        let at = across(x.place(tick));
        _ = write!(grid, "<path class=tick d='M{at:.1} {:.1}v5'/>", down(0.0));
        _ = write!(
            grid,
            "<text class=middle x={at:.1} y={:.1}>{}</text>",
            down(0.0) + 18.0,
            short(tick)
        );
    }
    let (middle, bottom) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 4.0);
    _ = write!(grid, "<text class='unit middle' x={middle:.1} y={bottom:.1}>{x_unit}</text>");
    _ = write!(grid, "<text class=unit x=2 y=13>{y_unit}</text>");
    grid
}

/// From the left to the right.
fn across(share: f64) -> f64 {
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

/// From the bottom to the top.
fn down(share: f64) -> f64 {
    HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_gaps_where_there_is_no_value() {
        let line =
            Line { name: "a", class: "a", values: vec![Some(0.0), Some(4.0), None, Some(2.0)] };
        let chart = Chart {
            label: "test",
            unit: "ms",
            times: vec![0.0, 1.0, 2.0, 4.0],
            lines: vec![line],
            guides: vec![(4.0, "goal".into())],
            warm_up: 1.0,
            logarithmic: false,
        };
        let path = chart.path(&chart.lines[0], &Axis::linear(0.0, 4.0), &Axis::linear(0.0, 4.0));
        assert_eq!(path, "M56.0 208.0h0L176.0 24.0M536.0 116.0h0");
        let svg = chart.svg();
        assert_eq!(svg.matches("class=tip").count(), 4);
        assert!(svg.contains(">goal<") && svg.contains(">warm-up<") && svg.contains("1 s\na 4"));
    }

    #[test]
    fn every_bin_with_values_has_a_bar_as_high_as_its_count() {
        let bins = [(1.0, 10), (2.0, 0), (4.0, 20), (8.0, 5)];
        let svg = Histogram { label: "test", bins: &bins, guides: Vec::new() }.svg();
        let heights: Vec<f64> = svg
            .split("class=bar")
            .skip(1)
            .map(|bar| {
                bar.split("height=").nth(1).unwrap().split('>').next().unwrap().parse().unwrap()
            })
            .collect();
        assert_eq!(heights, [92.0, 184.0, 46.0]);
        assert!(!Histogram { label: "test", bins: &[], guides: Vec::new() }.svg().contains("NaN"));
    }
}
