use super::arrow;
use super::avro;
use super::cell::Mapping;
use super::config::{Codec, Input};
use super::json;
use super::protobuf;
use super::registry::{Client, Registered};
use super::wire::{self, Framed, SchemaId};
use super::{Admission, Point, Rejection, Sample};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

/// A header of a record: its name, and its value if it has one.
pub type Header = (String, Option<Vec<u8>>);

/// A record as it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value.
    pub value: Option<&'a [u8]>,
    /// Milliseconds since the Unix epoch.
    pub timestamp: Option<i64>,
    /// The headers, in order.
    pub headers: &'a [Header],
}

/// Why a record gave no samples.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The record is at fault, and will be whenever it is read.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Its schema cannot be had now: the same record is to be tried again.
    #[error("the schema registry gives no answer: {0}")]
    Unavailable(String),
}

/// A configuration that no decoder can be made of.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("input.{path}: {message}")]
pub struct Unusable {
    /// Where in the `input`, such as `schema_file`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl Unusable {
    pub(super) fn new(path: &str, message: impl ToString) -> Unusable {
        Unusable { path: path.into(), message: message.to_string() }
    }

    fn in_file(input: &Input, error: &dyn std::fmt::Display) -> Unusable {
        let file = input.schema_file.as_deref().unwrap_or(std::path::Path::new(""));
        Unusable::new("schema_file", format!("{}: {error}", file.display()))
    }
}

/// Reads the points of records, in two steps: decode, then admit.
///
/// It may be shared by threads.
#[derive(Debug)]
pub struct Decoder {
    input: Input,
    meaning: String,
    admission: Admission,
    mapping: Mapping,
    own: Option<Schema>,
    client: Option<Client>,
    /// Schemas are never changed under their id.
    known: RwLock<HashMap<Key, Schema>>,
    /// Schemas that the registry has just refused.
    refused: RwLock<HashMap<Key, (Instant, Rejection)>>,
}

/// A schema, and the message in it.
type Key = (SchemaId, Vec<usize>);

/// A schema that values of the codec are read with, or why it cannot be used.
#[derive(Clone, Debug)]
enum Schema {
    Avro(Arc<avro::Plan>),
    Protobuf(Arc<protobuf::Plan>),
    Unusable(Rejection),
}

impl From<Result<Schema, Rejection>> for Schema {
    fn from(schema: Result<Schema, Rejection>) -> Schema {
        schema.unwrap_or_else(Schema::Unusable)
    }
}

/// Raised when a record gives other samples than before under the same configuration.
const REVISION: u32 = 1;
/// Schemas that are remembered; beyond, all are forgotten and asked for again.
const KNOWN: usize = 4096;
/// How long the registry's refusal of a schema holds: it may be registered any moment.
const REFUSED: Duration = Duration::from_secs(10);

impl Decoder {
    /// Reads the files that `input` names.
    ///
    /// # Errors
    /// When a file cannot be read or holds no schema of points, or what [`Input::problems`] lists.
    pub fn new(input: &Input, admission: Admission) -> Result<Decoder, Unusable> {
        if let Some((path, message)) = input.problems().into_iter().next() {
            return Err(Unusable::new(path, message));
        }
        let mapping = Mapping::new(&input.fields);
        let text = schema_text(input)?;
        let needs_registry =
            matches!(input.codec, Codec::Avro | Codec::Protobuf) && input.schema_file.is_none();
        let registry = input.registry.as_ref().filter(|_| needs_registry);
        Ok(Decoder {
            meaning: meaning(input, text.as_deref()),
            own: text.map(|text| own(input, &text, &mapping)).transpose()?,
            client: registry.map(Client::new).transpose()?,
            input: input.clone(),
            admission,
            mapping,
            known: RwLock::default(),
            refused: RwLock::default(),
        })
    }

    /// The samples of a record, in order: one, or for Arrow one for each row. One point that is
    /// not admitted rejects the whole record. Waits for the registry when a schema is seen for the
    /// first time, and never otherwise.
    ///
    /// # Errors
    /// Tells whether the record is at fault, or the registry.
    pub fn decode(&self, record: &Incoming<'_>) -> Result<Vec<Sample>, Failure> {
        self.decode_asking(record, self.client.as_ref())
    }

    /// As [`decode`](Decoder::decode), without ever asking the registry: with what it said before,
    /// and a refusal less than 10 s ago.
    ///
    /// # Errors
    /// As `decode`; a record whose schema is to be asked for is
    /// [`Unavailable`](Failure::Unavailable).
    pub fn decode_known(&self, record: &Incoming<'_>) -> Result<Vec<Sample>, Failure> {
        self.decode_asking(record, None)
    }

    /// What the samples of records depend on besides the records, as text: the configuration, the
    /// schema file, and the rules of this version. Where a registry is does not count, since its
    /// schemas are never changed under their id.
    pub fn meaning(&self) -> &str {
        &self.meaning
    }

    fn decode_asking(
        &self,
        record: &Incoming<'_>,
        client: Option<&Client>,
    ) -> Result<Vec<Sample>, Failure> {
        let value = record.value.ok_or(Rejection::Empty)?;
        if value.len() > self.admission.max_bytes {
            return Err(Rejection::Size(value.len(), self.admission.max_bytes).into());
        }
        let points = self.points(value, record.headers, client)?;
        let several = points.len() > 1;
        let admit = |(row, point): (usize, Point)| {
            let sample = self.admit(point, record);
            sample.map_err(|r| if several { Rejection::Row(row, Box::new(r)) } else { r })
        };
        Ok(points.into_iter().enumerate().map(admit).collect::<Result<_, _>>()?)
    }

