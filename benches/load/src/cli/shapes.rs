use super::arguments::Shapes;
use crate::shape::Shape;
use anyhow::Result;
use std::io::{Write, stdout};

const EXPLANATION: &str = "\
A shape says how many points a second there are, as a function of time.

  constant(10k)                            always 10,000 points a second
  ramp(0, 10k, 30s)                        from none to 10,000 within 30 s, then on at 10,000
  step(20s, 5k)                            none, and 5,000 from second 20 on
  spike(20s, 50k, 2s)                      none, but 50,000 from second 20 to 22
  wave(5k, 4k, 1m)                         a sine from 1,000 to 9,000, once a minute

  constant(1k) + spike(20s, 50k, 2s)       both at once
  2 * wave(5k, 4k, 1m)                     twice as much
  constant(1k) for 5m then constant(2k)    one after the other; a ramp and a spike end by themselves

`stda-load shapes 'ramp(0, 10k, 30s) then wave(10k, 5k, 20s) for 1m'` draws one.
";

/// Columns and rows of a drawing.
const COLUMNS: usize = 72;
const ROWS: usize = 10;

/// Draws a shape, or explains how they are written.
pub(super) fn shapes(arguments: &Shapes) -> Result<u8> {
    let text = match &arguments.shape {
        None => EXPLANATION.to_owned(),
        Some(shape) => {
            let seconds = arguments.duration.or(shape.end()).unwrap_or(60.0);
            drawing(shape, seconds)
        }
    };
    // Standard output may be closed at any time, as by `| head`.
    _ = stdout().write_all(text.as_bytes());
    Ok(0)
}

fn drawing(shape: &Shape, seconds: f64) -> String {
    let width = seconds / COLUMNS as f64;
    let mean =
        |n: usize| (shape.points((n + 1) as f64 * width) - shape.points(n as f64 * width)) / width;
    let rates: Vec<f64> = (0..COLUMNS).map(mean).collect();
    let most = rates.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let row = |row: usize| {
        let line: String = rates.iter().map(|rate| block(rate / most * ROWS as f64, row)).collect();
        let label = if row == ROWS - 1 { format!("{most:.0}/s") } else { String::new() };
        format!("{label:>10} ┤{}\n", line.trim_end())
    };
    let rows: String = (0..ROWS).rev().map(row).collect();
    let points = shape.points(seconds);
    format!(
        "{shape}\n\n{rows}{:>10} └{}\n{:>12}{:>width$}\n\n{points:.0} points in {seconds} s, \
         {:.0} a second on average\n",
        "0",
        "─".repeat(COLUMNS),
        "0",
        format!("{seconds} s"),
        points / seconds,
        width = COLUMNS - 1,
    )
}

/// What a bar of so many rows looks like in a row, counted from below.
fn block(height: f64, row: usize) -> char {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    EIGHTHS[(8.0 * (height - row as f64)).round().clamp(0.0, 8.0) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_drawn_as_one() {
        let drawn = drawing(&"ramp(0, 1000, 60s)".parse().unwrap(), 60.0);
        let bars: Vec<usize> = drawn.lines().map(|l| l.matches('█').count()).collect();
        assert!(drawn.contains("30000 points in 60 s, 500 a second on average"), "{drawn}");
        assert!(bars[2..12].is_sorted() && bars[11] > 60, "{drawn}");
    }

    #[test]
    fn every_shape_in_the_explanation_can_be_read() {
        let examples = EXPLANATION.lines().filter_map(|line| line.strip_prefix("  "));
        let shapes = examples.map(|line| line.split("   ").next().unwrap());
        let read: Vec<Shape> =
            shapes.map(|text| text.parse().unwrap_or_else(|e| panic!("{e}"))).collect();
        assert_eq!(read.len(), 8);
    }
}
