use super::Letter;
use crate::class::is_full;
use crate::connection::Quiet;
use crate::scan::{Extent, scan};
use crate::{Connection, Error, headers, topics};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

/// How long a step of a transaction may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which dead letters of a partition were replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// Offsets, each from the first to the last of a run.
    runs: Vec<(i64, i64)>,
}

impl Replayed {
    /// Whether the dead letter at an offset was.
    pub fn contains(&self, offset: i64) -> bool {
        let index = self.runs.partition_point(|&(_, last)| last < offset);
        self.runs.get(index).is_some_and(|&(first, _)| first <= offset)
    }

    /// Remembers the dead letter at an offset.
    pub fn insert(&mut self, offset: i64) {
        if self.contains(offset) {
            return;
        }
        let index = self.runs.partition_point(|&(_, last)| last < offset);
        self.runs.insert(index, (offset, offset));
        let touches = |runs: &[(i64, i64)], i: usize| runs[i].1 + 1 == runs[i + 1].0;
        if index + 1 < self.runs.len() && touches(&self.runs, index) {
            self.runs[index].1 = self.runs.remove(index + 1).1;
        }
        if index > 0 && touches(&self.runs, index - 1) {
            self.runs[index - 1].1 = self.runs.remove(index).1;
        }
    }
}

/// Where the dead letters of a pipeline are, and where it is remembered which were replayed.
#[derive(Clone, Debug)]
pub struct Place {
    /// The consumer group.
    pub pipeline: String,
    /// The topic of the dead letters.
    pub topic: String,
    /// The topic of the checkpoints.
    pub checkpoints: String,
}

impl Place {
    fn key(&self, partition: i32) -> String {
        format!("replayed/{}/{}/{partition}", self.pipeline, self.topic)
    }

    /// What was replayed, by partition of the topic of dead letters.
    ///
    /// # Errors
    /// When the topic of checkpoints cannot be read.
    pub fn replayed(&self, connection: &Connection) -> Result<BTreeMap<i32, Replayed>, Error> {
        let mut found = BTreeMap::new();
        let partitions = topics::partitions(connection, &self.topic)?;
        let keys: BTreeMap<String, i32> = (0..partitions).map(|p| (self.key(p), p)).collect();
        scan(connection, &self.checkpoints, Extent::All, |located| {
            let key = located.record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
            let partition = key.and_then(|key| keys.get(key));
            let value = located.record.value.as_deref().unwrap_or(b"{\"runs\":[]}");
            if let Some(partition) = partition {
                found.insert(*partition, serde_json::from_slice(value));
            }
            ControlFlow::Continue(())
        })?;
        let read = |(partition, replayed): (i32, Result<Replayed, serde_json::Error>)| {
            let broken =
                |e: serde_json::Error| Error::Checkpoint { partition, reason: e.to_string() };
            Ok((partition, replayed.map_err(broken)?))
        };
        found.into_iter().map(read).collect()
    }
}

/// Sends the records of dead letters to their topics once more, and remembers that in the same
/// transaction. Of two at a time, the one that was opened first fails.
pub struct Replay {
    producer: ThreadedProducer<Quiet>,
    place: Place,
    replayed: BTreeMap<i32, Replayed>,
    checkpoints: i32,
    /// Partitions of the topics that are sent to.
    partitions: BTreeMap<String, i32>,
}

impl Replay {
    /// # Errors
    /// When the brokers cannot be reached, or do not allow transactions.
    pub fn open(connection: &Connection, place: &Place) -> Result<Replay, Error> {
        let mut config = connection.producer()?;
        config.set("transactional.id", format!("replay/{}/{}", place.pipeline, place.topic));
        let producer: ThreadedProducer<Quiet> =
            config.create_with_context(Quiet).map_err(Error::kafka("make a producer"))?;
        // Before it is read what was replayed: from here on, nobody else replays.
        producer.init_transactions(PATIENCE).map_err(Error::kafka("begin to replay"))?;
        Ok(Replay {
            replayed: place.replayed(connection)?,
            checkpoints: topics::partitions(connection, &place.checkpoints)?,
            place: place.clone(),
            producer,
            partitions: BTreeMap::new(),
        })
    }

    /// Whether a dead letter was replayed before.
    pub fn is_replayed(&self, letter: &Letter) -> bool {
        let (partition, offset) = letter.place;
        self.replayed.get(&partition).is_some_and(|replayed| replayed.contains(offset))
    }

    /// Sends the records of these dead letters: all, or none when it fails. The dead letters at the
    /// places `covered`, partition and offset, tell of the same records: they count as replayed too.
    ///
    /// # Errors
    /// When a topic does not exist any more, or the brokers refuse.
    pub fn send(
        &mut self,
        connection: &Connection,
        letters: &[Letter],
        covered: &[(i32, i64)],
    ) -> Result<(), Error> {
        for letter in letters {
            if !self.partitions.contains_key(&letter.topic) {
                let count = topics::partitions(connection, &letter.topic)?;
                self.partitions.insert(letter.topic.clone(), count);
            }
        }
        let doing = || Error::kafka("replay dead letters");
        self.producer.begin_transaction().map_err(doing())?;
        let sent = self.append(letters, covered).map_err(doing());
        match sent.and_then(|()| self.producer.commit_transaction(PATIENCE).map_err(doing())) {
            Ok(()) => Ok(()),
            Err(error) => {
                let _ = self.producer.abort_transaction(PATIENCE);
                Err(error)
            }
        }
    }

    fn append(&mut self, letters: &[Letter], covered: &[(i32, i64)]) -> Result<(), KafkaError> {
        for letter in letters {
            let again = letter.again();
            let mut record = BaseRecord::<[u8], [u8]>::to(&letter.topic);
            (record.key, record.payload) = (again.key.as_deref(), again.value.as_deref());
            record.timestamp = again.timestamp;
            // The same partition, unless the topic was made anew with fewer.
            record.partition =
                Some(letter.partition).filter(|p| *p < self.partitions[&letter.topic]);
            self.queue(record.headers(headers::write(&again.headers)))?;
        }
        let mut touched = BTreeSet::new();
        for (partition, offset) in
            letters.iter().map(|letter| letter.place).chain(covered.iter().copied())
        {
            self.replayed.entry(partition).or_default().insert(offset);
            touched.insert(partition);
        }
        for partition in touched {
            let key = self.place.key(partition);
            let value = serde_json::to_vec(&self.replayed[&partition]);
            let value = value.expect("runs have no keys");
            let record = BaseRecord::to(&self.place.checkpoints)
                .key(key.as_bytes())
                .payload(value.as_slice())
                .partition(partition % self.checkpoints);
            self.queue(record)?;
        }
        Ok(())
    }

    fn queue(&self, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<(), KafkaError> {
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((error, back)) if is_full(&error) => {
                    std::thread::sleep(Duration::from_millis(1));
                    record = back;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Replayed;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn runs_hold_what_was_inserted(offsets in prop::collection::vec(0i64..40, 0..60)) {
            let mut replayed = Replayed::default();
            offsets.iter().for_each(|&offset| replayed.insert(offset));
            let set: BTreeSet<i64> = offsets.into_iter().collect();
            for offset in -1..41 {
                prop_assert_eq!(replayed.contains(offset), set.contains(&offset), "{}", offset);
            }
            let apart = replayed.runs.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0);
            prop_assert!(apart, "{:?}", replayed.runs);
        }
    }
}
