use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an output record is about; each kind has its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The persistence diagrams of a window.
    Diagrams,
    /// Numbers made from the diagrams, and the score.
    Features,
    /// A score beyond its threshold.
    Alerts,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Diagrams, Kind::Features, Kind::Alerts];

    /// The name in ids and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Diagrams => "diagrams",
            Kind::Features => "features",
            Kind::Alerts => "alerts",
        }
    }

    /// The name and version of the schema.
    pub fn schema(self) -> &'static str {
        match self {
            Kind::Diagrams => "streaming-tda.diagrams/v1",
            Kind::Features => "streaming-tda.features/v1",
            Kind::Alerts => "streaming-tda.alerts/v1",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The input record with which an output became due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Input topic.
    pub topic: String,
    /// Partition of the input topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Which point of the record, counted from 0; absent for the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
}

impl fmt::Display for Origin {
    /// `<topic>/<partition>/<offset>`, followed by `.<row>` if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { topic, partition, offset, row } = self;
        write!(f, "{topic}/{partition}/{offset}")?;
        row.map_or(Ok(()), |row| write!(f, ".{row}"))
    }
}

/// What every output record begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// Name and version of the schema, `streaming-tda.<kind>/v1`.
    pub schema: String,
    /// `<topic>/<partition>/<offset>/<kind>/<scale>`; a point that is not the first of its record
    /// has `<offset>.<row>`. An output that is sent again after a crash has the same id and the same
    /// bytes.
    pub id: String,
    /// The input record with which the output became due.
    pub source: Origin,
    /// The series.
    pub series: String,
    /// The name of the scale.
    pub scale: String,
    /// When the newest sample was measured, milliseconds since the Unix epoch.
    pub time: f64,
    /// The version of the engine.
    pub engine: String,
}

impl Envelope {
    /// The envelope of the output of `kind` that became due with a record.
    pub fn new(kind: Kind, source: Origin, series: &str, scale: &str, time: f64) -> Envelope {
        Envelope {
            schema: kind.schema().into(),
            id: format!("{source}/{kind}/{scale}"),
            series: series.into(),
            scale: scale.into(),
            time,
            engine: env!("CARGO_PKG_VERSION").into(),
            source,
        }
    }
}

/// An envelope and its body, in one JSON object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message<B> {
    /// What every output record begins with.
    #[serde(flatten)]
    pub envelope: Envelope,
    /// What this one is about.
    #[serde(flatten)]
    pub body: B,
}

/// A record to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// What it is about: this chooses the topic.
    pub kind: Kind,
    /// The id in the envelope.
    pub id: String,
    /// The series, which is the key.
    pub series: String,
    /// Offset of the input record with which it became due.
    pub offset: i64,
    /// Which point of that record, counted from 0; absent for the first one.
    pub row: Option<u32>,
    /// Timestamp of that record, milliseconds; absent when it had none.
    pub timestamp: Option<i64>,
    /// The JSON of the [`Message`].
    pub payload: Vec<u8>,
    /// The headers that make it a CloudEvent, when that was asked for.
    pub event: Vec<(&'static str, String)>,
}

impl Output {
    /// The record of a message that became due with an input record of that timestamp.
    pub fn new<B: Serialize>(kind: Kind, message: &Message<B>, timestamp: Option<i64>) -> Output {
        let payload = serde_json::to_vec(message).expect("a message has string keys only");
        let Envelope { id, series, source, .. } = &message.envelope;
        let (id, series) = (id.clone(), series.clone());
        let Origin { offset, row, .. } = *source;
        Output { kind, id, series, offset, row, timestamp, payload, event: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Body {
        emission: Vec<(f32, Option<f32>)>,
    }

    #[test]
    fn a_message_is_one_object_with_the_envelope_first() {
        let source = Origin { topic: "ecg".into(), partition: 3, offset: 123, row: None };
        let envelope = Envelope::new(Kind::Diagrams, source, "208", "beat", 1234.5);
        let body = Body { emission: vec![(0.0, Some(0.12)), (0.0, None)] };
        let output = Output::new(Kind::Diagrams, &Message { envelope, body }, Some(7));
        let json = String::from_utf8(output.payload.clone()).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"schema":"streaming-tda.diagrams/v1","id":"ecg/3/123/diagrams/beat","#,
                r#""source":{"topic":"ecg","partition":3,"offset":123},"series":"208","#,
                r#""scale":"beat","time":1234.5,"engine":""#,
                env!("CARGO_PKG_VERSION"),
                r#"","emission":[[0.0,0.12],[0.0,null]]}"#,
            )
        );
        let read: Message<Body> = serde_json::from_slice(&output.payload).unwrap();
        assert_eq!(read.body.emission[0], (0.0, Some(0.12)));
        assert_eq!(read.envelope.id, output.id);
    }

    #[test]
    fn the_points_of_a_record_have_ids_of_their_own() {
        let id = |row| {
            let source = Origin { topic: "ecg".into(), partition: 3, offset: 123, row };
            Envelope::new(Kind::Alerts, source, "208", "beat", 1234.5).id
        };
        assert_eq!(id(None), "ecg/3/123/alerts/beat");
        assert_eq!(id(Some(2)), "ecg/3/123.2/alerts/beat");
    }
}
