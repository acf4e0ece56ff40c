use crate::checkpoint::{Header, Keys, Past, Slot, VERSION};
use crate::connection::Quiet;
use crate::{Connection, Error, topics};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// How long to wait for the end of the checkpoint topic.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the checkpoint topic holds of a partition.
#[derive(Debug)]
pub struct Saved {
    /// The last header.
    pub header: Header,
    /// The states that it names, by series.
    pub states: HashMap<String, Box<RawValue>>,
}

impl Saved {
    /// The checkpoint of a partition of the topic `input`, among the last values of all keys of
    /// the checkpoint topic.
    ///
    /// # Errors
    /// When it is there and cannot be understood.
    pub fn find(
        group: &str,
        input: &str,
        partition: i32,
        records: &HashMap<String, Vec<u8>>,
    ) -> Result<Option<Saved>, Error> {
        let keys = Keys::new(&format!("{group}/{input}"), partition);
        let header = records.get(&keys.header);
        header.map(|header| assemble(partition, header, &keys, records)).transpose()
    }

    /// The generations of the states.
    pub fn generations(&self) -> HashMap<String, u64> {
        let places = self.header.series.iter();
        places.filter_map(|place| Some((place.series.clone(), place.generation?))).collect()
    }
}

/// Reads checkpoints.
pub struct Reader {
    consumer: BaseConsumer<Quiet>,
    group: String,
    topic: String,
    partitions: i32,
}

impl Reader {
    /// A reader of the checkpoints that `group` keeps in `topic`.
    ///
    /// # Errors
    /// When the brokers cannot be reached or the topic does not exist.
    pub fn new(connection: &Connection, group: &str, topic: &str) -> Result<Reader, Error> {
        let consumer = connection
            .onlooker(group)?
            .create_with_context(Quiet)
            .map_err(Error::kafka("read checkpoints"))?;
        let partitions = topics::partitions(connection, topic)?;
        Ok(Reader { consumer, group: group.into(), topic: topic.into(), partitions })
    }

    /// The last value of every key.
    fn records(&self, partitions: &[i32]) -> Result<HashMap<String, Vec<u8>>, Error> {
        let mut open: BTreeSet<i32> = partitions.iter().map(|p| p % self.partitions).collect();
        let mut assignment = TopicPartitionList::new();
        for &partition in &open {
            assignment
                .add_partition_offset(&self.topic, partition, Offset::Beginning)
                .map_err(Error::kafka("read checkpoints"))?;
        }
        self.consumer.assign(&assignment).map_err(Error::kafka("read checkpoints"))?;
        let mut records = HashMap::new();
        let deadline = Instant::now() + PATIENCE;
        while !open.is_empty() {
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => keep(&mut records, &message),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    open.remove(&partition);
                }
                Some(Err(source)) => tracing::warn!(%source, "reading checkpoints, trying again"),
                None => {}
            }
            if Instant::now() > deadline {
                let partition = partitions[0];
                let reason = format!("the end of topic {} was not reached", self.topic);
                return Err(Error::Checkpoint { partition, reason });
            }
        }
        self.consumer.unassign().map_err(Error::kafka("read checkpoints"))?;
        Ok(records)
    }
}

impl Past for Reader {
    fn read(&self, input: &str, partitions: &[i32]) -> Result<HashMap<i32, Saved>, Error> {
        let records = self.records(partitions)?;
        let mut saved = HashMap::new();
        for &partition in partitions {
            let found = Saved::find(&self.group, input, partition, &records)?;
            saved.extend(found.map(|found| (partition, found)));
        }
        Ok(saved)
    }

    fn committed(&self, input: &str, partitions: &[i32]) -> Result<HashMap<i32, i64>, Error> {
        topics::committed(&self.consumer, input, partitions)
    }

    fn first(&self, input: &str, partition: i32, next: i64) -> Result<i64, Error> {
        let (first, end) = topics::ends(&self.consumer, input, partition)?;
        match next > end {
            true => Err(Error::Ahead { topic: input.into(), partition, next, end }),
            false => Ok(first),
        }
    }
}

fn keep(records: &mut HashMap<String, Vec<u8>>, message: &impl Message) {
    let Some(Ok(key)) = message.key_view::<str>() else { return };
    match message.payload() {
        Some(value) => records.insert(key.to_owned(), value.to_owned()),
        None => records.remove(key),
    };
}

/// The header with the states that it names.
fn assemble(
    partition: i32,
    header: &[u8],
    keys: &Keys,
    records: &HashMap<String, Vec<u8>>,
) -> Result<Saved, Error> {
    let broken = |reason: String| Error::Checkpoint { partition, reason };
    let header: Header = serde_json::from_slice(header).map_err(|e| broken(e.to_string()))?;
    if header.version != VERSION {
        let reason = format!("it has version {}, this worker knows {VERSION}", header.version);
        return Err(broken(reason));
    }
    let mut states = HashMap::new();
    for place in &header.series {
        let Some(generation) = place.generation else { continue };
        let slot = records.get(&keys.slot(&place.series, generation));
        let slot = slot.ok_or_else(|| broken(format!("no state of series {:?}", place.series)))?;
        let slot: Slot = serde_json::from_slice(slot).map_err(|e| broken(e.to_string()))?;
        if slot.generation != generation {
            return Err(broken(format!(
                "series {:?} has state {}, its header names {generation}",
                place.series, slot.generation
            )));
        }
        states.insert(place.series.clone(), slot.state);
    }
    Ok(Saved { header, states })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Place;

    fn records(entries: &[(&str, &str)]) -> HashMap<String, Vec<u8>> {
        entries.iter().map(|(k, v)| ((*k).into(), v.as_bytes().to_vec())).collect()
    }

    fn read(header: &str, entries: &[(&str, &str)]) -> Result<Saved, Error> {
        assemble(3, header.as_bytes(), &Keys::new("g/t", 3), &records(entries))
    }

    /// A sample of version 1, which every later version must be able to read.
    const V1: &str = r#"{"version":1,"settings":"abc","next":70,"series":[
        {"series":"a/b","start":10,"sample":4,"generation":7},{"series":"c","start":60,"sample":0}]}"#;

    #[test]
    fn a_header_finds_its_states() {
        let slot = r#"{"generation":7,"state":{"scales":[1.5]}}"#;
        let saved = read(V1, &[("g/t/3/a/b/1", slot)]).unwrap();
        assert_eq!(saved.header.next, 70);
        let second = Place { series: "c".into(), start: 60, sample: 0, generation: None };
        assert_eq!(saved.header.series[1], second);
        assert_eq!(saved.states["a/b"].get(), r#"{"scales":[1.5]}"#);
    }

    #[test]
    fn a_state_of_another_generation_is_refused() {
        let slot = r#"{"generation":9,"state":null}"#;
        let error = read(V1, &[("g/t/3/a/b/1", slot)]).unwrap_err().to_string();
        assert!(error.contains("partition 3") && error.contains("a/b"), "{error}");
        assert!(read(V1, &[]).is_err());
        assert!(read(&V1.replace("\"version\":1", "\"version\":2"), &[]).is_err());
    }
}
