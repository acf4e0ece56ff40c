//! Electrocardiograms that are played into a topic.

use anyhow::{Context, Result, anyhow};
use mesh::{Connection, Feed};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use worker::demo::ecg::{SAMPLE_RATE, millivolts};

/// How long the player sleeps when nothing is due: samples come in packets, as from a monitor.
const REST: Duration = Duration::from_millis(8);

/// A ward whose beds are connected while this lives. Each bed is a series of its own partition,
/// and all play the one record that there is, from different places of it.
pub struct Ward {
    stop: Arc<AtomicBool>,
    player: JoinHandle<Result<u64>>,
}

impl Ward {
    /// Plays `beds` series into the first partitions of a topic, so many times faster than real
    /// time.
    ///
    /// # Errors
    /// When the brokers cannot be reached.
    pub fn play(connection: &Connection, topic: &str, beds: i32, speed: f64) -> Result<Ward> {
        let feed = Feed::open(connection, topic)?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let player = thread::spawn(move || play(&feed, beds, speed, &told));
        Ok(Ward { stop, player })
    }

    /// Whether it still plays.
    pub fn goes_on(&self) -> bool {
        !self.player.is_finished()
    }

    /// Ends it; gives the samples of each bed.
    ///
    /// # Errors
    /// When the brokers have refused one.
    pub fn end(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.player.join().map_err(|_| anyhow!("the player of electrocardiograms has panicked"))?
    }
}

/// What a bed is called, counted from 0.
pub fn bed(number: i32) -> String {
    format!("bed-{}", number + 1)
}

fn play(feed: &Feed, beds: i32, speed: f64, stop: &AtomicBool) -> Result<u64> {
    let record = millivolts();
    let began = Instant::now();
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as f64;
    let mut sample = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = (began.elapsed().as_secs_f64() * SAMPLE_RATE * speed) as u64;
        while sample < due {
            let time = epoch + sample as f64 * 1000.0 / SAMPLE_RATE;
            for number in 0..beds {
                let from = record.len() * number as usize / beds as usize;
                let value = record[(from + sample as usize) % record.len()];
                let point = format!(r#"{{"time":{time},"values":[{value}]}}"#);
                feed.append(Some(number), &bed(number), point.as_bytes())
                    .context("cannot play an electrocardiogram")?;
            }
            sample += 1;
        }
        thread::sleep(REST);
    }
    feed.finish(Duration::from_secs(20))?;
    Ok(sample)
}
