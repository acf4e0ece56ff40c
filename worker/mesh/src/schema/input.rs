use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point as it stands in an input record: `{"series": "s", "time": 1234.5, "values": [0.1]}`.
///
/// Fields that are not named here are ignored, so that producers may send more than is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The series that the point belongs to; an integer is read as its digits. Default: the key of
    /// the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = ["string", "integer", "null"]))]
    pub series: Option<String>,
    /// When the point was measured, milliseconds since the Unix epoch, fractions allowed.
    /// Default: the timestamp of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// One number for each channel.
    pub values: Vec<f32>,
}

/// A point that can be computed with.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The series that the point belongs to.
    pub series: String,
    /// Milliseconds since the Unix epoch.
    pub time: f64,
    /// One finite number for each channel.
    pub values: Vec<f32>,
}

/// What a point must be like to be admitted.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    /// Channels in a point.
    pub dimension: usize,
    /// Bytes in the largest record.
    pub max_bytes: usize,
}

/// Why a record is skipped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The record has no value.
    #[error("the record has no value")]
    Empty,
    /// The record is larger than allowed.
    #[error("the record has {0} bytes, at most {1} are allowed")]
    Size(usize, usize),
    /// The value is not the JSON of a point.
    #[error("the value is not a point: {0}")]
    Json(String),
    /// There is neither a `series` nor a key.
    #[error("the point names no series, and the record has no key in UTF-8")]
    Series,
    /// The name of the series is empty.
    #[error("the name of the series is empty")]
    Nameless,
    /// The name of the series is longer than allowed.
    #[error("the name of the series has {0} bytes, at most {1} are allowed")]
    SeriesName(usize, usize),
    /// The number of values is wrong.
    #[error("the point has {0} values, expected {1}")]
    Dimension(usize, usize),
    /// A value is NaN or infinite, or too large for an `f32`.
    #[error("value {0} of the point is not finite")]
    NotFinite(usize),
    /// There is no usable time.
    #[error("the time of the point is not a finite number of milliseconds")]
    Time,
    /// The time is before the bounds.
    #[error("the time of the point is {0}, the earliest that is allowed is {1}")]
    Early(f64, i64),
    /// The time is after the bounds.
    #[error("the time of the point is {0}, the latest that is allowed is {1}")]
    Late(f64, i64),
    /// There is no schema id where it must be.
    #[error("the record is not in Confluent's wire format: {0}")]
    Wire(String),
    /// The registry does not know the schema.
    #[error("the schema registry does not know schema {0}")]
    SchemaUnknown(String),
    /// The schema cannot be read, or holds no points.
    #[error("the schema of the record cannot be used: {0}")]
    Schema(String),
    /// A field is not what a part of a point can be.
    #[error("field {0:?} of the point: {1}")]
    Field(String, String),
    /// The value does not follow its Avro schema.
    #[error("the value is not the Avro of its schema: {0}")]
    Avro(String),
    /// The value is not the Protobuf message.
    #[error("the value is not a Protobuf message of its schema: {0}")]
    Protobuf(String),
    /// The value is not an Arrow IPC stream.
    #[error("the value is not an Arrow IPC stream: {0}")]
    Arrow(String),
    /// The record holds too many points.
    #[error("the record holds {0} points, at most {1} are allowed")]
    Points(usize, usize),
    /// A point of several is at fault.
    #[error("row {0}: {1}")]
    Row(usize, Box<Rejection>),
}

impl Rejection {
    /// Every code there is.
    pub const CODES: [&str; 17] = [
        "decode.empty",
        "decode.size",
        "decode.json",
        "admit.series",
        "admit.dimension",
        "admit.not-finite",
        "admit.time",
        "admit.too-early",
        "admit.too-late",
        "decode.wire-format",
        "decode.schema-unknown",
        "decode.schema",
        "decode.field",
        "decode.avro",
        "decode.protobuf",
        "decode.arrow",
        "decode.points",
    ];

