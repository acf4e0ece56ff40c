//! The worker's configuration for the demo, and what the pictures need to know of it.

use super::arguments::{Arguments, Speed};
use super::brokers::Brokers;
use super::scene::{Scale, Setup};
use super::signal::Signal;
use crate::config::{self, Config};
use crate::filter::Filters;
use crate::watch::Settings;
use anyhow::{Context, bail};
use detection::{Calibration, CalibrationError, DetectorConfig, Search, Span};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// The configuration of the electrocardiogram.
pub(super) const ECG: &str = include_str!("../../../examples/ecg.worker.yaml");

/// Samples of an unknown series that are looked at to find its period.
const STRETCH: usize = 6000;
/// Points in a period of an unknown series, after decimation, that are aimed at.
const PERIOD: f64 = 80.0;
/// The longest period of an unknown series, in samples.
const LONGEST: usize = 2000;

/// What the demo runs.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What the worker is told.
    pub(super) config: Config,
    /// The scale in the pictures, its open values found out.
    pub(super) settings: Settings,
}

impl Plan {
    /// The configuration that the arguments name, or one that suits the signal.
    ///
    /// # Errors
    /// Says what is wrong with the configuration, or why none can be found.
    pub(super) fn new(arguments: &Arguments, signal: &Signal) -> anyhow::Result<Plan> {
        let config = match &arguments.config {
            Some(path) => {
                let name = path.display();
                let text =
                    std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
                Config::from_yaml(&text).with_context(|| name.to_string())?
            }
            None if arguments.input.is_some() => calibrated(signal)?,
            None => Config::from_yaml(ECG).context("examples/ecg.worker.yaml")?,
        };
        if config.series.dimension != 1 {
            bail!("the demo plays one channel: set series.dimension to 1");
        }
        let settings = settle(&config, signal)?;
        Ok(Plan { config, settings })
    }

    /// Tells the worker where Kafka is, and to serve its metrics on a free port of localhost.
    ///
    /// # Errors
    /// When there is no free port.
    pub(super) fn connect(&mut self, brokers: &Brokers) -> anyhow::Result<SocketAddr> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        self.config.kafka.brokers = brokers.addresses().into();
        self.config.http.listen = free;
        if let Brokers::Embedded(_) = brokers {
            // A fetch that finds nothing waits this long there, whatever comes meanwhile.
            let properties = &mut self.config.kafka.properties;
            properties.insert("fetch.wait.max.ms".into(), "4".into());
        }
        Ok(free)
    }

    /// The filters of the worker.
    pub(super) fn filters(&self) -> Filters {
        let filters = Filters::new(&self.config.series.preprocess, 1);
        filters.expect("the configuration was checked")
    }

    /// Samples for each point after the filters.
    pub(super) fn stride(&self) -> u64 {
        self.config.series.preprocess.decimate.unwrap_or(1) as u64
    }

    /// What the pictures need to know.
    pub(super) fn setup(&self, signal: &Signal, speed: Speed) -> Setup {
        let scale = &self.config.scales[0];
        let point_rate = signal.rate / self.stride() as f64;
        let default = DetectorConfig::default();
        let detection = scale.detection.as_ref().unwrap_or(&default);
        let emission = self.settings.hop as f64 / point_rate;
        Setup {
            title: signal.title.clone(),
            unit: signal.unit.clone(),
            rate: signal.rate,
            point_rate,
            speed: speed.times(),
            length: signal.length(),
            scale: Scale {
                name: scale.name.clone(),
                window: self.settings.window,
                hop: self.settings.hop,
                delay: self.settings.delay,
                copies: scale.embedding.copies,
                max_radius: self.settings.cap,
            },
            threshold: detection.threshold,
            warm_up: match detection.warm_up {
                Span::Seconds(seconds) => seconds,
                Span::Emissions(count) => count as f64 * emission,
            },
            reference: signal.marks.is_some(),
            about: signal.about.clone(),
            caveat: signal.caveat.clone(),
        }
    }
}

