//! Which topics there are.

use crate::class::may_pass;
use crate::contact::Contact;
use crate::{Connection, Error, embedded};
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication, TopicResult,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use std::collections::HashMap;
use std::time::{Duration, Instant};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);
/// How long a question may be asked again while a broker is lost.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take until every broker knows a topic that was just created.
const PROPAGATION: Duration = Duration::from_secs(5);

/// What keeps a compacted topic short: only closed segments are compacted, and whoever starts
/// reads all that is left.
const COMPACT: [(&str, &str); 3] =
    [("segment.bytes", "16777216"), ("segment.ms", "600000"), ("min.cleanable.dirty.ratio", "0.1")];

/// How long a topic keeps its records, and how large they may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether older records of a key may be deleted when there are newer ones.
    pub compacted: bool,
    /// How long records are kept, if there is a limit.
    pub kept: Option<Duration>,
    /// Whether records are deleted when a partition has too many bytes.
    pub bounded: bool,
    /// Bytes that a batch, and so a record, may have at most, as far as the brokers tell.
    pub largest: Option<usize>,
}

/// A topic to be created.
#[derive(Clone, Copy, Debug)]
pub struct Topic<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number of partitions.
    pub partitions: i32,
    /// Whether only the last record of each key is kept.
    pub compacted: bool,
    /// Bytes that a batch, and so a record, may have at most; the brokers' default when `None`.
    pub largest: Option<usize>,
}

/// The number of partitions of a topic. A topic that was just created may need a moment until
/// every broker knows it.
///
/// # Errors
/// When the brokers cannot be reached, or do not know the topic after some seconds.
pub fn partitions(connection: &Connection, topic: &str) -> Result<i32, Error> {
    let client = Contact::new(connection)?;
    let count = || {
        let metadata = client.metadata(Some(topic))?;
        let found = metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none());
        Ok(found.map_or(0, |t| t.partitions().len()))
    };
    match once_known(count, |count| *count > 0)? {
        0 => Err(Error::NoTopic(topic.into())),
        count => Ok(count as i32),
    }
}

