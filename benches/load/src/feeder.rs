//! Sends every point at its intended time, whatever becomes of the others.

use crate::clock::Clock;
use crate::keys::Keys;
use crate::schedule::Schedule;
use crate::stream::{Anomaly, Points, Stretch, Walk};
use mesh::{Error, Feed};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is sent.
#[derive(Clone, Debug)]
pub struct Load {
    /// When points are sent.
    pub schedule: Schedule,
    /// Which series each belongs to.
    pub keys: Keys,
    /// How many series there are.
    pub series: usize,
    /// What a series is called before its number.
    pub prefix: String,
    /// What they are.
    pub points: Points,
}

/// A point on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number, from 0.
    pub number: u64,
    /// Its series.
    pub series: usize,
    /// When it was to be sent, since the start.
    pub intended: Duration,
    /// When it was given to the producer, since the start.
    pub at: Duration,
}

/// The truth about a stretch of a series: what happens there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    /// The series.
    pub series: String,
    /// What happens.
    pub anomaly: Anomaly,
    /// Index of the first point in the series.
    pub first: u64,
    /// Index of the last point that was sent.
    pub last: u64,
    /// The `time` of the first, milliseconds since the Unix epoch.
    pub first_time: f64,
    /// The `time` of the last.
    pub last_time: f64,
}

/// The JSON of a point, as the worker reads it, and the number of the point.
#[derive(Serialize)]
struct Record<'a> {
    id: u64,
    time: f64,
    values: &'a [f32],
}

impl Load {
    /// The name of a series.
    pub fn name(&self, series: usize) -> String {
        format!("{}{series}", self.prefix)
    }

    /// Sends all points, each when `clock` says that it is time, until `stop`; gives what happens
    /// in them.
    ///
    /// A point that cannot be sent in time is sent as soon as it can; its intended time stays.
    ///
    /// # Errors
    /// When the brokers refuse a point.
    pub fn send(
        &self,
        feed: &Feed<Sent>,
        clock: &Clock,
        stop: &AtomicBool,
    ) -> Result<Vec<Label>, Error> {
        let mut walks: Vec<Walk<'_>> = (0..self.series).map(|s| self.points.series(s)).collect();
        let names: Vec<String> = (0..self.series).map(|s| self.name(s)).collect();
        let mut labels = Labels::new(self.series);
        let (mut values, mut json) = (Vec::new(), Vec::new());
        for (intended, number) in self.schedule.times().zip(0..) {
            let series = self.keys.series(number);
            let step = walks[series].step(&mut values);
            let time = clock.epoch_ms(intended);
            labels.note(series, &names[series], step.stretch, step.index, time);
            json.clear();
            let record = Record { id: number, time, values: &values };
            serde_json::to_writer(&mut json, &record).expect("a point has string keys only");
            clock.sleep_until(intended, stop);
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let sent = Sent { number, series, intended, at: clock.now() };
            let key = Some(names[series].as_bytes());
            feed.append_noting(sent, None, key, Some(&json), Some(time as i64))?;
        }
        Ok(labels.found)
    }
}

/// The labels so far; the last of a series may still grow.
struct Labels {
    found: Vec<Label>,
    /// Of each series: its last label and the stretch that it is of.
    last: Vec<Option<(usize, u64)>>,
}

impl Labels {
    fn new(series: usize) -> Labels {
        Labels { found: Vec::new(), last: vec![None; series] }
    }

    fn note(&mut self, series: usize, name: &str, stretch: Option<Stretch>, index: u64, time: f64) {
        let Some(Stretch { number, anomaly, .. }) = stretch else { return };
        match self.last[series] {
            Some((label, of)) if of == number => {
                let label = &mut self.found[label];
                (label.last, label.last_time) = (index, time);
            }
            _ => {
                self.last[series] = Some((self.found.len(), number));
                let series = name.to_owned();
                let (first_time, last_time) = (time, time);
                let label =
                    Label { series, anomaly, first: index, last: index, first_time, last_time };
                self.found.push(label);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_where_something_happens() {
        let anomalies = Some("stop every 50 lasting 10".parse().unwrap());
        let points = Points { forms: vec!["circle".parse().unwrap()], anomalies, seed: 1 };
        let mut labels = Labels::new(2);
        let mut truth = Vec::new();
        for series in 0..2 {
            let mut walk = points.series(series);
            for index in 0..120 {
                let stretch = walk.step(&mut Vec::new()).stretch;
                labels.note(series, &format!("s{series}"), stretch, index, 2.0 * index as f64);
                truth.extend(stretch.map(|s| (format!("s{series}"), s.begin, s.end.min(120) - 1)));
            }
        }
        truth.dedup();
        let found: Vec<_> =
            labels.found.iter().map(|l| (l.series.clone(), l.first, l.last)).collect();
        assert_eq!(found, truth);
        assert!(labels.found.len() >= 4);
        for label in labels.found {
            assert_eq!(
                (label.first_time, label.last_time),
                (2.0 * label.first as f64, 2.0 * label.last as f64)
            );
        }
    }

    #[test]
    fn a_record_is_a_point_that_the_worker_reads() {
        let json =
            serde_json::to_vec(&Record { id: 7, time: 1.79e12 + 0.25, values: &[0.5, -1.0] });
        let json = json.unwrap();
        let admission = mesh::schema::Admission { dimension: 2, max_bytes: 1000 };
        let point: mesh::schema::Point = serde_json::from_slice(&json).unwrap();
        let sample = point.admit(Some(b"s"), None, &admission).unwrap();
        assert_eq!((sample.series.as_str(), sample.time), ("s", 1.79e12 + 0.25));
        assert_eq!(sample.values, [0.5, -1.0]);
    }
}
