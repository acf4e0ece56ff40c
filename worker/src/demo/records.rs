//! What a reader of the output topics makes of their records.

use crate::emission::Emission;
use detection::{Features, Score};
use serde::Deserialize;
use serde::de::Error;

/// A record of one of the output topics.
#[derive(Debug)]
pub(super) enum Record {
    /// `streaming-tda.diagrams/v1`.
    Diagrams(Emission),
    /// `streaming-tda.features/v1`.
    Features(Features, Option<Score>),
    /// `streaming-tda.alerts/v1`.
    Alert(detection::Alert),
}

/// The part of the envelope that the demo reads.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Envelope {
    /// Name and version of the schema.
    pub(super) schema: String,
    /// The series.
    pub(super) series: String,
    /// The scale.
    pub(super) scale: String,
    /// When the newest sample was measured, milliseconds since the Unix epoch.
    pub(super) time: f64,
}

#[derive(Deserialize)]
struct DiagramsBody {
    emission: Emission,
}

#[derive(Deserialize)]
struct FeaturesBody {
    features: Features,
    score: Option<Score>,
}

/// Reads the value of a record.
///
/// # Errors
/// When it is not JSON of a schema that is known here.
pub(super) fn read(value: &[u8]) -> Result<(Envelope, Record), serde_json::Error> {
    let envelope: Envelope = serde_json::from_slice(value)?;
    let record = match envelope.schema.as_str() {
        "streaming-tda.diagrams/v1" => {
            Record::Diagrams(serde_json::from_slice::<DiagramsBody>(value)?.emission)
        }
        "streaming-tda.features/v1" => {
            let FeaturesBody { features, score } = serde_json::from_slice(value)?;
            Record::Features(features, score)
        }
        "streaming-tda.alerts/v1" => Record::Alert(serde_json::from_slice(value)?),
        other => return Err(serde_json::Error::custom(format!("schema {other} is not known"))),
    };
    Ok((envelope, record))
}

#[cfg(test)]
mod tests {
    use super::{Record, read};

    #[test]
    fn the_schema_tells_the_body() {
        let value = br#"{"schema":"streaming-tda.diagrams/v1","id":"i","source":{},"series":"208",
            "scale":"beat","time":1.5,"engine":"0","emission":{"end":9,"window":10,"diagrams":[[[0.0,null]],[]]}}"#;
        let (envelope, record) = read(value).unwrap();
        assert_eq!((envelope.series.as_str(), envelope.time), ("208", 1.5));
        assert!(matches!(record, Record::Diagrams(emission) if emission.end == 9));
    }

    #[test]
    fn another_schema_is_an_error() {
        let value = br#"{"schema":"else/v2","series":"","scale":"","time":0}"#;
        assert!(read(value).unwrap_err().to_string().contains("else/v2"));
    }
}
