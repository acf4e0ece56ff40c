use super::arguments::List;
use super::{Archive, moment};
use anyhow::Result;
use mesh::dead_letters::Letter;
use serde::Serialize;
use std::io::{self, Write};

/// A dead letter as scripts read it.
#[derive(Debug, Serialize)]
struct Line<'a> {
    partition: i32,
    offset: i64,
    sent: Option<i64>,
    code: &'a str,
    stage: &'a str,
    message: &'a str,
    source: Source<'a>,
    pipeline: &'a str,
    worker: &'a str,
    attempts: u32,
    replayed: bool,
}

#[derive(Debug, Serialize)]
struct Source<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
}

pub(super) fn run(list: &List) -> Result<()> {
    let archive = Archive::of(&list.of.config)?;
    let replayed = archive.place.replayed(&archive.connection)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut count = 0;
    archive.read(&list.selection, |letter| {
        let (partition, offset) = letter.place;
        let replayed = replayed.get(&partition).is_some_and(|replayed| replayed.contains(offset));
        if count == 0 && !list.json {
            writeln!(out, "{}", row("PLACE", "SENT", "CODE", "RECORD", "TRIED", "", "MESSAGE"))?;
        }
        count += 1;
        match list.json {
            true => writeln!(out, "{}", serde_json::to_string(&line(&letter, replayed))?)?,
            false => writeln!(out, "{}", told(&letter, replayed))?,
        }
        Ok(())
    })?;
    out.flush()?;
    if count == 0 && !list.json {
        eprintln!("no dead letters in {}", archive.place.topic);
    }
    Ok(())
}

fn line(letter: &Letter, replayed: bool) -> Line<'_> {
    let Letter { topic, partition, offset, timestamp, .. } = letter;
    let source = Source { topic, partition: *partition, offset: *offset, timestamp: *timestamp };
    Line {
        partition: letter.place.0,
        offset: letter.place.1,
        sent: letter.sent,
        code: &letter.code,
        stage: &letter.stage,
        message: &letter.message,
        source,
        pipeline: &letter.pipeline,
        worker: &letter.worker,
        attempts: letter.attempts,
        replayed,
    }
}

fn told(letter: &Letter, replayed: bool) -> String {
    let (partition, offset) = letter.place;
    let Letter { topic, partition: from, offset: at, .. } = letter;
    // The message may hold bytes of a stranger.
    let plain: String = letter.message.chars().filter(|c| !c.is_control()).collect();
    row(
        &format!("{partition}/{offset}"),
        &moment(letter.sent),
        &letter.code,
        &format!("{topic}/{from}/{at}"),
        &letter.attempts.to_string(),
        if replayed { "replayed" } else { "" },
        &plain,
    )
}

fn row(
    place: &str,
    sent: &str,
    code: &str,
    record: &str,
    tried: &str,
    state: &str,
    message: &str,
) -> String {
    format!("{place:<10} {sent:<24} {code:<21} {record:<24} {tried:>5} {state:<8} {message}")
}
