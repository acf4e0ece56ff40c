//! The worker against Apache Kafka.
#![allow(clippy::unwrap_used)]

mod handover;
mod records;
mod recovery;

use harness::audit::Audit;
use harness::free_port;
use harness::kafka::Kafka;
use harness::points::Points;
use harness::worker::get;
use mesh::schema::Kind;
use persistence::{Config, Embedding, Scale};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::emission::Emission;

const MINUTES: Duration = Duration::from_secs(180);
const QUIET: Duration = Duration::from_secs(1);

/// The configuration of a worker of one input, with three kinds of memory: windows, a stride, a
/// detector.
struct Setting<'a> {
    kafka: &'a Kafka,
    input: &'a str,
    output: &'a str,
    port: u16,
    /// More lines.
    series: &'a str,
}

impl<'a> Setting<'a> {
    fn new(kafka: &'a Kafka, input: &'a str, output: &'a str) -> Setting<'a> {
        Setting { kafka, input, output, port: free_port().unwrap(), series: "dimension: 2" }
    }

    /// The values of a metric, as the worker tells them now; none when it does not answer.
    fn metric(&self, prefix: &str) -> Vec<f64> {
        let Ok((200, text)) = get(self.port, "/metrics") else { return Vec::new() };
        let lines = text.lines().filter(|line| line.starts_with(prefix));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect()
    }

    fn yaml(&self) -> String {
        let Setting { kafka, input, output, port, series } = self;
        let brokers = kafka.address();
        format!(
            "
kafka:
  brokers: '{brokers}'
  group: {output}
  input: {input}
  outputs: {{diagrams: {output}.diagrams, features: {output}.features, alerts: {output}.alerts}}
  checkpoints: {output}.checkpoints
  checkpoint_ms: 300
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

/// The emissions of the scale `wide`, computed here, as JSON by id.
fn expected(points: &Points, topic: &str) -> BTreeMap<String, Vec<u8>> {
    let mut expected = BTreeMap::new();
    for partition in 0..points.partitions {
        for series in 0..points.series {
            let config = Config::new(2, 100, 0.8);
            let mut scale = Scale::new(Embedding::identity(2).unwrap(), 1, 20, &config).unwrap();
            for index in 0..points.length {
                let value = Points::value(partition, series, index);
                let Some(emission) = scale.push(&value).unwrap() else { continue };
                let offset = points.offset(series, index);
                let mut json = Vec::new();
                Emission::from(&emission).write(&mut json).unwrap();
                expected.insert(format!("{topic}/{partition}/{offset}/diagrams/wide"), json);
            }
        }
    }
    expected
}

/// Outputs of both scales, without the alerts, whose number depends on the points.
fn count(points: &Points) -> usize {
    let wide = (points.length - 100) / 20 + 1;
    // Of a series of n samples, (n − 3 + 1) / 2 points enter the window.
    let judged = ((points.length - 2) / 2 - 40) / 20 + 1;
    points.partitions as usize * points.series * (wide + 2 * judged)
}

/// The JSON of the emission in the value of an output.
fn emission(value: &[u8]) -> Vec<u8> {
    let json = std::str::from_utf8(value).unwrap();
    let (_, emission) = json.split_once(r#""emission":"#).unwrap();
    emission.strip_suffix('}').unwrap().into()
}

/// The emissions of the scale `wide` that came out, as JSON by id.
fn diagrams(audit: &Audit) -> BTreeMap<String, Vec<u8>> {
    let outputs = audit.of_kind(Kind::Diagrams).filter(|(id, _)| id.ends_with("/wide"));
    outputs.map(|(id, value)| (id.to_owned(), emission(value))).collect()
}
