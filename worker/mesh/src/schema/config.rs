use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the records of the input topic are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// The encoding of the values. It is never guessed: a value that does not follow it is
    /// rejected. Default: json.
    pub codec: Codec,
    /// Whether a schema id stands before the value, or in a header. Default: confluent with a
    /// registry, none without.
    pub framing: Option<Framing>,
    /// Where series, time and values are found.
    pub fields: Fields,
    /// The schema registry. Default: none.
    pub registry: Option<Registry>,
    /// The schema, for avro and protobuf without a registry: a file of Avro's JSON (`.avsc`), or
    /// Protobuf source (`.proto`).
    pub schema_file: Option<PathBuf>,
    /// The full name of the message in a Protobuf `schema_file`. Default: the first of the file.
    pub message: Option<String>,
    /// Points in the largest record. Default: 4096.
    pub max_points: Option<usize>,
    /// Which times are admitted. Default: all that are finite.
    pub time: TimeBounds,
}

/// An encoding of points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
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
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Nothing.
    None,
    /// The wire format of Confluent: the schema's id before the value, or in the header
    /// `__value_schema_id`.
    Confluent,
}

/// Where a point's parts are found: names of fields, or paths such as `reading.at`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// The series: text, or an integer. Default: `series` if there is such a field; else, and where
    /// it is null, the record's key.
    pub series: Option<String>,
    /// The time. Default: `time` if there is such a field; else, and where it is null, the record's
    /// timestamp.
    pub time: Option<String>,
    /// What the time counts, where its type does not say. Default: ms.
    pub time_unit: TimeUnit,
    /// The numbers: one field that is a list, or a list of fields that are numbers. Default:
    /// `values`.
    pub values: Values,
}

/// Where the numbers of a point are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    /// In one field that is a list.
    List(String),
    /// Each in a field of its own.
    Each(Vec<String>),
}

impl Default for Values {
    fn default() -> Values {
        Values::List("values".into())
    }
}

/// What a time counts, from the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    #[default]
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
    /// It is text such as `2026-11-24T06:00:00.25Z`.
    Rfc3339,
}

/// Which times are admitted. Nothing here depends on when a record is read, so that a record is
/// admitted or rejected for ever.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeBounds {
    /// The earliest time, milliseconds since the Unix epoch. Default: none.
    pub earliest_ms: Option<i64>,
    /// How far a time may be before the record's timestamp, milliseconds. Default: any.
    pub max_behind_ms: Option<u64>,
    /// How far a time may be after the record's timestamp, milliseconds. Default: any.
    pub max_ahead_ms: Option<u64>,
}

/// A schema registry that speaks the HTTP API of Confluent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Such as `https://registry.example:8081`.
    pub url: String,
    /// Certificates in PEM that the registry's is checked with. Default: those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The name to sign in with. Default: none.
    #[serde(default)]
    pub username: Option<String>,
    /// A file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// How long one request may take. Default: 5000.
    #[serde(default = "Registry::timeout")]
    pub timeout_ms: u64,
}

impl Registry {
    fn timeout() -> u64 {
        5000
    }
}

impl Input {
    /// Points in the largest record.
    pub fn max_points(&self) -> usize {
        self.max_points.unwrap_or(4096)
    }

    /// Whether a schema id stands before the values.
    pub fn is_framed(&self) -> bool {
        let framing = self.registry.as_ref().map(|_| Framing::Confluent);
        self.framing.or(framing) == Some(Framing::Confluent)
    }

    /// What does not fit together: where, and what is wrong.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut say = |path, message: &str| found.push((path, message.to_owned()));
        let needs_schema = matches!(self.codec, Codec::Avro | Codec::Protobuf);
        if needs_schema && self.registry.is_none() && self.schema_file.is_none() {
            say("schema_file", "avro and protobuf need this, or a registry");
        }
        if needs_schema && self.registry.is_some() && self.schema_file.is_some() {
            say("schema_file", "the registry has the schemas; remove one of the two");
        }
        if needs_schema && self.registry.is_some() && !self.is_framed() {
            say("framing", "with a registry, the records of avro and protobuf carry schema ids");
        }
        if self.codec == Codec::ArrowIpc && self.is_framed() {
            say("framing", "Arrow IPC carries its schema itself: name no registry");
        }
        if self.max_points == Some(0) {
            say("max_points", "it must be at least 1");
        }
        if self.fields.values == Values::Each(Vec::new()) {
            say("fields.values", "name at least one field");
        }
        if let Some(registry) = &self.registry
            && registry.username.is_some() != registry.password_file.is_some()
        {
            say("registry.password_file", "name both username and password_file, or none");
        }
        found
    }
}
