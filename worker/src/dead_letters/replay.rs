use super::Archive;
use super::arguments::Replay;
use anyhow::Result;
use mesh::dead_letters::{Letter, Replayed};
use std::collections::BTreeMap;

/// Dead letters in one transaction at most.
const TOGETHER: usize = 500;

/// Partition and offset in the topic of dead letters.
type Place = (i32, i64);

/// What became of the dead letters that were selected.
#[derive(Debug, Default)]
struct Counts {
    sent: BTreeMap<String, usize>,
    before: usize,
    /// Those that hold no record of the input.
    without_record: usize,
    /// Those whose record another one holds, too.
    same: usize,
}

/// The dead letters that are to be sent, by their places. A record that was rejected again after a
/// replay has several: it is sent once, with the count of its attempts that is right by now.
#[derive(Debug, Default)]
struct Choice {
    /// By topic and place of a record: the attempts and the places of its dead letters.
    records: BTreeMap<(String, Place), Vec<(u32, Place)>>,
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
    if counts.same > 0 {
        println!("{} more of the same records, left out: each is sent once", counts.same);
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
    let choice = choose(archive, replay, before, counts)?;
    choice.records.keys().for_each(|(topic, _)| counts.sent(topic));
    Ok(())
}

/// Reads the dead letters twice: only the last one of a record is sent, and all others of it are
/// remembered as replayed in the same transaction.
fn send(archive: &Archive, replay: &Replay, counts: &mut Counts) -> Result<()> {
    let mut sender = mesh::dead_letters::Replay::open(&archive.connection, &archive.place)?;
    let choice = choose(archive, replay, |letter| sender.is_replayed(letter), counts)?;
    let mut chosen = choice.places();
    let (mut ready, mut covered) = (Vec::new(), Vec::new());
    archive.scan(replay.selection.extent(), |letter| {
        let Some(others) = chosen.remove(&letter.place) else { return Ok(()) };
        counts.sent(&letter.topic);
        ready.push(letter);
        covered.extend(others);
        if ready.len() == TOGETHER {
            sender.send(&archive.connection, &ready, &covered)?;
            ready.clear();
            covered.clear();
        }
        Ok(())
    })?;
    match ready.is_empty() {
        true => Ok(()),
        false => Ok(sender.send(&archive.connection, &ready, &covered)?),
    }
}

fn choose(
    archive: &Archive,
    replay: &Replay,
    before: impl Fn(&Letter) -> bool,
    counts: &mut Counts,
) -> Result<Choice> {
    let mut choice = Choice::default();
    archive.read(&replay.selection, |letter| {
        match before(&letter) && !replay.again {
            _ if !letter.is_whole() => counts.without_record += 1,
            true => counts.before += 1,
            false => counts.same += usize::from(!choice.add(&letter)),
        }
        Ok(())
    })?;
    Ok(choice)
}

impl Counts {
    fn sent(&mut self, topic: &str) {
        *self.sent.entry(topic.to_owned()).or_default() += 1;
    }
}

impl Choice {
    /// Whether it is the first one of its record.
    fn add(&mut self, letter: &Letter) -> bool {
        let all = self.records.entry((letter.topic.clone(), letter.origin)).or_default();
        all.push((letter.attempts, letter.place));
        all.len() == 1
    }

    /// The places of those that are sent, each with the places of the others of its record.
    fn places(self) -> BTreeMap<Place, Vec<Place>> {
        let last = |mut all: Vec<(u32, Place)>| {
            all.sort_unstable();
            let (_, chosen) = all.pop()?;
            Some((chosen, all.into_iter().map(|(_, place)| place).collect()))
        };
        self.records.into_values().filter_map(last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(place: Place, origin: Place, attempts: u32) -> Letter {
        let (partition, offset) = origin;
        Letter {
            place,
            sent: None,
            key: None,
            value: None,
            left_out: None,
            headers: Vec::new(),
            added: Vec::new(),
            code: "decode.json".into(),
            message: String::new(),
            stage: "decode".into(),
            topic: "in".into(),
            partition,
            offset,
            timestamp: None,
            pipeline: "group".into(),
            worker: String::new(),
            attempts,
            origin,
        }
    }

    #[test]
    fn a_record_that_was_rejected_three_times_is_sent_once() {
        let mut choice = Choice::default();
        let letters = [
            letter((0, 0), (0, 5), 1),
            letter((0, 1), (0, 6), 1),
            letter((0, 2), (0, 5), 2),
            letter((0, 3), (0, 5), 3),
        ];
        let first = letters.each_ref().map(|letter| choice.add(letter));
        assert_eq!(first, [true, true, false, false]);
        let expected = [((0, 1), vec![]), ((0, 3), vec![(0, 0), (0, 2)])];
        assert_eq!(choice.places(), BTreeMap::from(expected));
    }
}
