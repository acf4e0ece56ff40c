//! Numbers along an axis.

/// How values are laid out along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Axis {
    /// From one value to another, evenly.
    pub(super) fn linear(low: f64, high: f64) -> Axis {
        Axis { low, high: if high > low { high } else { low + 1.0 }, logarithmic: false }
    }

    /// From zero to a round value at or above all of these.
    pub(super) fn above_zero(values: impl Iterator<Item = f64>) -> Axis {
        let most = values.fold(0.0, f64::max);
        let step = step(most.max(1e-9) / 4.0);
        Axis::linear(0.0, (most.max(1e-9) / step).ceil() * step)
    }

    /// By ratios, from a round value at or below all of these to one at or above.
    pub(super) fn logarithmic(values: impl Iterator<Item = f64>) -> Axis {
        let positive = values.filter(|value| *value > 0.0);
        let (low, high) = positive.fold((f64::MAX, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if high > 0.0 { (low, high) } else { (1.0, 10.0) };
        let floor = |value: f64| rounds(value).take_while(|r| *r <= value * 1.000_001).last();
        let low = floor(low).unwrap_or(low);
        let ceil = rounds(high).find(|r| *r >= high * 0.999_999).unwrap_or(high);
        let high = if ceil > low * 1.5 { ceil } else { low * 10.0 };
        Axis { low, high, logarithmic: true }
    }

    /// Where a value lies: 0 at the low end, 1 at the high end; what is outside lies at an end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = match self.logarithmic {
            true => (value.max(self.low) / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values, at most about six.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self.logarithmic {
            true => self.powers(),
            false => {
                let step = step((self.high - self.low) / 5.0);
                let first = (self.low / step).ceil() as i64;
                let last = (self.high / step * 1.000_001).floor() as i64;
                (first..=last).map(|n| n as f64 * step).collect()
            }
        }
    }

    fn powers(&self) -> Vec<f64> {
        let within = |value: &f64| *value >= self.low * 0.999 && *value <= self.high * 1.001;
        let all: Vec<f64> = rounds(self.low).take_while(|v| *v <= self.high * 1.001).collect();
        let all: Vec<f64> = all.into_iter().filter(within).collect();
        match all.len() {
            0..=7 => all,
            _ => all.into_iter().filter(|value| is_power_of_ten(*value)).collect(),
        }
    }
}

fn is_power_of_ten(value: f64) -> bool {
    let digits = value.log10();
    (digits - digits.round()).abs() < 1e-6
}

/// 1, 2 and 5 times the powers of ten, from that below `value` on.
fn rounds(value: f64) -> impl Iterator<Item = f64> {
    let first = value.log10().floor() as i32;
    (first..first + 30).flat_map(|power| [1.0, 2.0, 5.0].map(|n| n * 10f64.powi(power)))
}

/// The least round number that is at least `value`.
fn step(value: f64) -> f64 {
    rounds(value).find(|round| *round >= value * 0.999_999).unwrap_or(value)
}

/// A number as people read it: at most three digits that count, or thousands with commas.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 999.5 => thousands(value.round() as i64),
        size => {
            let digits = (2 - size.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
    }
}

/// A number beside a tick, where there is little room: thousands and millions by letters.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 999_999.5 => number(value / 1e6) + "M",
        size if size >= 9_999.5 => number(value / 1e3) + "k",
        _ => number(value),
    }
}

fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    format!("{}{}", if value < 0 { "−" } else { "" }, groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        let axis = Axis::above_zero([1.0, 10_230.0, 7.0].into_iter());
        assert_eq!(axis.ticks(), [0.0, 5000.0, 10_000.0, 15_000.0]);
        assert_eq!(axis.place(7500.0), 0.5);
        let axis = Axis::logarithmic([0.7, 12.0, 83.0].into_iter());
        assert_eq!(axis.ticks(), [1.0, 10.0, 100.0]);
        assert_eq!((axis.place(0.5), axis.place(100.0), axis.place(1000.0)), (0.0, 1.0, 1.0));
        let narrow = Axis::logarithmic([3.0, 9.0].into_iter());
        assert_eq!(narrow.ticks(), [2.0, 5.0, 10.0]);
        for empty in [Axis::above_zero(std::iter::empty()), Axis::logarithmic(std::iter::empty())] {
            assert!(empty.place(1.0).is_finite() && !empty.ticks().is_empty(), "{empty:?}");
        }
    }

    #[test]
    fn numbers_are_short() {
        let table = [
            (0.0, "0"),
            (0.012_34, "0.0123"),
            (1.0, "1"),
            (1.256, "1.26"),
            (99.96, "100"),
            (999.4, "999"),
            (1234.5, "1,235"),
            (12_345_678.0, "12,345,678"),
            (-1500.0, "−1,500"),
        ];
        for (value, text) in table {
            assert_eq!(number(value), text);
        }
        let table = [(0.1, "0.1"), (5000.0, "5,000"), (20_000.0, "20k"), (2.5e6, "2.5M")];
        for (value, text) in table {
            assert_eq!(short(value), text);
        }
    }
}
