//! A worker's configuration, and what must come out.

use crate::audit::Audit;
use crate::free_port;
use crate::kafka::Kafka;
use crate::points::Points;
use crate::worker::get;
use anyhow::{Context, Result};
use mesh::schema::Kind;
use persistence::{Config, Embedding, Scale};
use std::collections::BTreeMap;
use worker::emission::Emission;

/// The configuration of a worker of one input, with three kinds of memory: windows, a stride, a
/// detector. Group, outputs and checkpoints are named after `output`.
#[derive(Clone, Debug)]
pub struct Setting {
    brokers: String,
    input: String,
    output: String,
    /// The port of its metrics.
    pub port: u16,
    /// Entries of `series`.
    pub series: String,
    /// Further lines of `kafka`, each with its indent of two.
    pub kafka: String,
    /// What `input` says.
    pub codec: String,
}

impl Setting {
    /// A worker of `input`.
    ///
    /// # Errors
    /// When there is no port left.
    pub fn new(kafka: &Kafka, input: &str, output: &str) -> Result<Setting> {
        Ok(Setting {
            brokers: kafka.address(),
            input: input.into(),
            output: output.into(),
            port: free_port()?,
            series: "dimension: 2".into(),
            kafka: String::new(),
            codec: "{}".into(),
        })
    }

    /// The same for another group, whose outputs and checkpoints are apart.
    ///
    /// # Errors
    /// When there is no port left.
    pub fn apart(&self, output: &str) -> Result<Setting> {
        Ok(Setting { output: output.into(), port: free_port()?, ..self.clone() })
    }

    /// The values of a metric, as the worker tells them now; none when it does not answer.
    pub fn metric(&self, prefix: &str) -> Vec<f64> {
        let Ok((200, text)) = get(self.port, "/metrics") else { return Vec::new() };
        let lines = text.lines().filter(|line| line.starts_with(prefix));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect()
    }

    /// As the worker reads it.
    pub fn yaml(&self) -> String {
        let Setting { brokers, input, output, port, series, kafka, codec } = self;
        format!(
            "
kafka:
  brokers: '{brokers}'
  group: {output}
  input: {input}
  outputs: {{diagrams: {output}.diagrams, features: {output}.features, alerts: {output}.alerts}}
  checkpoints: {output}.checkpoints
  dead_letters: {{topic: {output}.dead-letters, headers: [kafka_connect, spring]}}
  checkpoint_ms: 300
{kafka}
input: {codec}
series: {{{series}}}
scales:
  - {{name: wide, window: 100, hop: 20, max_radius: 0.8}}
  - name: judged
    window: 40
    hop: 20
    stride: 2
    embedding: {{delay: 3, copies: 2, channels: [0]}}
    max_radius: infinity
    detection: {{distance_bars: 4, warm_up: {{emissions: 20}}, memory: {{emissions: 50}}, threshold: 1.5}}
http: {{listen: '127.0.0.1:{port}'}}
compute: {{threads: 2}}
"
        )
    }
}

/// The emissions of the scale `wide`, computed here by the engine alone, as JSON by id.
///
/// # Errors
/// When the engine refuses a point.
pub fn expected(points: &Points, topic: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut expected = BTreeMap::new();
    for partition in 0..points.partitions {
        for series in 0..points.series {
            let config = Config::new(2, 100, 0.8);
            let mut scale = Scale::new(Embedding::identity(2)?, 1, 20, &config)?;
            for index in 0..points.length {
                let value = Points::value(partition, series, index);
                let Some(emission) = scale.push(&value)? else { continue };
                let offset = points.offset(series, index);
                let mut json = Vec::new();
                Emission::from(&emission).write(&mut json)?;
                expected.insert(format!("{topic}/{partition}/{offset}/diagrams/wide"), json);
            }
        }
    }
    Ok(expected)
}

/// Outputs of both scales, without the alerts, whose number depends on the points.
pub fn count(points: &Points) -> usize {
    let wide = (points.length - 100) / 20 + 1;
    // Of a series of n samples, (n − 3 + 1) / 2 points enter the window.
    let judged = ((points.length - 2) / 2 - 40) / 20 + 1;
    points.partitions as usize * points.series * (wide + 2 * judged)
}

/// The JSON of the emission in the value of an output.
///
/// # Errors
/// When there is none.
pub fn emission(value: &[u8]) -> Result<Vec<u8>> {
    let json = std::str::from_utf8(value)?;
    let (_, emission) = json.split_once(r#""emission":"#).context("there is no emission")?;
    Ok(emission.strip_suffix('}').context("the emission is not the last field")?.into())
}

/// The emissions of the scale `wide` that came out, as JSON by id.
///
/// # Errors
/// When an output holds none.
pub fn diagrams(audit: &Audit) -> Result<BTreeMap<String, Vec<u8>>> {
    let outputs = audit.of_kind(Kind::Diagrams).filter(|(id, _)| id.ends_with("/wide"));
    outputs.map(|(id, value)| Ok((id.to_owned(), emission(value)?))).collect()
}