    /// The stable name of the rule that was broken.
    pub fn code(&self) -> &'static str {
        let index = match self {
            Rejection::Empty => 0,
            Rejection::Size(..) => 1,
            Rejection::Json(_) => 2,
            Rejection::Series | Rejection::Nameless | Rejection::SeriesName(..) => 3,
            Rejection::Dimension(..) => 4,
            Rejection::NotFinite(_) => 5,
            Rejection::Time => 6,
            Rejection::Early(..) => 7,
            Rejection::Late(..) => 8,
            Rejection::Wire(_) => 9,
            Rejection::SchemaUnknown(_) => 10,
            Rejection::Schema(_) => 11,
            Rejection::Field(..) => 12,
            Rejection::Avro(_) => 13,
            Rejection::Protobuf(_) => 14,
            Rejection::Arrow(_) => 15,
            Rejection::Points(..) => 16,
            Rejection::Row(_, rejection) => return rejection.code(),
        };
        Rejection::CODES[index]
    }

    /// The step at which the rule was broken: `decode` or `admit`.
    pub fn stage(&self) -> &'static str {
        self.code().split_once('.').map_or("decode", |(stage, _)| stage)
    }
}

/// Bytes of the name of a series at most: it stands in every result, and in keys of checkpoints.
const SERIES: usize = 1024;

impl Point {
    /// Checks that the point can be computed with, and fills in what the record's `key` and
    /// `timestamp` (milliseconds) know.
    ///
    /// # Errors
    /// When it has no series or one with an empty or a very long name, the wrong number of values,
    /// or a value or time that is not finite.
    pub fn admit(
        self,
        key: Option<&[u8]>,
        timestamp: Option<i64>,
        admission: &Admission,
    ) -> Result<Sample, Rejection> {
        let named = || String::from_utf8(key?.to_vec()).ok();
        let series = self.series.or_else(named).ok_or(Rejection::Series)?;
        if series.is_empty() {
            return Err(Rejection::Nameless);
        }
        if series.len() > SERIES {
            return Err(Rejection::SeriesName(series.len(), SERIES));
        }
        if self.values.len() != admission.dimension {
            return Err(Rejection::Dimension(self.values.len(), admission.dimension));
        }
        if let Some(index) = self.values.iter().position(|v| !v.is_finite()) {
            return Err(Rejection::NotFinite(index));
        }
        let time = self.time.or(timestamp.map(|t| t as f64)).filter(|t| t.is_finite());
        Ok(Sample { series, time: time.ok_or(Rejection::Time)?, values: self.values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMISSION: Admission = Admission { dimension: 2, max_bytes: 100 };

    fn read(value: &str, key: Option<&[u8]>, timestamp: Option<i64>) -> Result<Sample, Rejection> {
        let point: Point = serde_json::from_str(value).unwrap();
        point.admit(key, timestamp, &ADMISSION)
    }

    #[test]
    fn the_record_fills_in_what_the_point_leaves_out() {
        let sample = read(r#"{"values": [1, 2.5], "more": true}"#, Some(b"s"), Some(7)).unwrap();
        assert_eq!(sample, Sample { series: "s".into(), time: 7.0, values: vec![1.0, 2.5] });
        let sample =
            read(r#"{"series": "a", "time": 8.5, "values": [1, 2]}"#, Some(b"s"), Some(7)).unwrap();
        assert_eq!((sample.series.as_str(), sample.time), ("a", 8.5));
    }

    #[test]
    fn every_rule_has_its_code() {
        let code = |value: &str, key, time| read(value, key, time).unwrap_err().code();
        let (key, time) = (Some(&b"s"[..]), Some(0));
        assert_eq!(code(r#"{"values": [1, 2]}"#, None, time), "admit.series");
        assert_eq!(code(r#"{"values": [1, 2]}"#, Some(b"\xff"), time), "admit.series");
        assert_eq!(code(r#"{"values": [1, 2]}"#, Some(b""), time), "admit.series");
        assert_eq!(code(r#"{"series": "", "values": [1, 2]}"#, key, time), "admit.series");
        assert_eq!(code(r#"{"values": [1, 2]}"#, Some(&[b'a'; 1025]), time), "admit.series");
        assert!(read(r#"{"values": [1, 2]}"#, Some(&[b'a'; 1024]), time).is_ok());
        assert_eq!(code(r#"{"values": [1]}"#, key, time), "admit.dimension");
        let infinite = Point { series: None, time: None, values: vec![1.0, f32::INFINITY] };
        let rejection = infinite.admit(key, time, &ADMISSION).unwrap_err();
        assert_eq!(rejection.code(), "admit.not-finite");
        assert_eq!(code(r#"{"values": [1, 2]}"#, key, None), "admit.time");
    }
}