    fn points(
        &self,
        value: &[u8],
        headers: &[Header],
        client: Option<&Client>,
    ) -> Result<Vec<Point>, Failure> {
        let protobuf = self.input.codec == Codec::Protobuf;
        let framed = match self.input.is_framed() {
            true => Some(wire::unframe(value, headers, protobuf)?),
            false => None,
        };
        let payload = framed.as_ref().map_or(value, |f| f.payload);
        let point = match self.input.codec {
            Codec::Json => json::decode(payload, &self.input.fields, &self.mapping),
            Codec::ArrowIpc => {
                return Ok(arrow::decode(payload, &self.mapping, self.input.max_points())?);
            }
            Codec::Avro | Codec::Protobuf => match self.schema(framed, client)? {
                Schema::Avro(plan) => plan.decode(payload, &self.mapping),
                Schema::Protobuf(plan) => plan.decode(payload, &self.mapping),
                Schema::Unusable(rejection) => Err(rejection),
            },
        };
        Ok(vec![point?])
    }

    fn schema(
        &self,
        framed: Option<Framed<'_>>,
        client: Option<&Client>,
    ) -> Result<Schema, Failure> {
        if let Some(schema) = &self.own {
            return Ok(schema.clone());
        }
        let Some(framed) = framed else {
            return Err(Rejection::Wire("it carries no schema id".into()).into());
        };
        let key = (framed.id, framed.message);
        if let Some(schema) = read(&self.known).get(&key) {
            return Ok(schema.clone());
        }
        let Some(client) = client else { return Err(self.unasked(&key)) };
        match client.schema(key.0) {
            Ok(registered) => {
                let schema: Schema = self.compile(&registered, &key.1).into();
                remember(&self.known, key, schema.clone());
                Ok(schema)
            }
            Err(Failure::Rejected(rejection)) => {
                remember(&self.refused, key, (Instant::now(), rejection.clone()));
                Err(rejection.into())
            }
            Err(unavailable) => Err(unavailable),
        }
    }

    /// Why a schema that is not known cannot be had without asking.
    fn unasked(&self, key: &Key) -> Failure {
        match read(&self.refused).get(key) {
            Some((at, rejection)) if at.elapsed() < REFUSED => rejection.clone().into(),
            _ => Failure::Unavailable(format!("schema {} is to be asked for", key.0)),
        }
    }

    fn compile(&self, registered: &Registered, message: &[usize]) -> Result<Schema, Rejection> {
        let (kind, texts) = (registered.kind.as_str(), registered.texts());
        match (self.input.codec, kind) {
            (Codec::Avro, "AVRO") => {
                Ok(Schema::Avro(Arc::new(avro::Plan::new(&texts, &self.mapping)?)))
            }
            (Codec::Protobuf, "PROTOBUF") => {
                let message = protobuf::Which::Index(message);
                let plan = protobuf::Plan::new(&registered.files, message, &self.mapping)?;
                Ok(Schema::Protobuf(Arc::new(plan)))
            }
            _ => Err(Rejection::Schema(format!("the registry says that it is of type {kind}"))),
        }
    }

    fn admit(&self, point: Point, record: &Incoming<'_>) -> Result<Sample, Rejection> {
        let sample = point.admit(record.key, record.timestamp, &self.admission)?;
        let bounds = &self.input.time;
        let behind = record.timestamp.zip(bounds.max_behind_ms);
        let earliest = behind.map(|(t, by)| t.saturating_sub_unsigned(by)).max(bounds.earliest_ms);
        if let Some(earliest) = earliest.filter(|&e| sample.time < e as f64) {
            return Err(Rejection::Early(sample.time, earliest));
        }
        let ahead = record.timestamp.zip(bounds.max_ahead_ms);
        let latest = ahead.map(|(t, by)| t.saturating_add_unsigned(by));
        match latest.filter(|&l| sample.time > l as f64) {
            Some(latest) => Err(Rejection::Late(sample.time, latest)),
            None => Ok(sample),
        }
    }
}

fn read<T>(map: &RwLock<HashMap<Key, T>>) -> RwLockReadGuard<'_, HashMap<Key, T>> {
    map.read().unwrap_or_else(PoisonError::into_inner)
}

fn remember<T>(map: &RwLock<HashMap<Key, T>>, key: Key, value: T) {
    let mut map = map.write().unwrap_or_else(PoisonError::into_inner);
    if map.len() >= KNOWN {
        map.clear();
    }
    map.insert(key, value);
}

/// The text of the file that holds the schema of the values, if they need one.
fn schema_text(input: &Input) -> Result<Option<String>, Unusable> {
    let (Some(file), Codec::Avro | Codec::Protobuf) = (&input.schema_file, input.codec) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(file);
    text.map(Some).map_err(|e| Unusable::in_file(input, &e))
}

/// The schema of `schema_file`.
fn own(input: &Input, text: &str, mapping: &Mapping) -> Result<Schema, Unusable> {
    let schema = if input.codec == Codec::Avro {
        avro::Plan::new(&[text], mapping).map(|plan| Schema::Avro(Arc::new(plan)))
    } else {
        let message = input.message.as_deref();
        let which = message.map_or(protobuf::Which::Index(&[0]), protobuf::Which::Name);
        let files = vec![(protobuf::ROOT.to_owned(), text.to_owned())];
        protobuf::Plan::new(&files, which, mapping).map(|plan| Schema::Protobuf(Arc::new(plan)))
    };
    schema.map_err(|e| Unusable::in_file(input, &e))
}

fn meaning(input: &Input, schema: Option<&str>) -> String {
    let Input { codec, fields, message, time, .. } = input;
    let how =
        (REVISION, codec, input.is_framed(), fields, message, input.max_points(), time, schema);
    serde_json::to_string(&how).expect("a configuration has string keys only")
}
