use super::{Config, Kafka, Scale};
use crate::watch::Settings;
use detection::signal::{Decimate, HighPass};
use mesh::Protocol;
use persistence::{Config as EngineConfig, ConfigError, Embedding};
use std::collections::BTreeSet;
use std::fmt;

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `scales[0].window`; empty for the whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// All that is wrong with a configuration, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "thing is" } else { "things are" };
        write!(f, "{count} {noun} wrong with the configuration:")?;
        for Problem { path, message } in &self.0 {
            let path = if path.is_empty() { "(file)" } else { path };
            write!(f, "\n  {path}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Config {
    /// Checks what the types do not say.
    ///
    /// # Errors
    /// Lists all that is wrong.
    pub fn validate(&self) -> Result<(), Problems> {
        let mut problems = Vec::new();
        let mut say = |path: String, message: String| problems.push(Problem { path, message });
        self.check_kafka(&mut say);
        for (path, message) in self.input.problems() {
            say(format!("input.{path}"), message);
        }
        self.check_series(&mut say);
        self.check_scales(&mut say);
        for (path, value) in
            [("threads", self.compute.threads), ("queue_bytes", self.compute.queue_bytes)]
        {
            if value == Some(0) {
                say(format!("compute.{path}"), "it must be at least 1".into());
            }
        }
        if self.compute.latency_goal_ms == Some(0) {
            say("compute.latency_goal_ms".into(), "it must be at least 1".into());
        }
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    fn check_kafka(&self, say: &mut dyn FnMut(String, String)) {
        let kafka = &self.kafka;
        let mut names: Vec<(&str, String)> =
            mesh::schema::Kind::ALL.iter().map(|k| (k.name(), kafka.output(*k))).collect();
        names.extend(kafka.dead_letters().map(|name| ("dead_letters", name)));
        names.push(("checkpoints", kafka.checkpoints()));
        let mut seen = BTreeSet::from([kafka.input.clone()]);
        for (path, name) in names {
            let path = match path {
                "checkpoints" => "kafka.checkpoints".to_owned(),
                "dead_letters" => "kafka.dead_letters.topic".to_owned(),
                output => format!("kafka.outputs.{output}"),
            };
            if name.is_empty() {
                say(path, "name a topic".into());
            } else if !seen.insert(name.clone()) {
                say(path, format!("topic {name} has another role already"));
            }
        }
        for (path, value) in
            [("brokers", &kafka.brokers), ("group", &kafka.group), ("input", &kafka.input)]
        {
            if value.is_empty() {
                say(format!("kafka.{path}"), "it is empty".into());
            }
        }
        for address in kafka.brokers.split(',').map(str::trim).filter(|a| !a.is_empty()) {
            if let Some(message) = unreachable(address) {
                say("kafka.brokers".into(), message);
            }
        }
        if kafka.checkpoint_ms == 0 {
            say("kafka.checkpoint_ms".into(), "it must be at least 1".into());
        }
        let connection = kafka.connection();
        for (name, value) in &kafka.properties {
            let misfit = || connection.misfit(name, value);
            if let Some(message) = connection.refusal(name).or_else(misfit) {
                say(format!("kafka.properties.{name}"), message);
            }
        }
        for (path, message) in kafka.security.problems() {
            say(format!("kafka.security.{path}"), message);
        }
        for (path, message) in kafka.breaker.problems() {
            say(format!("kafka.breaker.{path}"), message);
        }
        kafka.check_membership(say);
    }

    fn check_series(&self, say: &mut dyn FnMut(String, String)) {
        let series = &self.series;
        for (path, value) in [
            ("dimension", series.dimension),
            ("max", series.max),
            ("max_record_bytes", series.max_record_bytes),
        ] {
            if value == 0 {
                say(format!("series.{path}"), "it must be at least 1".into());
            }
        }
        let decimate = series.preprocess.decimate.map(|n| Decimate::new(n, 1).map(drop));
        if let Some(Err(error)) = decimate {
            say("series.preprocess.decimate".into(), error.to_string());
        }
        let high_pass = series.preprocess.high_pass.map(|n| HighPass::new(n, 1).map(drop));
        if let Some(Err(error)) = high_pass {
            say("series.preprocess.high_pass".into(), error.to_string());
        }
    }

    fn check_scales(&self, say: &mut dyn FnMut(String, String)) {
        if self.scales.is_empty() {
            say("scales".into(), "name at least one scale".into());
        }
        let mut names = BTreeSet::new();
        for (index, scale) in self.scales.iter().enumerate() {
            let path = format!("scales[{index}]");
            if !names.insert(&scale.name) {
                let message = format!("another scale is called {:?}", scale.name);
                say(format!("{path}.name"), message);
            }
            scale.check(self.series.dimension.max(1), &mut |field, message| {
                say(format!("{path}.{field}"), message);
            });
        }
    }
}

impl Kafka {
    fn check_membership(&self, say: &mut dyn FnMut(String, String)) {
        if self.instance_id.as_deref() == Some("") {
            say("kafka.instance_id".into(), "it is empty; leave it out, or name the worker".into());
        }
        let path = || "kafka.session_timeout_ms".to_owned();
        match (self.session_timeout_ms, self.group_protocol) {
            (Some(_), Protocol::Consumer) => {
                let message = "the broker decides about it with group_protocol: consumer; remove \
                               it, and set group.consumer.session.timeout.ms there";
                say(path(), message.into());
            }
            (Some(ms), Protocol::Classic) if !(6000..=10_000).contains(&ms) => {
                say(path(), format!("it is {ms}: it must be from 6000 to 10000"));
            }
            _ => {}
        }
    }
}

/// Why there can be no broker at an address.
fn unreachable(address: &str) -> Option<String> {
    if let Some((scheme, _)) = address.split_once("://") {
        return Some(format!("{address:?}: leave {scheme}:// out; brokers are host:port"));
    }
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|p| p > 0)) {
        true => None,
        false => Some(format!("{address:?} is not host:port, such as localhost:9092")),
    }
}

