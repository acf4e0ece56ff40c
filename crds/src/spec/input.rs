use super::{FileSource, SecretSource};
use crate::schema::{rule, rule_at};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the records of the input topic are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "!(self.codec in ['Avro', 'Protobuf']) || has(self.schema) != has(self.registry)",
        "Avro and Protobuf need a schema: name either schema, a key of a ConfigMap, or registry",
    ),
    rule_at(
        "schema",
        "self.codec in ['Avro', 'Protobuf'] || !has(self.schema)",
        "only Avro and Protobuf have a schema of their own: remove schema, or choose that codec",
    ),
    rule_at(
        "framing",
        "!(self.codec in ['Avro', 'Protobuf']) || !has(self.registry) || !has(self.framing) || \
         self.framing == 'Confluent'",
        "with a registry, the records of Avro and Protobuf carry schema ids: remove framing, or set \
         it to Confluent",
    ),
    rule(
        "self.codec != 'ArrowIpc' || (!has(self.registry) && (!has(self.framing) || self.framing \
         == 'None'))",
        "Arrow IPC carries its schema itself: remove registry and framing",
    ),
    rule_at(
        "message",
        "!has(self.message) || (self.codec == 'Protobuf' && has(self.schema))",
        "message names a message of a Protobuf schema: remove it, or set codec: Protobuf and schema",
    ),
]))]
pub struct Input {
    /// The encoding of the values. It is never guessed: a value that does not follow it is a dead
    /// letter. Default: Json.
    pub codec: Codec,
    /// What stands around a value. Default: Confluent with a registry, None without.
    pub framing: Option<Framing>,
    /// Where series, time and values are found.
    pub fields: Fields,
    /// The schema registry. Default: none.
    pub registry: Option<Registry>,
    /// The schema of Avro (JSON, `.avsc`) or Protobuf (source, `.proto`) where there is no registry.
    /// Default: none.
    pub schema: Option<FileSource>,
    /// The full name of the message in a Protobuf schema. Default: the first of the schema.
    #[schemars(length(min = 1, max = 512))]
    pub message: Option<String>,
    /// Points in the largest record, from 1 to 1000000. Default: 4096.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_points: i32,
    /// Which times are admitted. Default: all that are finite.
    pub time: TimeBounds,
}

/// An encoding of points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Codec {
    /// One JSON object, which holds one point.
    #[default]
    Json,
    /// One Avro datum in binary encoding, which holds one point.
    Avro,
    /// One Protobuf message, which holds one point.
    Protobuf,
    /// One Arrow IPC stream, uncompressed, which holds a point in every row.
    ArrowIpc,
}

/// What stands around a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Framing {
    /// Nothing.
    None,
    /// The wire format of Confluent: the schema's id before the value, or in the header
    /// `__value_schema_id`.
    Confluent,
}

/// Where a point's parts are found: names of fields, or paths such as `reading.at`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Fields {
    /// The series: text, or an integer. Default: `series` if there is such a field; else, and where
    /// it is null, the record's key.
    #[schemars(length(min = 1, max = 256))]
    pub series: Option<String>,
    /// The time. Default: `time` if there is such a field; else, and where it is null, the record's
    /// timestamp.
    #[schemars(length(min = 1, max = 256))]
    pub time: Option<String>,
    /// What the time counts, where its type does not say. Default: Milliseconds.
    pub time_unit: TimeUnit,
    /// The numbers. Default: `{list: values}`.
    pub values: Values,
}

/// Where the numbers of a point are found: one of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [rule(
    "has(self.list) != has(self.each)",
    "name either list, one field that holds all numbers, or each, a field for every number",
)]))]
pub struct Values {
    /// The one field that is a list of all numbers of a point.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub list: Option<String>,
    /// The fields that are one number each, from 1 to 1024, in the order of the channels.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1024), inner(length(min = 1, max = 256)))]
    pub each: Option<Vec<String>>,
}

impl Default for Values {
    fn default() -> Values {
        Values { list: Some("values".into()), each: None }
    }
}

/// What a time counts, from the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TimeUnit {
    /// Whole or fractional seconds.
    Seconds,
    /// Thousandths of a second.
    #[default]
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
    /// Thousand-millionths of a second.
    Nanoseconds,
    /// It is text such as `2026-11-24T06:00:00.25Z`.
    Rfc3339,
}

/// Which times are admitted. Nothing here depends on when a record is read, so that a record is
/// admitted or rejected for ever.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TimeBounds {
    /// The earliest time, in milliseconds since the Unix epoch. Default: none.
    pub earliest_milliseconds: Option<i64>,
    /// How far a time may be before the record's timestamp, in milliseconds. Default: any.
    #[schemars(range(min = 0))]
    pub max_behind_milliseconds: Option<i64>,
    /// How far a time may be after the record's timestamp, in milliseconds. Default: any.
    #[schemars(range(min = 0))]
    pub max_ahead_milliseconds: Option<i64>,
}

/// A schema registry that speaks the HTTP API of Confluent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "has(self.username) == has(self.password)",
        "to sign in to the registry, name both username and password, or none",
    ),
    rule_at(
        "url",
        "self.url.startsWith('http://') || self.url.startsWith('https://')",
        "the address of a registry begins with http:// or https://, such as \
         https://registry.example:8081",
    ),
]))]
pub struct Registry {
    /// Such as `https://registry.example:8081`.
    #[schemars(length(min = 1, max = 2048))]
    pub url: String,
    /// Certificates in PEM that the registry's is checked with. Default: those of the image.
    #[serde(default)]
    pub ca: Option<FileSource>,
    /// The name to sign in with. Default: none.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub username: Option<String>,
    /// The password to sign in with. Default: none.
    #[serde(default)]
    pub password: Option<SecretSource>,
    /// How long one request may take, in milliseconds, up to a minute. Default: 5000.
    #[serde(default = "five_seconds")]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_milliseconds: i32,
}

impl Default for Input {
    fn default() -> Input {
        Input {
            codec: Codec::Json,
            framing: None,
            fields: Fields::default(),
            registry: None,
            schema: None,
            message: None,
            max_points: 4096,
            time: TimeBounds::default(),
        }
    }
}

fn five_seconds() -> i32 {
    5000
}
