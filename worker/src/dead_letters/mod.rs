//! The command `dead-letters`.

mod arguments;
mod list;
mod replay;
mod show;

pub use arguments::Arguments;

use crate::config::Config;
use crate::reach::await_brokers;
use crate::shutdown::Shutdown;
use anyhow::{Context, Result, bail};
use arguments::{Action, Selection};
use mesh::Connection;
use mesh::dead_letters::{Letter, Place};
use mesh::scan::{Extent, scan};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// Does what was asked for; what it finds goes to standard output.
///
/// # Errors
/// Says what is wrong with the configuration, or what Kafka refused.
pub fn run(arguments: &Arguments) -> Result<()> {
    let done = match &arguments.action {
        Action::List(list) => list::run(list),
        Action::Show(show) => show::run(show),
        Action::Replay(replay) => replay::run(replay),
    };
    match done {
        // Who reads has read enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// The dead letters of a worker.
struct Archive {
    connection: Connection,
    place: Place,
}

impl Archive {
    fn of(file: &Path) -> Result<Archive> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let config = Config::from_yaml(&text).with_context(|| file.display().to_string())?;
        let kafka = config.kafka;
        crate::log::to_stderr("warn");
        await_brokers(&kafka.brokers, &Shutdown::default())?;
        let Some(topic) = kafka.dead_letters() else {
            bail!("{}: kafka.dead_letters.enabled is false", file.display());
        };
        let checkpoints = kafka.checkpoints();
        let connection = kafka.connection();
        Ok(Archive { connection, place: Place { pipeline: kafka.group, topic, checkpoints } })
    }

    /// Gives the dead letters of this worker's group that are selected.
    fn read(
        &self,
        selection: &Selection,
        mut each: impl FnMut(Letter) -> Result<()>,
    ) -> Result<()> {
        let since = selection.since()?;
        self.scan(selection.extent(), |letter| match selection.has(&letter, since) {
            true => each(letter),
            false => Ok(()),
        })
    }

    /// Gives the dead letters of this worker's group.
    fn scan(&self, extent: Extent, mut each: impl FnMut(Letter) -> Result<()>) -> Result<()> {
        let mut done = Ok(());
        scan(&self.connection, &self.place.topic, extent, |located| {
            let letter = Letter::read(&located);
            let ours = letter.filter(|letter| letter.pipeline == self.place.pipeline);
            done = ours.map_or(Ok(()), &mut each);
            if done.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        done
    }

    /// The dead letter at a partition and an offset of the topic.
    fn one(&self, (partition, offset): (i32, i64)) -> Result<Letter> {
        let mut found = None;
        scan(&self.connection, &self.place.topic, Extent::From(partition, offset), |located| {
            found = Some(located).filter(|located| located.record.offset == offset);
            ControlFlow::Break(())
        })?;
        let topic = &self.place.topic;
        let located = found.with_context(|| {
            format!(
                "there is no record {partition}/{offset} in {topic}: `list` tells which there are"
            )
        })?;
        let letter = Letter::read(&located);
        letter.with_context(|| format!("{partition}/{offset} in {topic} is no dead letter of ours"))
    }
}

/// The moment in RFC 3339, UTC; nothing when there is none.
fn moment(milliseconds: Option<i64>) -> String {
    let time = milliseconds.and_then(chrono::DateTime::from_timestamp_millis);
    time.map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)).unwrap_or_default()
}