impl Scale {
    fn check(&self, dimension: usize, say: &mut dyn FnMut(&str, String)) {
        let named = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if self.name.is_empty() || !self.name.chars().all(named) {
            say("name", "use letters, digits, '.', '_' and '-'".into());
        }
        if self.max_degree > 1 {
            say("max_degree", format!("it is {}: degrees 0 and 1 are computed", self.max_degree));
        }
        self.check_calibration(say);
        for error in self.refused(dimension) {
            say(field(&error), error.to_string());
        }
        if let Some(detection) = &self.detection
            && let Err(errors) = detection.validate()
        {
            for error in errors.0 {
                say("detection", error.to_string());
            }
        }
    }

    /// All that the engine refuses.
    fn refused(&self, dimension: usize) -> Vec<ConfigError> {
        let Settings { window, hop, delay, cap } = Settings::example(self);
        let channels = self.embedding.channels.as_deref();
        let embedding = Embedding::new(self.embedding.copies, delay, dimension, channels);
        let size = EngineConfig::new(1, window, 0.0).validate();
        let radius = EngineConfig::new(1, 1, cap).validate();
        let positive = |n: usize, error| if n == 0 { Err(error) } else { Ok(()) };
        let (stride, hop) =
            (positive(self.stride, ConfigError::Stride), positive(hop, ConfigError::Hop));
        let checks = [embedding.map(drop), size, radius, stride, hop];
        checks.into_iter().filter_map(Result::err).collect()
    }

    fn check_calibration(&self, say: &mut dyn FnMut(&str, String)) {
        let Some(calibration) = self.calibration else {
            if self.is_calibrated() {
                let message = "it is needed to find out auto values and deviations: say from how \
                               many samples, such as calibration: {samples: 3000}";
                say("calibration", message.into());
            }
            return;
        };
        if !self.is_calibrated() {
            say("calibration", "nothing is to be found out; remove it".into());
        }
        if calibration.samples < 2 {
            say("calibration.samples", "it must be at least 2".into());
        }
        let (first, last) = (calibration.min_period, calibration.longest());
        if self.needs_period() && (first < 2 || first > last) {
            let message = format!("periods from {first} to {last} cannot be looked for");
            say("calibration.min_period", message);
        }
        if self.needs_period() && calibration.samples < 3 * last {
            let message = format!("periods up to {last} need at least {} samples", 3 * last);
            say("calibration.samples", message);
        }
    }
}

/// The field that an error of the engine is about.
fn field(error: &ConfigError) -> &'static str {
    use ConfigError as E;
    match error {
        E::Dimension | E::Window(_) => "window",
        E::MaxRadius(_) => "max_radius",
        E::Hop => "hop",
        E::Stride => "stride",
        E::Embedding | E::TooManyDimensions(_) => "embedding.copies",
        E::Delay | E::Reach { .. } => "embedding.delay",
        E::NoChannels | E::Channel { .. } => "embedding.channels",
    }
}
