use std::ops::RangeInclusive;

/// What to look for in a warm-up stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Channels in a sample.
    pub channels: usize,
    /// Periods to look at, in samples.
    pub periods: RangeInclusive<usize>,
    /// The lowest autocorrelation that counts as a period. Default: 0.2.
    pub min_correlation: f32,
    /// Copies of the series in the delay embedding. Default: 3.
    pub copies: usize,
    /// The cap, in standard deviations of the cloud. Default: 2.
    pub deviations: f32,
}

impl Search {
    /// A search with the defaults.
    pub fn new(channels: usize, periods: RangeInclusive<usize>) -> Search {
        Search { channels, periods, min_correlation: 0.2, copies: 3, deviations: 2.0 }
    }
}

/// How to look at a quasi-periodic series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// The dominant period, in samples.
    pub period: usize,
    /// The autocorrelation at the period, at most 1.
    pub correlation: f32,
    /// Points in a window: one period.
    pub window: usize,
    /// Samples between two copies of the embedding: about a twelfth of the period.
    pub delay: usize,
    /// Points between two emissions: about an eighth of the window.
    pub hop: usize,
    /// The radius at which the filtration ends, in the unit of the samples.
    pub cap: f32,
}

/// Why a stretch of samples does not tell how to look at the series.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// The search makes no sense.
    #[error(
        "periods from {first} to {last} cannot be looked for: the range must begin at 2 samples \
         or more and not be empty"
    )]
    Range {
        /// The shortest period asked for.
        first: usize,
        /// The longest period asked for.
        last: usize,
    },
    /// Samples need channels, an embedding needs copies.
    #[error("channels and copies must be at least 1")]
    Empty,
    /// Three of the longest periods must fit.
    #[error("{found} samples are too few to find periods of up to {last}: give at least {needed}")]
    TooShort {
        /// Samples given.
        found: usize,
        /// Samples needed.
        needed: usize,
        /// The longest period asked for.
        last: usize,
    },
    /// A sample is NaN or infinite.
    #[error("sample {0} is not finite")]
    NotFinite(usize),
    /// The samples do not vary.
    #[error(
        "the samples are constant: there is no shape to follow; calibrate on a livelier stretch"
    )]
    Constant,
    /// No autocorrelation peak is high enough.
    #[error(
        "no period stands out: {best}; widen the range of periods, \
         filter the series, or set window, delay and radius by hand",
        best = describe(*.highest)
    )]
    NoPeriod {
        /// The highest peak in the range, if there is any: period and autocorrelation.
        highest: Option<(usize, f32)>,
    },
}

fn describe(highest: Option<(usize, f32)>) -> String {
    match highest {
        Some((period, correlation)) => {
            format!("the highest autocorrelation peak is {correlation:.2}, at {period} samples")
        }
        None => "the autocorrelation has no peak in the range".to_owned(),
    }
}

/// Finds the dominant period of a stretch of samples (row by row, all channels of a sample
/// together) and derives from it window, delay, hop and cap. The period is the highest
/// peak of the autocorrelation in the range; of several channels the autocovariances add up.
/// O(samples × periods).
///
/// # Errors
/// When no period stands out, or the samples cannot be used; the message says what to do.
pub fn calibrate(samples: &[f32], search: &Search) -> Result<Calibration, CalibrationError> {
    let centred = Centred::new(samples, search)?;
    let (period, correlation) = centred.period(search)?;
    let delay = ((period as f64 / 12.0).round() as usize).max(1);
    Ok(Calibration {
        period,
        correlation: correlation as f32,
        window: period,
        delay,
        hop: (period / 8).max(1),
        cap: cap(samples, search.channels, delay, search.copies, search.deviations),
    })
}

/// The cap of a series: `deviations` standard deviations of the cloud of its delay embedding. The
/// standard deviation of a cloud is the root mean square distance of its points from their mean.
/// Samples stand row by row.
pub fn cap(samples: &[f32], channels: usize, delay: usize, copies: usize, deviations: f32) -> f32 {
    let rows = samples.len() / channels.max(1);
    let reach = delay * copies.saturating_sub(1);
    let points = rows.saturating_sub(reach);
    let mut variance = 0.0;
    for copy in 0..copies {
        let from = reach - copy * delay;
        for channel in 0..channels {
            variance += spread((from..from + points).map(|row| samples[row * channels + channel]));
        }
    }
    (f64::from(deviations) * variance.sqrt()) as f32
}

/// The variance of these values, 0 for none.
fn spread(values: impl Iterator<Item = f32> + Clone) -> f64 {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    values.map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count
}

/// Samples less the mean of their channel, channel by channel.
struct Centred {
    channels: Vec<Vec<f64>>,
    /// The sum of the squares.
    energy: f64,
}

