use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the samples of a window lie. Not topological: a Vietoris–Rips filtration does not change
/// under translation, so the diagrams cannot see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Mean of each channel over the window, in its unit.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel over the window, in its unit.
    pub deviation: Vec<f32>,
}

impl Level {
    /// Of the first `channels` coordinates of the points, which in a delay embedding are the
    /// newest sample. Coordinates that a point lacks count as 0.
    pub fn of<'a>(points: impl Iterator<Item = &'a [f32]>, channels: usize) -> Level {
        let (mut count, mut mean, mut squares) = (0.0, vec![0.0; channels], vec![0.0; channels]);
        for point in points {
            count += 1.0;
            for channel in 0..channels {
                let value = f64::from(point.get(channel).copied().unwrap_or(0.0));
                let before: f64 = value - mean[channel];
                mean[channel] += before / count;
                squares[channel] += before * (value - mean[channel]);
            }
        }
        let deviation = squares.iter().map(|s: &f64| (s / f64::max(count, 1.0)).sqrt() as f32);
        Level { deviation: deviation.collect(), mean: mean.iter().map(|m| *m as f32).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_of_the_first_channels() {
        let points = [[1.0f32, 5.0, 9.0], [3.0, 5.0, 9.0], [5.0, 5.0, 9.0]];
        let level = Level::of(points.iter().map(|p| &p[..]), 2);
        assert_eq!(level.mean, [3.0, 5.0]);
        assert_eq!(level.deviation, [(8f32 / 3.0).sqrt(), 0.0]);
    }

    #[test]
    fn no_points_lie_at_zero() {
        let level = Level::of(std::iter::empty(), 1);
        assert_eq!(level, Level { mean: vec![0.0], deviation: vec![0.0] });
    }
}
