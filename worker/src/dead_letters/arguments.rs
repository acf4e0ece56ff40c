use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use mesh::dead_letters::{Letter, STAGES, codes};
use mesh::scan::Extent;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// What `dead-letters` is asked to do.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Action {
    /// Lists the dead letters of a worker
    ///
    /// One line each: its place in the topic of dead letters, when it was sent, the code of the rule
    /// that its record broke, where the record stands, how often it was tried, whether it was
    /// replayed, and what is wrong.
    List(List),
    /// Shows one dead letter: all that is known of it, its headers, key and value
    Show(Show),
    /// Sends the records of dead letters to their topic once more
    ///
    /// A record is sent as it was, to its partition, behind all that is there by now; its header
    /// streaming-tda.attempts counts how often it was tried. What was replayed before is left out:
    /// the sending, and the note of it in the topic of checkpoints, are one transaction, so that a
    /// replay that was interrupted can simply be run again. A record that has several dead letters,
    /// since it was rejected again after a replay, is sent once.
    Replay(Replay),
}

#[derive(Clone, Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    pub(super) selection: Selection,
    /// One JSON object a line, for scripts
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    pub(super) of: Of,
    /// Its place in the topic of dead letters, as `list` tells it
    #[arg(value_name = "PARTITION/OFFSET", value_parser = place)]
    pub(super) place: (i32, i64),
    /// Write the bytes of the value, and nothing else
    #[arg(long)]
    pub(super) raw: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    pub(super) selection: Selection,
    /// Only tell what would be sent
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Send those too that were replayed before: each record once, however often it was rejected
    #[arg(long)]
    pub(super) again: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Of {
    /// The configuration of the worker, YAML: it names the brokers, the group and the topics
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

/// Which dead letters are meant; all, unless something is said.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Selection {
    /// Only those with this code, such as decode.json, or of this stage, such as admit; may be
    /// given several times
    #[arg(long, value_name = "CODE", value_parser = code)]
    pub(super) code: Vec<String>,
    /// Only those in this partition of the topic of dead letters
    #[arg(long, value_name = "P")]
    pub(super) partition: Option<i32>,
    /// Only those with these offsets in the partition: from FIRST to LAST, or from FIRST on
    #[arg(long, value_name = "FIRST[-LAST]", requires = "partition", value_parser = offsets)]
    pub(super) offsets: Option<(i64, Option<i64>)>,
    /// Only those sent since then: a moment in RFC 3339, or a time ago such as 90s, 15m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = check_time)]
    pub(super) since: Option<String>,
}

impl Selection {
    /// The earliest moment, milliseconds since the Unix epoch.
    pub(super) fn since(&self) -> Result<Option<i64>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let since = self.since.as_deref().map(|text| time(text, now as i64));
        since.transpose().map_err(|e| anyhow!("--since: {e}"))
    }

    pub(super) fn extent(&self) -> Extent {
        match (self.partition, self.offsets) {
            (Some(partition), Some((first, _))) => Extent::From(partition, first),
            (Some(partition), None) => Extent::Partition(partition),
            (None, _) => Extent::All,
        }
    }

    pub(super) fn has(&self, letter: &Letter, since: Option<i64>) -> bool {
        let named = |code: &String| *code == letter.code || *code == letter.stage;
        let (_, offset) = letter.place;
        let within = |(first, last): (i64, Option<i64>)| {
            first <= offset && last.is_none_or(|last| offset <= last)
        };
        (self.code.is_empty() || self.code.iter().any(named))
            && self.offsets.is_none_or(within)
            && since.is_none_or(|since| letter.sent.is_some_and(|sent| sent >= since))
    }
}

fn code(text: &str) -> Result<String, String> {
    if STAGES.into_iter().chain(codes()).any(|known| known == text) {
        return Ok(text.to_owned());
    }
    let codes: Vec<&str> = codes().collect();
    Err(format!(
        "no dead letter has it; the stages are {}, the codes {}",
        STAGES.join(", "),
        codes.join(", ")
    ))
}

fn place(text: &str) -> Result<(i32, i64), String> {
    let parts = text.split_once('/');
    let read = parts.and_then(|(p, o)| Some((p.parse().ok()?, o.parse().ok()?)));
    read.filter(|&(p, o)| p >= 0 && o >= 0).ok_or("expected a place such as 0/17".into())
}

fn offsets(text: &str) -> Result<(i64, Option<i64>), String> {
    let (first, last) = text.split_once('-').map_or((text, None), |(f, l)| (f, Some(l)));
    let wrong = |_| "expected offsets such as 17 or 17-42".to_owned();
    let first: u32 = first.parse().map_err(wrong)?;
    let last = last.map(|last| last.parse::<u32>().map_err(wrong)).transpose()?;
    if let Some(last) = last.filter(|last| *last < first) {
        return Err(format!("there are none from {first} to {last}: the first comes first"));
    }
    Ok((first.into(), last.map(i64::from)))
}

fn check_time(text: &str) -> Result<String, String> {
    time(text, 0).map(|_| text.to_owned())
}

/// Milliseconds since the Unix epoch.
fn time(text: &str, now: i64) -> Result<i64, String> {
    let wrong = || "expected a moment such as 2026-11-24T06:00:00Z, or a time ago such as 2h";
    if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(moment.timestamp_millis());
    }
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong().into()),
    };
    Ok(now - i64::from(count) * seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_offsets_and_times_are_read() {
        assert_eq!(place("3/17"), Ok((3, 17)));
        assert!(place("3").is_err() && place("-3/1").is_err() && place("a/b").is_err());
        assert_eq!(offsets("17"), Ok((17, None)));
        assert_eq!(offsets("17-42"), Ok((17, Some(42))));
        assert_eq!(offsets("17-17"), Ok((17, Some(17))));
        assert!(offsets("-3").is_err() && offsets("17-").is_err() && offsets("5-2").is_err());
        assert_eq!(time("2h", 7_200_005), Ok(5));
        assert_eq!(time("1970-01-01T00:00:01.5+00:00", 0), Ok(1500));
        assert!(time("2 hours", 0).is_err() && time("", 0).is_err() && time("5ü", 0).is_err());
    }

    #[test]
    fn only_codes_that_there_are_can_be_asked_for() {
        for known in
            ["decode", "admit", "deliver", "decode.json", "admit.series", "deliver.refused"]
        {
            assert_eq!(code(known), Ok(known.to_owned()));
        }
        let unknown = code("decode.jsn").unwrap_err();
        assert!(
            unknown.contains("decode.json") && unknown.contains("deliver.refused"),
            "{unknown}"
        );
    }
}