/// The answer to a question about a topic that may just have been made: it is asked again until
/// the answer `is` one that a broker gives who knows the topic, or every broker should.
///
/// # Errors
/// The error of the question.
pub fn once_known<T>(
    ask: impl Fn() -> Result<T, Error>,
    is: impl Fn(&T) -> bool,
) -> Result<T, Error> {
    let deadline = Instant::now() + PROPAGATION;
    loop {
        let answer = ask()?;
        if is(&answer) || Instant::now() > deadline {
            return Ok(answer);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Whether a topic exists. Asks for all topics, since to ask for one may make brokers create it.
///
/// # Errors
/// When the brokers cannot be reached.
pub fn exists(connection: &Connection, topic: &str) -> Result<bool, Error> {
    let metadata = Contact::new(connection)?.metadata(None)?;
    Ok(metadata.topics().iter().any(|t| t.name() == topic))
}

/// Those of some topics that do not exist, after a moment in which they might have been created.
///
/// # Errors
/// When the brokers cannot be reached.
pub fn missing(connection: &Connection, topics: &[String]) -> Result<Vec<String>, Error> {
    let client = Contact::new(connection)?;
    let missing = || {
        let metadata = client.metadata(None)?;
        let there: Vec<&str> = metadata.topics().iter().map(|t| t.name()).collect();
        let missing = topics.iter().filter(|topic| !there.contains(&topic.as_str()));
        Ok(missing.cloned().collect())
    };
    once_known(missing, Vec::is_empty)
}

/// How long a topic keeps its records; `None` for topics of the broker inside the process, which
/// would let the question wait until it is given up.
///
/// # Errors
/// When the brokers do not tell, as to clients that may not describe its configuration.
pub fn policy(connection: &Connection, topic: &str) -> Result<Option<Policy>, Error> {
    let doing = format!("find out how long {topic} keeps its records");
    let Some(described) = describe(connection, &[topic], &doing)? else { return Ok(None) };
    let mut policy = Policy::default();
    for resource in described {
        let entry = |name| resource.get(name).and_then(|entry| entry.value.as_deref());
        let number = |name| entry(name).and_then(|value| value.parse::<u64>().ok());
        let policies = entry("cleanup.policy").unwrap_or("delete");
        policy.compacted = policies.contains("compact");
        let deletes = policies.contains("delete");
        // Without a limit, the value is -1.
        policy.kept = number("retention.ms").filter(|_| deletes).map(Duration::from_millis);
        policy.bounded = deletes && number("retention.bytes").is_some();
        policy.largest = largest(&resource);
    }
    Ok(Some(policy))
}

/// Bytes of the largest batch that all of these topics accept; `None` for topics of the broker
/// inside the process.
///
/// # Errors
/// When the brokers do not tell, as to clients that may not describe their configuration.
pub(crate) fn largest_batch(
    connection: &Connection,
    topics: &[&str],
) -> Result<Option<usize>, Error> {
    let described = describe(connection, topics, "find out how large batches may be")?;
    Ok(described.and_then(|described| described.iter().filter_map(largest).min()))
}

fn largest(topic: &ConfigResource) -> Option<usize> {
    topic.get("max.message.bytes")?.value.as_deref()?.parse().ok()
}

/// The configurations of topics; `None` for topics of the broker inside the process.
fn describe(
    connection: &Connection,
    topics: &[&str],
    doing: &str,
) -> Result<Option<Vec<ConfigResource>>, Error> {
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let client = admin(connection)?;
    let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    if client.inner().fetch_cluster_id(TIMEOUT).is_some_and(|id| embedded::is_embedded(&id)) {
        return Ok(None);
    }
    let described = pollster::block_on(client.describe_configs(&resources, &options));
    let described = described.map_err(Error::kafka(doing))?.into_iter();
    let refused = |code| Error::kafka(doing)(KafkaError::AdminOp(code));
    described.map(|resource| resource.map_err(refused)).collect::<Result<_, _>>().map(Some)
}

/// Creates topics that do not exist, replicated as the brokers' default says.
///
/// # Errors
/// When the brokers refuse one, for another reason than that it exists.
pub fn create(connection: &Connection, topics: &[Topic<'_>]) -> Result<(), Error> {
    let limits: Vec<_> = topics.iter().map(|t| t.largest.map(|bytes| bytes.to_string())).collect();
    let new = topics.iter().zip(&limits).map(|(topic, limit)| {
        let policy = if topic.compacted { "compact" } else { "delete" };
        let new = NewTopic::new(topic.name, topic.partitions, TopicReplication::Fixed(-1))
            .set("cleanup.policy", policy);
        let compact: &[_] = if topic.compacted { &COMPACT } else { &[] };
        let new = compact.iter().fold(new, |new, (key, value)| new.set(key, value));
        match limit {
            Some(limit) => new.set("max.message.bytes", limit),
            None => new,
        }
    });
    let new: Vec<_> = new.collect();
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let results = pollster::block_on(admin(connection)?.create_topics(&new, &options))
        .map_err(Error::kafka("create topics"))?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(Error::kafka(format!("create topic {topic}"))(KafkaError::AdminOp(
                    code,
                )));
            }
        }
    }
    Ok(())
}

/// Deletes a topic and all its records.
///
/// # Errors
/// When the brokers refuse.
pub fn delete(connection: &Connection, topic: &str) -> Result<(), Error> {
    let (client, options) = (admin(connection)?, patient());
    let deleted = client.delete_topics(&[topic], &options);
    settle(format!("delete topic {topic}"), pollster::block_on(deleted))
}

/// Gives a topic more partitions: `count` in all. Keys that it has may move to other partitions.
///
/// # Errors
/// When the brokers refuse, as when it has as many already.
pub fn grow(connection: &Connection, topic: &str, count: usize) -> Result<(), Error> {
    let new = [NewPartitions::new(topic, count)];
    let (client, options) = (admin(connection)?, patient());
    let created = client.create_partitions(&new, &options);
    settle(format!("give {topic} {count} partitions"), pollster::block_on(created))
}

/// Deletes the records of a partition before `offset`, as retention does.
///
/// # Errors
/// When the brokers refuse, as when there are not so many.
pub fn truncate(
    connection: &Connection,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<(), Error> {
    let doing = format!("delete records of {topic}/{partition}");
    let mut before = TopicPartitionList::new();
    before
        .add_partition_offset(topic, partition, Offset::Offset(offset))
        .map_err(Error::kafka(doing.clone()))?;
    let (client, options) = (admin(connection)?, patient());
    let deleted = client.delete_records(&before, &options);
    let list = pollster::block_on(deleted).map_err(Error::kafka(doing.clone()))?;
    list.elements().iter().try_for_each(|e| e.error()).map_err(Error::kafka(doing))
}

fn patient() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(TIMEOUT))
}

fn settle(doing: String, results: KafkaResult<Vec<TopicResult>>) -> Result<(), Error> {
    for result in results.map_err(Error::kafka(doing.clone()))? {
        result.map_err(|(_, code)| Error::kafka(doing.clone())(KafkaError::AdminOp(code)))?;
    }
    Ok(())
}

/// The offsets of the first record of a partition and after its last one. A partition that was
/// just made may need a moment until its leader knows.
pub(crate) fn ends<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match consumer.fetch_watermarks(topic, partition, TIMEOUT) {
            Err(error) if may_pass(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(100));
                // The client gives a partition up whose leader it does not find at once, as while
                // a broker is lost, and does not look for it again by itself.
                let _ = consumer.fetch_metadata(Some(topic), TIMEOUT);
            }
            ends => {
                return ends.map_err(Error::kafka(format!("find the ends of {topic}/{partition}")));
            }
        }
    }
}

/// The offsets that the group of a client has committed of some partitions of a topic.
pub(crate) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: &[i32],
) -> Result<HashMap<i32, i64>, Error> {
    let doing = format!("read the committed offsets of {topic}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut list = TopicPartitionList::new();
        partitions.iter().for_each(|&partition| _ = list.add_partition(topic, partition));
        let list = match consumer.committed_offsets(list, TIMEOUT) {
            Err(error) if may_pass(&error) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(100));
                continue;
            }
            list => list.map_err(Error::kafka(doing.clone()))?,
        };
        let mut offsets = HashMap::new();
        for element in list.elements() {
            element.error().map_err(Error::kafka(doing.clone()))?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        return Ok(offsets);
    }
}

fn admin(connection: &Connection) -> Result<AdminClient<DefaultClientContext>, Error> {
    connection.admin()?.create().map_err(Error::kafka("make a client of Kafka"))
}
