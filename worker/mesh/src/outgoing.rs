use crate::schema::{Header, Kind, Output};

/// A record that leaves for Kafka on behalf of a partition of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Which topic it goes to.
    pub to: Target,
    /// What it is called in errors: the id of an output, the key of a part of a checkpoint.
    pub id: String,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; without one, the record deletes its key from a compacted topic.
    pub payload: Option<Vec<u8>>,
    /// The headers, in this order.
    pub headers: Vec<Header>,
    /// Milliseconds since the Unix epoch; the time of sending when absent.
    pub timestamp: Option<i64>,
}

/// Where a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The topic of this kind of output.
    Output(Kind),
    /// The topic of the records that could not be computed.
    DeadLetters,
    /// The topic of the checkpoints.
    Checkpoints,
}

/// The header with the offset of the input record.
const SOURCE_OFFSET: &str = "source-offset";

impl Outgoing {
    /// The offset of the input record with which an output became due.
    pub(crate) fn source_offset(&self) -> Option<i64> {
        let (_, value) = self.headers.iter().find(|(name, _)| name == SOURCE_OFFSET)?;
        std::str::from_utf8(value.as_deref()?).ok()?.parse().ok()
    }

    /// Bytes that the record takes in a queue.
    pub fn bytes(&self) -> usize {
        let length = |b: &Option<Vec<u8>>| b.as_ref().map_or(0, Vec::len);
        let headers = crate::headers::bytes(&self.headers);
        size_of::<Outgoing>() + self.id.len() + length(&self.key) + length(&self.payload) + headers
    }
}

impl From<Output> for Outgoing {
    fn from(output: Output) -> Outgoing {
        let header = |name: &str, value: &str| (name.to_owned(), Some(value.as_bytes().to_vec()));
        let mut headers = vec![
            header("id", &output.id),
            header(SOURCE_OFFSET, &output.offset.to_string()),
            header("content-type", "application/json"),
            header("schema", output.kind.schema()),
        ];
        headers.extend(output.row.map(|row| header("source-row", &row.to_string())));
        headers.extend(output.event.iter().map(|(name, value)| header(name, value)));
        Outgoing {
            to: Target::Output(output.kind),
            id: output.id,
            key: Some(output.series.into_bytes()),
            payload: Some(output.payload),
            headers,
            timestamp: output.timestamp,
        }
    }
}
