use super::Shape;

/// Seconds between two times that are the same.
const RESOLUTION: f64 = 1e-9;

impl Shape {
    /// The moment, to a nanosecond, from which on there have been more than `points`: the lowest
    /// upper bound of the times at which there were not. Looked for from `from` to `until`, both
    /// in seconds; there have been no more than `points` at `from`. `None` when it is later.
    pub fn time_of(&self, points: f64, from: f64, until: f64) -> Option<f64> {
        // What an integral is off by rounding must not make a point at the very end.
        let slack = 1e-9 + 1e-12 * points;
        if self.points(until) <= points + slack {
            return None;
        }
        let (mut low, mut high) = self.bracket(points, from, until);
        while high - low > RESOLUTION {
            let width = high - low;
            for at in self.guesses(points, high) {
                self.narrow(points, at, &mut low, &mut high);
            }
            if high - low > width / 2.0 {
                self.narrow(points, low + (high - low) / 2.0, &mut low, &mut high);
            }
            if high - low >= width {
                break;
            }
        }
        Some(high)
    }

    /// Times between which it lies, the first guess at a distance that the rate suggests.
    fn bracket(&self, points: f64, from: f64, until: f64) -> (f64, f64) {
        let mut step = (2.0 / self.rate(from).max(1e-3)).max(RESOLUTION);
        let (mut low, mut high) = (from, (from + step).min(until));
        while high < until && self.points(high) <= points {
            step *= 2.0;
            (low, high) = (high, (high + step).min(until));
        }
        (low, high)
    }

    /// Where the tangent says that it lies, and a little to both sides, so that a good guess
    /// closes the bracket.
    fn guesses(&self, points: f64, high: f64) -> [f64; 2] {
        let rate = self.rate(high);
        let guess = high - (self.points(high) - points) / rate;
        [guess - RESOLUTION / 4.0, guess + RESOLUTION / 4.0]
    }

    fn narrow(&self, points: f64, at: f64, low: &mut f64, high: &mut f64) {
        if at > *low && at < *high {
            *if self.points(at) > points { high } else { low } = at;
        }
    }
}
