use crate::checkpoint::{Past, Saved, Witness};
use crate::class::is_not_signed_in;
use crate::connection::{Quiet, tell};
use crate::{Class, Connection, Error, source, topics};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// How long to wait for the next record.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often to tell how far it is.
const TELL: Duration = Duration::from_secs(5);

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

    /// The checkpoints of partitions of `input` that are in these `places`, partitions of the
    /// topic.
    fn find(
        &self,
        input: &str,
        partitions: &[i32],
        places: BTreeSet<i32>,
    ) -> Result<HashMap<i32, Saved>, Error> {
        let places = places.into_iter().map(|place| (place, Offset::Beginning)).collect();
        // The last value of every key that is about them: other groups may keep much more here.
        let mut records = HashMap::new();
        let is_wanted = |key: &str| Saved::concerns(&self.group, input, partitions, key);
        self.scan(&self.topic, places, &mut |message| {
            keep(&mut records, message, &is_wanted);
            true
        })?;
        let mut saved = HashMap::new();
        for &partition in partitions {
            let found = Saved::find(&self.group, input, partition, &records)?;
            saved.extend(found.map(|found| (partition, found)));
        }
        Ok(saved)
    }

    /// Reads partitions of a topic from these offsets on, each to its end or until `more` says no.
    fn scan(
        &self,
        topic: &str,
        mut open: BTreeMap<i32, Offset>,
        more: &mut dyn FnMut(&BorrowedMessage<'_>) -> bool,
    ) -> Result<(), Error> {
        let doing = || Error::kafka(format!("read {topic}"));
        let mut assignment = TopicPartitionList::new();
        for (&partition, &offset) in &open {
            assignment.add_partition_offset(topic, partition, offset).map_err(doing())?;
        }
        self.consumer.assign(&assignment).map_err(doing())?;
        let mut progress = Progress::new(topic);
        while !open.is_empty() {
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    progress.advance();
                    if open.contains_key(&message.partition()) && !more(&message) {
                        open.remove(&message.partition());
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => _ = open.remove(&partition),
                // A connection that was lost while it signed in is not told from a refusal here;
                // after a refusal no record comes.
                Some(Err(error))
                    if Class::of(&error) == Class::Fatal && !is_not_signed_in(&error) =>
                {
                    return Err(doing()(error));
                }
                Some(Err(error)) => tell(&format!("reading {topic}"), &error, ""),
                None => {}
            }
            if progress.last.elapsed() > PATIENCE {
                let partitions: Vec<i32> = open.into_keys().collect();
                return Err(Error::Silent { topic: topic.into(), partitions });
            }
        }
        self.consumer.unassign().map_err(doing())
    }
}

impl Past for Reader {
    fn read(&self, input: &str, partitions: &[i32]) -> Result<HashMap<i32, Saved>, Error> {
        let places = partitions.iter().map(|partition| partition % self.partitions).collect();
        let mut saved = self.find(input, partitions, places)?;
        let is_missing = |partition: &i32| !saved.contains_key(partition);
        let missing: Vec<i32> = partitions.iter().copied().filter(is_missing).collect();
        if !missing.is_empty() && self.partitions > 1 {
            // Where they are looked for moves when the topic is given more partitions.
            saved.extend(self.find(input, &missing, (0..self.partitions).collect())?);
        }
        Ok(saved)
    }

    fn ends(&self, input: &str, partition: i32) -> Result<(i64, i64), Error> {
        topics::ends(&self.consumer, input, partition)
    }

    fn witnesses(
        &self,
        input: &str,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<HashMap<i32, Witness>, Error> {
        let mut found = HashMap::new();
        let offset = |(&partition, &offset)| (partition, Offset::Offset(offset));
        self.scan(input, offsets.iter().map(offset).collect(), &mut |message| {
            let witness = Witness::of(&source::record(message));
            found.entry(message.partition()).or_insert(witness);
            false
        })?;
        Ok(found)
    }

    fn committed(&self, input: &str, partitions: &[i32]) -> Result<HashMap<i32, i64>, Error> {
        topics::committed(&self.consumer, input, partitions)
    }
}

/// Tells of a long work.
struct Progress<'a> {
    topic: &'a str,
    records: usize,
    last: Instant,
    told: Instant,
}

impl Progress<'_> {
    fn new(topic: &str) -> Progress<'_> {
        Progress { topic, records: 0, last: Instant::now(), told: Instant::now() }
    }

    fn advance(&mut self) {
        (self.records, self.last) = (self.records + 1, Instant::now());
        if self.told.elapsed() > TELL {
            self.told = self.last;
            tracing::info!(topic = self.topic, records = self.records, "still reading");
        }
    }
}

fn keep(
    records: &mut HashMap<String, Vec<u8>>,
    message: &impl Message,
    is_wanted: &dyn Fn(&str) -> bool,
) {
    let key = message.key_view::<str>().and_then(Result::ok);
    let Some(key) = key.filter(|key| is_wanted(key)) else { return };
    match message.payload() {
        Some(value) => records.insert(key.to_owned(), value.to_owned()),
        None => records.remove(key),
    };
}
