//! Results as a reader gets them.

use crate::stage::{self, Stage};
use anyhow::{Context, Result};
use mesh::tail::Begin;
use mesh::{Record, Tail};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A result that can be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Number of its series.
    pub(crate) series: usize,
    /// When the point was measured with which it became due, milliseconds since 1970.
    pub(crate) time: f64,
    /// When it was read, milliseconds since 1970.
    pub(crate) readable: f64,
    /// When the broker appended it, milliseconds since 1970.
    pub(crate) appended: i64,
    pub(crate) partition: i32,
    /// Of its bytes.
    pub(crate) digest: u64,
}

/// A reader of committed results.
pub(crate) struct Reader {
    tail: Tail,
    /// What came, in the order of each partition.
    pub(crate) arrivals: Vec<Arrival>,
}

impl Reader {
    pub(crate) fn open(stage: &Stage, topic: &str) -> Result<Reader> {
        let tail = Tail::open(&stage.connection, &[topic], Begin::First)?;
        Ok(Reader { tail, arrivals: Vec::new() })
    }

    /// Reads the next result; `false` when none comes within `wait`.
    pub(crate) fn read(&mut self, wait: Duration) -> Result<bool> {
        let Some(located) = self.tail.next(wait)? else { return Ok(false) };
        let readable = now();
        let (series, time) = stamp(&located.record)?;
        let mut hasher = DefaultHasher::new();
        hasher.write(located.record.value.as_deref().unwrap_or_default());
        let digest = hasher.finish();
        let appended = located.record.timestamp.context("a result has no append time")?;
        let partition = located.partition;
        self.arrivals.push(Arrival { series, time, readable, appended, partition, digest });
        Ok(true)
    }

    /// Reads until none comes for `quiet`.
    pub(crate) fn read_rest(&mut self, quiet: Duration) -> Result<()> {
        while self.read(quiet)? {}
        Ok(())
    }
}

/// How many results the broker appended in a stretch of time, milliseconds since 1970; those that
/// had come before do not count. That is what was computed in it, however slow the reader is.
pub(crate) fn appended_within(arrivals: &[Arrival], stretch: Range<f64>) -> usize {
    let mut seen = HashSet::new();
    let new = |arrival: &&Arrival| seen.insert((arrival.series, arrival.time.to_bits()));
    let new = arrivals.iter().filter(new);
    new.filter(|arrival| stretch.contains(&(arrival.appended as f64))).count()
}

/// Milliseconds since 1970.
pub(crate) fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs_f64() * 1e3
}

/// The series and the time that a point or a result is of.
pub(crate) fn stamp(record: &Record) -> Result<(usize, f64)> {
    let key = record.key.as_deref().unwrap_or_default();
    let value = record.value.as_deref().unwrap_or_default();
    let series = stage::series(key).context("the key of a record names no series")?;
    let time = time(value).with_context(|| {
        let begin = String::from_utf8_lossy(&value[..value.len().min(200)]).into_owned();
        format!("a record tells no time: {begin}")
    })?;
    Ok((series, time))
}

/// The number behind the first `"time":`, read without the rest: results are long.
fn time(value: &[u8]) -> Option<f64> {
    const NAME: &[u8] = b"\"time\":";
    let begin = value.windows(NAME.len()).position(|part| part == NAME)? + NAME.len();
    let length = value[begin..].iter().position(|&b| b == b',' || b == b'}')?;
    std::str::from_utf8(&value[begin..][..length]).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_count_by_when_they_were_appended_and_once() {
        let arrival = |(time, appended)| {
            let (series, partition, digest) = (0, 0, 7);
            Arrival { series, time, readable: 9999.0, appended, partition, digest }
        };
        let arrivals = [(1.0, 99), (2.0, 100), (1.0, 110), (3.0, 150), (3.0, 160), (4.0, 200)];
        assert_eq!(appended_within(&arrivals.map(arrival), 100.0..200.0), 2);
    }

    #[test]
    fn the_time_of_points_and_results_is_found() {
        let cases: [(&[u8], _); 4] = [
            (br#"{"time":1790000000000.25,"values":[1]}"#, Some(1_790_000_000_000.25)),
            (br#"{"schema":"s","scale":"wide","time":3e3,"engine":"1"}"#, Some(3000.0)),
            (br#"{"end":1,"time":7.5}"#, Some(7.5)),
            (br#"{"end":1}"#, None),
        ];
        for (value, expected) in cases {
            assert_eq!(time(value), expected);
        }
    }
}