impl Centred {
    fn new(samples: &[f32], search: &Search) -> Result<Centred, CalibrationError> {
        let (first, last) = (*search.periods.start(), *search.periods.end());
        if search.channels == 0 || search.copies == 0 {
            return Err(CalibrationError::Empty);
        }
        if first < 2 || first > last {
            return Err(CalibrationError::Range { first, last });
        }
        let (found, needed) = (samples.len() / search.channels, last.saturating_mul(3));
        if found < needed {
            return Err(CalibrationError::TooShort { found, needed, last });
        }
        if let Some(at) = samples.iter().position(|x| !x.is_finite()) {
            return Err(CalibrationError::NotFinite(at / search.channels));
        }
        let column =
            |c: usize| samples.iter().skip(c).step_by(search.channels).map(|x| f64::from(*x));
        let centred = |c: usize| {
            let mean = column(c).sum::<f64>() / column(c).count() as f64;
            column(c).map(|x| x - mean).collect::<Vec<f64>>()
        };
        let channels: Vec<Vec<f64>> = (0..search.channels).map(centred).collect();
        let energy: f64 = channels.iter().flatten().map(|x| x * x).sum();
        let constant = samples.iter().skip(search.channels).zip(samples).all(|(a, b)| a == b);
        if constant { Err(CalibrationError::Constant) } else { Ok(Centred { channels, energy }) }
    }

    /// The autocorrelation at a lag, unbiased by the number of products.
    fn correlation(&self, lag: usize) -> f64 {
        let products = |x: &Vec<f64>| x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum::<f64>();
        let rows = self.channels[0].len();
        let covariance: f64 = self.channels.iter().map(products).sum();
        covariance / self.energy * rows as f64 / (rows - lag) as f64
    }

    fn period(&self, search: &Search) -> Result<(usize, f64), CalibrationError> {
        let (first, last) = (*search.periods.start(), *search.periods.end());
        let around: Vec<f64> = (first - 1..=last + 1).map(|lag| self.correlation(lag)).collect();
        let peaks = around.windows(3).enumerate().filter(|(_, w)| w[0] < w[1] && w[1] >= w[2]);
        let highest = peaks
            .map(|(i, w)| (first + i, w[1]))
            .reduce(|best, peak| if peak.1 > best.1 { peak } else { best });
        match highest {
            Some(peak) if peak.1 >= f64::from(search.min_correlation) => Ok(peak),
            _ => {
                let highest = highest.map(|(period, correlation)| (period, correlation as f32));
                Err(CalibrationError::NoPeriod { highest })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(period: f64, n: usize) -> Vec<f32> {
        let at = |t: usize| std::f64::consts::TAU * t as f64 / period;
        (0..n).map(|t| (at(t).sin() + 0.3 * (2.0 * at(t)).cos()) as f32).collect()
    }

    #[test]
    fn a_wave_tells_its_period() {
        let found = calibrate(&wave(96.0, 1000), &Search::new(1, 40..=150)).unwrap();
        assert_eq!((found.period, found.window, found.delay, found.hop), (96, 96, 8, 12));
        assert!(found.correlation > 0.98);
        let deviation = (3.0f64 * (1.0 + 0.09) / 2.0).sqrt();
        assert!((f64::from(found.cap) - 2.0 * deviation).abs() < 0.05);
    }

    #[test]
    fn a_period_in_one_of_two_channels_is_found() {
        let quiet = wave(31.0, 800).into_iter().map(|x| 0.01 * x);
        let samples: Vec<f32> =
            wave(60.0, 800).into_iter().zip(quiet).flat_map(|(x, y)| [x, y]).collect();
        assert_eq!(calibrate(&samples, &Search::new(2, 20..=100)).unwrap().period, 60);
    }

    #[test]
    fn without_a_period_the_error_says_what_to_do() {
        let mut state = 1u64;
        let noise: Vec<f32> = (0..3000)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 40) as f32
            })
            .collect();
        let error = calibrate(&noise, &Search::new(1, 20..=100)).unwrap_err();
        assert!(matches!(error, CalibrationError::NoPeriod { highest: Some(_) }));
        assert!(error.to_string().contains("set window, delay and radius by hand"), "{error}");
        let ramp: Vec<f32> = (0..400).map(|t| t as f32).collect();
        let error = calibrate(&ramp, &Search::new(1, 20..=100)).unwrap_err();
        assert_eq!(error, CalibrationError::NoPeriod { highest: None });
    }

    #[test]
    fn unusable_samples_are_errors() {
        let search = Search::new(1, 20..=100);
        let short = CalibrationError::TooShort { found: 100, needed: 300, last: 100 };
        assert_eq!(calibrate(&[0.0; 100], &search), Err(short));
        assert_eq!(calibrate(&[2.5; 400], &search), Err(CalibrationError::Constant));
        let mut samples = wave(50.0, 400);
        samples[7] = f32::NAN;
        assert_eq!(calibrate(&samples, &search), Err(CalibrationError::NotFinite(7)));
        let range = CalibrationError::Range { first: 1, last: 9 };
        assert_eq!(calibrate(&samples, &Search::new(1, 1..=9)), Err(range));
    }
}
