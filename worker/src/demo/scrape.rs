//! Reads the worker's own `/metrics`, as Prometheus would.

use super::latency::Percentiles;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What the worker tells of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// Points computed.
    pub(super) points: u64,
    /// Cumulative counts of engine times, by the upper bound of their bucket in seconds.
    pub(super) engine: Buckets,
    /// Bytes of the windows of each scale.
    pub(super) window_bytes: BTreeMap<String, u64>,
}

impl Reading {
    /// Asks the worker at `address`.
    ///
    /// # Errors
    /// When it does not answer within a second.
    pub(super) fn take(address: SocketAddr) -> io::Result<Reading> {
        Ok(Reading::parse(&get(address, "/metrics")?))
    }

    fn parse(text: &str) -> Reading {
        let mut reading = Reading::default();
        for line in text.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let (name, labels) = name.split_once('{').unwrap_or((name, ""));
            match name {
                "streaming_tda_points_total" => reading.points = value as u64,
                "streaming_tda_engine_latency_seconds_bucket" => {
                    let bound = label(labels, "le").and_then(|le| le.parse().ok());
                    reading.engine.add(bound.unwrap_or(f64::INFINITY), value as u64);
                }
                "streaming_tda_window_bytes" => {
                    let scale = label(labels, "scale").unwrap_or_default().to_owned();
                    *reading.window_bytes.entry(scale).or_default() += value as u64;
                }
                _ => {}
            }
        }
        reading
    }
}

/// Whether the worker at `address` says that it has its partitions.
pub(super) fn is_ready(address: SocketAddr) -> bool {
    get(address, "/health/ready").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let patience = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = labels.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'))
}

/// A cumulative histogram: upper bounds, in order, and how many values lie at or below them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets(Vec<(f64, u64)>);

impl Buckets {
    fn add(&mut self, bound: f64, count: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == bound) {
            Some((_, sum)) => *sum += count,
            None => {
                self.0.push((bound, count));
                self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
            }
        }
    }

    /// What was added since `before`.
    pub(super) fn since(&self, before: &Buckets) -> Buckets {
        let old = |bound: f64| before.0.iter().find(|(b, _)| *b == bound).map_or(0, |(_, n)| *n);
        Buckets(self.0.iter().map(|&(b, n)| (b, n.saturating_sub(old(b)))).collect())
    }

    /// Percentiles in milliseconds, of values in seconds; within a bucket, values are taken to lie
    /// evenly. `None` when there are none.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let all = self.0.last().map(|(_, n)| *n).filter(|n| *n > 0)?;
        let at = |share: f64| 1000.0 * self.quantile(share * all as f64);
        Some(Percentiles { p50: at(0.5), p95: at(0.95), p99: at(0.99) })
    }

    fn quantile(&self, rank: f64) -> f64 {
        let (mut low, mut below) = (0.0, 0);
        for &(bound, count) in &self.0 {
            if count as f64 >= rank {
                let share = (rank - below as f64) / (count - below).max(1) as f64;
                return if bound.is_finite() { low + share * (bound - low) } else { low };
            }
            (low, below) = (bound, count);
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"HTTP/1.1 200 OK
content-length: 5

# HELP streaming_tda_points Points computed.
streaming_tda_points_total 1234
streaming_tda_engine_latency_seconds_bucket{le="0.001",scale="beat"} 50
streaming_tda_engine_latency_seconds_bucket{le="0.002",scale="beat"} 100
streaming_tda_engine_latency_seconds_bucket{le="+Inf",scale="beat"} 100
streaming_tda_window_bytes{scale="beat",partition="0"} 1000
streaming_tda_window_bytes{scale="beat",partition="1"} 500
streaming_tda_window_bytes{scale="slow",partition="0"} 7
# EOF
"#;

    #[test]
    fn the_text_of_prometheus_is_understood() {
        let reading = Reading::parse(TEXT);
        assert_eq!(reading.points, 1234);
        assert_eq!(
            reading.window_bytes,
            BTreeMap::from([("beat".into(), 1500), ("slow".into(), 7)])
        );
        let found = reading.engine.percentiles().unwrap();
        assert!((found.p50 - 1.0).abs() < 1e-9 && (found.p95 - 1.9).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn what_is_new_is_the_difference() {
        let (before, after) = (Reading::parse(TEXT).engine, Reading::parse(TEXT).engine);
        assert_eq!(after.since(&before).percentiles(), None);
        assert_eq!(after.since(&Buckets::default()), after);
    }

    #[test]
    fn a_worker_that_does_not_answer_is_an_error() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(Reading::take(closed).is_err());
    }
}
