//! Reads the output topics and lets the story, the terminal and the page follow.

use super::feeder::Feeder;
use super::progress::Progress;
use super::records;
use super::scrape::Reading;
use super::story::Story;
use super::terminal::Terminal;
use anyhow::Context;
use mesh::Tail;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a read waits for a first record.
const WAIT: Duration = Duration::from_millis(5);
/// Records that are read before the pictures follow.
const BATCH: usize = 500;
/// Between two questions to the worker.
const ASK: Duration = Duration::from_millis(100);
/// Silence after which no more results are expected from a worker that has ended.
const SILENCE: Duration = Duration::from_millis(500);

/// Follows what happens.
pub(super) struct Director<'a> {
    /// What is played.
    pub(super) feeder: &'a Feeder<'a>,
    /// How far it is.
    pub(super) progress: &'a Progress,
    /// What is told.
    pub(super) story: &'a Mutex<Story>,
    /// The output topics.
    pub(super) tail: Tail,
    /// Where the worker tells of itself.
    pub(super) metrics: SocketAddr,
    /// What is shown.
    pub(super) terminal: Terminal,
    /// When the worker was asked last.
    pub(super) asked: Instant,
    /// When a second was closed last.
    pub(super) beaten: Instant,
}

impl Director<'_> {
    /// Follows while `goes_on` says so.
    ///
    /// # Errors
    /// When the topics cannot be read, or `goes_on` fails.
    pub(super) fn follow(
        &mut self,
        mut goes_on: impl FnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        while goes_on()? {
            self.read(WAIT)?;
            if self.asked.elapsed() >= ASK {
                self.ask();
            }
            self.show();
        }
        Ok(())
    }

    /// Follows until the worker has computed all that was fed.
    ///
    /// # Errors
    /// When the topics cannot be read, or `goes_on` fails.
    pub(super) fn catch_up(
        &mut self,
        mut goes_on: impl FnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let progress = self.progress;
        self.follow(|| Ok(progress.consumed() < progress.appended() && goes_on()?))?;
        self.ask();
        let mut story = lock(self.story);
        story.follow(self.progress);
        story.rest();
        Ok(())
    }

    /// Reads the last results of a worker that has ended.
    ///
    /// # Errors
    /// When the topics cannot be read.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        while self.read(SILENCE)? {}
        lock(self.story).finish();
        self.show();
        self.terminal.summarise(&lock(self.story));
        Ok(())
    }

    /// Takes the records that are there, waiting for a first one; tells whether there was any.
    fn read(&mut self, wait: Duration) -> anyhow::Result<bool> {
        let Some(first) = self.tail.next(wait)? else { return Ok(false) };
        self.take(&first)?;
        for _ in 1..BATCH {
            let Some(next) = self.tail.next(Duration::ZERO)? else { break };
            self.take(&next)?;
        }
        Ok(true)
    }

    fn take(&mut self, located: &mesh::tail::Located) -> anyhow::Result<()> {
        let value = located.record.value.as_deref().unwrap_or_default();
        let place = || format!("{}/{}/{}", located.topic, located.partition, located.record.offset);
        let (envelope, record) = records::read(value).with_context(place)?;
        // On a real broker, others may write to these topics too.
        if envelope.series != self.feeder.series {
            return Ok(());
        }
        let number = self.feeder.number(envelope.time);
        let age = self.progress.age(number);
        self.progress.consume(number + 1);
        let mut story = lock(self.story);
        story.follow(self.progress);
        if let Some(age) = age {
            story.readable(age);
        }
        if envelope.scale == story.setup().scale.name {
            story.tell(number, record);
        }
        Ok(())
    }

    /// Asks the worker how far it is, and closes a second when it is over.
    fn ask(&mut self) {
        self.asked = Instant::now();
        // A worker that is just starting or ending does not answer; it will, or has.
        let Ok(reading) = Reading::take(self.metrics) else { return };
        self.progress.consume(reading.points);
        if self.beaten.elapsed() >= Duration::from_secs(1) {
            self.beaten = Instant::now();
            lock(self.story).beat(reading);
        } else {
            lock(self.story).read(reading);
        }
    }

    fn show(&mut self) {
        let mut story = lock(self.story);
        story.follow(self.progress);
        self.terminal.show(&story, self.progress.wall());
    }
}

/// The story, whoever may have panicked over it.
pub(super) fn lock(story: &Mutex<Story>) -> MutexGuard<'_, Story> {
    story.lock().unwrap_or_else(PoisonError::into_inner)
}
