use super::cell::{Cell, Mapping, Path};
use super::config::TimeUnit;
use super::{Point, Rejection};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage, Value};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// The name of the file that the messages of a topic are in.
pub(super) const ROOT: &str = "streaming-tda-root.proto";

/// Which message of the file is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    /// An index at each level of nesting.
    Index(&'a [usize]),
    /// By its full name.
    Name(&'a str),
}

/// How to find a point's fields in a message.
#[derive(Debug)]
pub(super) struct Plan {
    message: MessageDescriptor,
}

/// Protobuf source by the name of its file..
struct Sources(Vec<(String, String)>);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let source = self.0.iter().find(|(file, _)| file == name);
        let (_, source) = source.ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, source)
    }
}

impl Plan {
    /// The plan for a message of the file [`ROOT`] in `files`, which may import the others.
    pub(super) fn new(
        files: &[(String, String)],
        which: Which<'_>,
        mapping: &Mapping,
    ) -> Result<Plan, Rejection> {
        let pool = compile(files).map_err(|e| Rejection::Schema(e.to_string()))?;
        let message = match which {
            Which::Name(name) => pool.get_message_by_name(name),
            Which::Index(indexes) => by_index(&pool, indexes),
        };
        let message = message
            .ok_or_else(|| Rejection::Schema(format!("it has no message {}", which.name())))?;
        let lacks = |path: &&Path| !path.optional && !has(&message, &path.steps);
        match mapping.paths.iter().find(lacks) {
            Some(path) => Err(path.missing()),
            None => Ok(Plan { message }),
        }
    }

    /// The point in a message.
    pub(super) fn decode(&self, value: &[u8], mapping: &Mapping) -> Result<Point, Rejection> {
        let message = DynamicMessage::decode(self.message.clone(), value)
            .map_err(|e| Rejection::Protobuf(e.to_string()))?;
        mapping.point(mapping.paths.iter().map(|path| cell(&message, &path.steps)).collect())
    }
}

impl Which<'_> {
    fn name(&self) -> String {
        match self {
            Which::Index(indexes) => format!("{indexes:?}"),
            Which::Name(name) => (*name).into(),
        }
    }
}

fn compile(files: &[(String, String)]) -> Result<DescriptorPool, protox::Error> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Sources(files.to_vec()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file(ROOT)?;
    Ok(compiler.descriptor_pool())
}

fn by_index(pool: &DescriptorPool, indexes: &[usize]) -> Option<MessageDescriptor> {
    let (&first, nested) = indexes.split_first()?;
    let message = pool.get_file_by_name(ROOT)?.messages().nth(first)?;
    nested.iter().try_fold(message, |message, &index| message.child_messages().nth(index))
}

fn has(message: &MessageDescriptor, steps: &[String]) -> bool {
    let Some((first, rest)) = steps.split_first() else { return true };
    message.get_field_by_name(first).is_some_and(|field| {
        rest.is_empty() || field.kind().as_message().is_some_and(|inner| has(inner, rest))
    })
}

fn cell(message: &DynamicMessage, steps: &[String]) -> Cell {
    let Some((first, rest)) = steps.split_first() else { return Cell::Null };
    let Some(field) = message.descriptor().get_field_by_name(first) else { return Cell::Null };
    // A number that is not written is 0, unless its presence is told.
    let absent = !message.has_field(&field);
    if absent && (field.supports_presence() || !field.is_list()) {
        let is_number =
            !field.supports_presence() && !matches!(field.kind(), prost_reflect::Kind::String);
        return if is_number { plain(&message.get_field(&field)) } else { Cell::Null };
    }
    match (&*message.get_field(&field), rest.is_empty()) {
        (Value::Message(inner), false) => cell(inner, rest),
        (_, false) => Cell::Null,
        (Value::EnumNumber(number), true) => {
            let kind = field.kind();
            let name = kind.as_enum().and_then(|e| e.get_value(*number)).map(|v| v.name().into());
            name.map_or(Cell::Integer((*number).into()), Cell::Text)
        }
        (value, true) => plain(value),
    }
}

fn plain(value: &Value) -> Cell {
    match value {
        Value::I32(number) => Cell::Integer((*number).into()),
        Value::I64(number) => Cell::Integer((*number).into()),
        Value::U32(number) => Cell::Integer((*number).into()),
        Value::U64(number) => Cell::Integer((*number).into()),
        Value::F32(number) => Cell::Float((*number).into()),
        Value::F64(number) => Cell::Float(*number),
        Value::String(text) => Cell::Text(text.clone()),
        Value::List(items) => {
            let numbers = items.iter().map(number).collect::<Option<Vec<f32>>>();
            numbers.map_or(Cell::Other("a list of others"), Cell::Numbers)
        }
        Value::Message(message) => timestamp(message).unwrap_or(Cell::Other("a message")),
        Value::Bool(_) => Cell::Other("true or false"),
        Value::Bytes(_) => Cell::Other("bytes"),
        Value::EnumNumber(number) => Cell::Integer((*number).into()),
        Value::Map(_) => Cell::Other("a map"),
    }
}

fn number(value: &Value) -> Option<f32> {
    match value {
        Value::F32(number) => Some(*number),
        Value::F64(number) => Some(*number as f32),
        Value::I32(number) => Some(*number as f32),
        Value::I64(number) => Some(*number as f32),
        Value::U32(number) => Some(*number as f32),
        Value::U64(number) => Some(*number as f32),
        _ => None,
    }
}

/// A `google.protobuf.Timestamp`.
fn timestamp(message: &DynamicMessage) -> Option<Cell> {
    if message.descriptor().full_name() != "google.protobuf.Timestamp" {
        return None;
    }
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    let count = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Some(Cell::Instant(count, TimeUnit::Ns))
}
