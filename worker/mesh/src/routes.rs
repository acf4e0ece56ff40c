use crate::delivery::Topics;
use crate::{Connection, Error, Outgoing, Target, headers, topics};
use rdkafka::ClientConfig;
use rdkafka::producer::BaseRecord;
use rdkafka::util::IntoOpaque;
use std::collections::HashMap;

/// Bytes of a batch at most, unless the configuration says otherwise.
const DEFAULT: usize = 1_000_000;

/// Where records go.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    topics: HashMap<Target, Topic>,
    /// Bytes of a batch that every topic accepts, as far as the brokers tell.
    largest: Option<usize>,
}

#[derive(Clone, Debug)]
struct Topic {
    name: String,
    partitions: i32,
}

impl Routes {
    pub(crate) fn find(connection: &Connection, topics: &Topics) -> Result<Routes, Error> {
        let outputs = topics.outputs.iter().map(|(kind, name)| (Target::Output(*kind), name));
        let dead_letters = topics.dead_letters.iter().map(|(name, _)| (Target::DeadLetters, name));
        let all = outputs.chain(dead_letters).chain([(Target::Checkpoints, &topics.checkpoints)]);
        let all: Vec<(Target, &String)> = all.collect();
        let largest = largest(connection, &all);
        let known = |(to, name): (Target, &String)| {
            let partitions = topics::partitions(connection, name)?;
            Ok((to, Topic { name: name.clone(), partitions }))
        };
        let topics = all.into_iter().map(known).collect::<Result<_, _>>()?;
        Ok(Routes { topics, largest })
    }

    /// Limits the batches of a producer to what every topic accepts. A larger one holds a single
    /// record: the brokers refuse batches as a whole, and good records shall not be among them.
    pub(crate) fn limit(&self, config: &mut ClientConfig) {
        let chosen = config.get("batch.size").and_then(|size| size.parse().ok());
        if let Some(largest) = self.largest.filter(|&size| size < chosen.unwrap_or(DEFAULT)) {
            config.set("batch.size", largest.max(1).to_string());
        }
    }

    /// The record as the client takes it; `None` when it has no topic.
    ///
    /// What comes of partition `p` goes to partition `p` of a topic that has one, else where its
    /// key belongs; checkpoints are looked for by the number of their partition alone.
    pub(crate) fn record<'a, O: IntoOpaque>(
        &'a self,
        record: &'a Outgoing,
        partition: i32,
        opaque: O,
    ) -> Option<BaseRecord<'a, [u8], [u8], O>> {
        let Topic { name, partitions } = self.topics.get(&record.to)?;
        let mut next = BaseRecord::with_opaque_to(name, opaque);
        (next.key, next.payload) = (record.key.as_deref(), record.payload.as_deref());
        next.timestamp = record.timestamp;
        next.partition = match record.to {
            Target::Checkpoints => Some(partition % partitions),
            _ => (partition < *partitions).then_some(partition),
        };
        next.headers = (!record.headers.is_empty()).then(|| headers::write(&record.headers));
        Some(next)
    }
}

/// The smallest limit of the topics, if the brokers tell.
fn largest(connection: &Connection, all: &[(Target, &String)]) -> Option<usize> {
    let names: Vec<&str> = all.iter().map(|(_, name)| name.as_str()).collect();
    topics::largest_batch(connection, &names).unwrap_or_else(|error| {
        tracing::warn!("it is taken for granted that topics accept batches of 1 MB: {error}");
        None
    })
}
