//! Series of points that are the same every time.

use anyhow::Result;
use mesh::{Connection, Feed};
use std::time::{Duration, Instant};

/// Which points there are.
#[derive(Clone, Copy, Debug)]
pub struct Points {
    /// Partitions.
    pub partitions: i32,
    /// Series in a partition; they take turns.
    pub series: usize,
    /// Points in a series.
    pub length: usize,
}

impl Points {
    /// All points.
    pub fn count(&self) -> usize {
        self.partitions as usize * self.series * self.length
    }

    /// The name of a series.
    pub fn name(partition: i32, series: usize) -> String {
        format!("machine-{partition}/{series}")
    }

    /// The offset in its partition of the `index`-th point of a series.
    pub fn offset(&self, series: usize, index: usize) -> i64 {
        (index * self.series + series) as i64
    }

    /// The `index`-th point of a series: on a loop that wobbles, with a little noise, and now and
    /// then somewhere else.
    pub fn value(partition: i32, series: usize, index: usize) -> [f32; 2] {
        let id = (partition as u64) << 40 | (series as u64) << 32 | index as u64;
        let noise = |salt: u64| uniform(id.wrapping_mul(2).wrapping_add(salt)) - 0.5;
        let angle = index as f32 * 0.13;
        let radius = 1.0 + 0.3 * (index as f32 * 0.01).sin();
        let radius = if index % 997 < 30 { 0.4 * radius } else { radius };
        [radius * angle.cos() + 0.1 * noise(0), radius * angle.sin() + 0.1 * noise(1)]
    }

    /// Appends those points of all series whose index is in `range`.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub fn feed(
        &self,
        connection: &Connection,
        topic: &str,
        range: std::ops::Range<usize>,
    ) -> Result<()> {
        let feed = Feed::open(connection, topic)?;
        for index in range {
            self.append(&feed, index)?;
        }
        Ok(feed.finish(Duration::from_secs(60))?)
    }

    /// Appends all points, those of each index at its time.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub fn feed_paced(
        &self,
        connection: &Connection,
        topic: &str,
        at: impl Fn(usize) -> Instant,
    ) -> Result<()> {
        let feed = Feed::open(connection, topic)?;
        for index in 0..self.length {
            std::thread::sleep(at(index).saturating_duration_since(Instant::now()));
            self.append(&feed, index)?;
        }
        Ok(feed.finish(Duration::from_secs(60))?)
    }

    fn append(&self, feed: &Feed, index: usize) -> Result<()> {
        for partition in 0..self.partitions {
            for series in 0..self.series {
                let [x, y] = Points::value(partition, series, index);
                let time = time(index);
                let value = format!(r#"{{"time":{time},"values":[{x},{y}]}}"#);
                let key = Points::name(partition, series);
                let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
                feed.append_as_is(Some(partition), key, value, Some(time as i64))?;
            }
        }
        Ok(())
    }
}

/// When a point was measured, milliseconds.
pub fn time(index: usize) -> f64 {
    1_700_000_000_000.0 + index as f64 * 2.5
}

/// From 0 to 1 (SplitMix64).
fn uniform(seed: u64) -> f32 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 40) as f32 / (1u64 << 24) as f32
}
