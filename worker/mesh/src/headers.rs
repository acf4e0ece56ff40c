use crate::schema::Header;
use rdkafka::Message;
use rdkafka::message::{Headers, OwnedHeaders};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The headers of a message, in order, without those whose names are not UTF-8.
///
/// The client library panics at such a name, which would end the worker at the same record again
/// and again; Kafka's own producers never write one.
pub(crate) fn read(message: &impl Message) -> Vec<Header> {
    let Some(headers) = message.headers() else { return Vec::new() };
    let read = |index| {
        let header = headers.try_get(index)?;
        Some((header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
    };
    let guarded = |index| catch_unwind(AssertUnwindSafe(|| read(index))).ok().flatten();
    (0..headers.count()).filter_map(guarded).collect()
}

/// The headers as the client takes them.
pub(crate) fn write(headers: &[Header]) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(headers.len());
    headers.iter().fold(empty, |written, (key, value)| {
        written.insert(rdkafka::message::Header { key, value: value.as_ref() })
    })
}

/// Bytes that headers take.
pub(crate) fn bytes(headers: &[Header]) -> usize {
    let length = |(name, value): &Header| name.len() + value.as_ref().map_or(0, Vec::len);
    headers.iter().map(|header| size_of::<Header>() + length(header)).sum()
}
