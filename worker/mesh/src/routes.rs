use crate::delivery::Topics;
use crate::{Connection, Error, Outgoing, Target, headers, topics};
use rdkafka::producer::BaseRecord;
use rdkafka::util::IntoOpaque;
use std::collections::HashMap;

/// Where records go.
#[derive(Clone, Debug)]
pub(crate) struct Routes(HashMap<Target, Topic>);

#[derive(Clone, Debug)]
struct Topic {
    name: String,
    partitions: i32,
}

impl Routes {
    pub(crate) fn find(connection: &Connection, topics: &Topics) -> Result<Routes, Error> {
        let outputs = topics.outputs.iter().map(|(kind, name)| (Target::Output(*kind), name));
        let dead_letters = topics.dead_letters.iter().map(|name| (Target::DeadLetters, name));
        let all = outputs.chain(dead_letters).chain([(Target::Checkpoints, &topics.checkpoints)]);
        let known = |(to, name): (Target, &String)| {
            let partitions = topics::partitions(connection, name)?;
            Ok((to, Topic { name: name.clone(), partitions }))
        };
        all.map(known).collect::<Result<_, _>>().map(Routes)
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
        let Topic { name, partitions } = self.0.get(&record.to)?;
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
