use std::path::PathBuf;
use std::str::FromStr;

/// What `demo` is told on the command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A Kafka broker to use instead of the one inside this process
    #[arg(long, value_name = "HOST:PORT")]
    pub broker: Option<String>,
    /// Your own series instead of the electrocardiogram: .csv or .npy, or - for CSV on standard
    /// input
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// The column of the input, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "input")]
    pub channel: usize,
    /// Samples a second of the input
    #[arg(long, value_name = "HZ", default_value_t = 100.0, requires = "input", value_parser = positive)]
    pub rate: f64,
    /// The configuration of the worker; by default that of the electrocardiogram, or for --input
    /// one found out from its beginning
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How many times faster than real time the series is played, or max
    #[arg(long, value_name = "X", default_value = "5")]
    pub speed: Speed,
    /// Port of the page on localhost; 0 takes a free one [default: 8208, or a free one]
    #[arg(long, value_name = "P")]
    pub port: Option<u16>,
    /// End by itself after playing for so many seconds
    #[arg(long, value_name = "N", value_parser = positive)]
    pub seconds: Option<f64>,
    /// Write report.json and report.html to this folder at the end
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
}

/// How fast the series is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times faster than real time.
    Times(f64),
    /// As fast as the worker can follow.
    Max,
}

impl Speed {
    /// The factor, `None` for [`Speed::Max`].
    pub fn times(self) -> Option<f64> {
        match self {
            Speed::Times(factor) => Some(factor),
            Speed::Max => None,
        }
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Speed, String> {
        match text {
            "max" => Ok(Speed::Max),
            _ => positive(text.trim_end_matches(['x', '×'])).map(Speed::Times).map_err(|_| {
                format!("{text:?} is no speed: give a number above 0, such as 5, or max")
            }),
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    match value.is_finite() && value > 0.0 {
        true => Ok(value),
        false => Err(format!("{value} must be above 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::Speed;

    #[test]
    fn a_speed_is_a_factor_or_max() {
        assert_eq!("5".parse(), Ok(Speed::Times(5.0)));
        assert_eq!("0.5x".parse(), Ok(Speed::Times(0.5)));
        assert_eq!("max".parse(), Ok(Speed::Max));
        for wrong in ["0", "-1", "NaN", "inf", "fast", ""] {
            let refused = wrong.parse::<Speed>().unwrap_err();
            assert!(refused.contains("or max"), "{refused}");
        }
    }
}