/// The open values of the first scale, found out from the same samples as the worker will.
fn settle(config: &Config, signal: &Signal) -> anyhow::Result<Settings> {
    let scale = &config.scales[0];
    if let Some(settings) = Settings::fixed(scale) {
        return Ok(settings);
    }
    let calibration = scale.calibration.context("the configuration says no calibration")?;
    let stretch = filtered(config, signal, calibration.samples)?;
    Settings::found(scale, &calibration, &stretch, 1)
        .context("the first samples do not tell the open values of the configuration")
}

/// The first `count` samples after the filters.
fn filtered(config: &Config, signal: &Signal, count: usize) -> anyhow::Result<Vec<f32>> {
    let mut filters = Filters::new(&config.series.preprocess, 1)?;
    let mut stretch = Vec::new();
    for &sample in &signal.samples {
        if stretch.len() == count {
            break;
        }
        stretch.extend(filters.push(&[sample]).map(|(_, point)| point[0]));
    }
    Ok(stretch)
}

/// A configuration for a series of which nothing is known: windows of one period, thinned out to
/// about eighty points.
fn calibrated(signal: &Signal) -> anyhow::Result<Config> {
    let mut config = Config::from_yaml(ECG).context("examples/ecg.worker.yaml")?;
    (config.kafka.group, config.kafka.input) = ("streaming-tda-demo".into(), "points".into());
    config.series.preprocess = config::Preprocess::default();
    let samples = &signal.samples[..signal.samples.len().min(STRETCH)];
    let mut search = Search::new(1, 10..=(samples.len() / 3).min(LONGEST));
    search.deviations = 2.0;
    let advice = "name a configuration for it with --config";
    let found = fundamental(samples, &search).context(advice)?;
    let factor = (found.period as f64 / PERIOD).round().max(1.0) as usize;
    config.series.preprocess.decimate = (factor > 1).then_some(factor);
    let stretch = filtered(&config, signal, samples.len() / factor)?;
    let thinned = Search { periods: 10..=(stretch.len() / 3).max(10), ..search };
    let found = fundamental(&stretch, &thinned).context(advice)?;
    let scale = &mut config.scales[0];
    scale.name = "period".into();
    scale.embedding.delay = config::Auto::Fixed(found.delay);
    scale.window = config::Auto::Fixed(found.window);
    scale.hop = Some(found.hop);
    scale.max_radius = config::Radius::Fixed(found.cap);
    scale.detection = Some(DetectorConfig::default());
    config.validate()?;
    Ok(config)
}

/// What the stretch tells, at its shortest period: a series that repeats itself well does so after
/// two and three periods too.
fn fundamental(samples: &[f32], search: &Search) -> Result<Calibration, CalibrationError> {
    let mut found = detection::calibrate(samples, search)?;
    loop {
        let periods = *search.periods.start()..=found.period * 3 / 5;
        match detection::calibrate(samples, &Search { periods, ..search.clone() }) {
            Ok(shorter) if shorter.correlation >= 0.9 * found.correlation => found = shorter,
            _ => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_recipe() {
        let config = Config::from_yaml(ECG).unwrap();
        let settings = settle(&config, &Signal::electrocardiogram()).unwrap();
        assert_eq!((settings.window, settings.hop, settings.delay), (62, 6, 8));
        assert_eq!(config.series.preprocess.decimate, Some(3));
    }

    #[test]
    fn an_unknown_series_is_followed_period_by_period() {
        let wave = |t: u32| {
            let angle = std::f32::consts::TAU * t as f32 / 400.0;
            angle.sin() + 0.3 * (2.0 * angle).cos()
        };
        let samples: Vec<f32> = (0..8000).map(wave).collect();
        let signal = Signal { samples, ..Signal::electrocardiogram() };
        let config = calibrated(&signal).unwrap();
        assert_eq!(config.series.preprocess.decimate, Some(5));
        let settings = settle(&config, &signal).unwrap();
        assert!((78..=82).contains(&settings.window), "{settings:?}");
    }

    #[test]
    fn a_series_without_a_period_is_an_error_that_says_what_to_do() {
        let samples: Vec<f32> = (0..8000).map(|t| t as f32).collect();
        let signal = Signal { samples, ..Signal::electrocardiogram() };
        let error = format!("{:#}", calibrated(&signal).unwrap_err());
        assert!(error.contains("--config"), "{error}");
    }
}
