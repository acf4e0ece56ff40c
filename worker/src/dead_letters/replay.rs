use super::Archive;
use super::arguments::Replay;
use anyhow::Result;
use mesh::dead_letters::{Letter, Replayed};
use std::collections::BTreeMap;

/// Dead letters in one transaction at most.
const TOGETHER: usize = 500;

/// What became of the dead letters that were selected.
#[derive(Debug, Default)]
struct Counts {
    sent: BTreeMap<String, usize>,
    before: usize,
    /// Those that hold no record of the input.
    without_record: usize,
}

pub(super) fn run(replay: &Replay) -> Result<()> {
    let archive = Archive::of(&replay.of.config)?;
    let mut counts = Counts::default();
    match replay.dry_run {
        true => rehearse(&archive, replay, &mut counts)?,
        false => send(&archive, replay, &mut counts)?,
    }
    let verb = if replay.dry_run { "would be replayed" } else { "replayed" };
    for (topic, count) in &counts.sent {
        println!("{count} to {topic} {verb}");
    }
    if counts.sent.is_empty() {
        println!("none {verb}");
    }
    if counts.before > 0 {
        println!("{} replayed before, left out: --again sends them too", counts.before);
    }
    if counts.without_record > 0 {
        println!(
            "{} without the record, left out: Kafka refused its result, or its value (see \
             docs/dead-letters.md)",
            counts.without_record
        );
    }
    Ok(())
}

fn rehearse(archive: &Archive, replay: &Replay, counts: &mut Counts) -> Result<()> {
    let replayed = archive.place.replayed(&archive.connection)?;
    let before = |letter: &Letter| {
        let (partition, offset) = letter.place;
        replayed.get(&partition).is_some_and(|r: &Replayed| r.contains(offset))
    };
    archive.read(&replay.selection, |letter| {
        counts.count(&letter, before(&letter) && !replay.again);
        Ok(())
    })
}

fn send(archive: &Archive, replay: &Replay, counts: &mut Counts) -> Result<()> {
    let mut sender = mesh::dead_letters::Replay::open(&archive.connection, &archive.place)?;
    let mut ready = Vec::new();
    archive.read(&replay.selection, |letter| {
        let left_out = sender.is_replayed(&letter) && !replay.again;
        counts.count(&letter, left_out);
        if !left_out && letter.is_whole() {
            ready.push(letter);
        }
        if ready.len() == TOGETHER {
            sender.send(&archive.connection, &ready)?;
            ready.clear();
        }
        Ok(())
    })?;
    match ready.is_empty() {
        true => Ok(()),
        false => Ok(sender.send(&archive.connection, &ready)?),
    }
}

impl Counts {
    fn count(&mut self, letter: &Letter, left_out: bool) {
        match left_out {
            _ if !letter.is_whole() => self.without_record += 1,
            true => self.before += 1,
            false => *self.sent.entry(letter.topic.clone()).or_default() += 1,
        }
    }
}
