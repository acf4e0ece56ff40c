use crate::schema::config::TimeUnit;
use serde_json::Value;
use std::collections::HashMap;

/// The types of a schema, by number.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) nodes: Vec<Node>,
    names: HashMap<String, usize>,
}

#[derive(Debug)]
pub(super) enum Node {
    Null,
    Boolean,
    /// An int or a long, and the unit of its logical type.
    Long(Option<TimeUnit>),
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(Vec<String>),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Record(Vec<(String, usize)>),
}

/// Types within types at most.
const DEPTH: usize = 64;
/// Types in a schema at most.
const NODES: usize = 1 << 14;

impl Schema {
    /// Reads the schemas in order; the last one is the root.
    pub(super) fn parse(texts: &[&str]) -> Result<(Schema, usize), String> {
        let mut schema = Schema::default();
        let mut root = 0;
        for text in texts {
            let document: Value = match serde_json::from_str(text) {
                Ok(document) => document,
                // A primitive schema may be bare text.
                Err(_) if text.bytes().all(|b| b.is_ascii_alphabetic()) => (*text).into(),
                Err(error) => return Err(format!("it is not JSON: {error}")),
            };
            root = schema.add(&document, "", DEPTH)?;
        }
        Ok((schema, root))
    }

    fn push(&mut self, node: Node) -> Result<usize, String> {
        if self.nodes.len() >= NODES {
            return Err(format!("it has more than {NODES} types"));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn add(&mut self, value: &Value, space: &str, depth: usize) -> Result<usize, String> {
        let depth = depth.checked_sub(1).ok_or("its types are nested too deep")?;
        match value {
            Value::String(name) => self.named(name, None, space),
            Value::Array(branches) => {
                let branches = branches.iter().map(|b| self.add(b, space, depth));
                let branches = branches.collect::<Result<_, _>>()?;
                self.push(Node::Union(branches))
            }
            Value::Object(_) => self.complex(value, space, depth),
            other => Err(format!("{other} is not a type")),
        }
    }

    fn named(&mut self, name: &str, logical: Option<&str>, space: &str) -> Result<usize, String> {
        let node = match name {
            "null" => Node::Null,
            "boolean" => Node::Boolean,
            "int" | "long" => Node::Long(unit(logical)),
            "float" => Node::Float,
            "double" => Node::Double,
            "bytes" => Node::Bytes,
            "string" => Node::Text,
            other => {
                let known = self.names.get(&full(other, space)).or(self.names.get(other));
                return known.copied().ok_or(format!("type {other:?} is not defined"));
            }
        };
        self.push(node)
    }

    fn complex(&mut self, value: &Value, space: &str, depth: usize) -> Result<usize, String> {
        let kind = match &value["type"] {
            Value::String(kind) => kind.as_str(),
            inner => return self.add(inner, space, depth),
        };
        match kind {
            "array" => {
                let items = self.add(&value["items"], space, depth)?;
                self.push(Node::Array(items))
            }
            "map" => {
                let values = self.add(&value["values"], space, depth)?;
                self.push(Node::Map(values))
            }
            "record" | "error" => self.record(value, space, depth),
            "enum" => {
                let symbols = list(value, "symbols")?.iter();
                let symbols = symbols.map(|s| s.as_str().unwrap_or_default().to_owned()).collect();
                self.define(value, space, Node::Enum(symbols)).map(|(node, _)| node)
            }
            "fixed" => {
                let size = value["size"].as_u64().and_then(|n| usize::try_from(n).ok());
                let size = size.ok_or("a fixed type has no size")?;
                self.define(value, space, Node::Fixed(size)).map(|(node, _)| node)
            }
            other => self.named(other, value["logicalType"].as_str(), space),
        }
    }

    fn record(&mut self, value: &Value, space: &str, depth: usize) -> Result<usize, String> {
        let (node, space) = self.define(value, space, Node::Record(Vec::new()))?;
        let field = |field: &Value| {
            let name = field["name"].as_str().ok_or("a field has no name")?;
            Ok((name.to_owned(), self.add(&field["type"], &space, depth)?))
        };
        let fields = list(value, "fields")?.iter().map(field).collect::<Result<_, String>>()?;
        self.nodes[node] = Node::Record(fields);
        Ok(node)
    }

    /// Gives a node its name, and tells the namespace within it.
    fn define(
        &mut self,
        value: &Value,
        space: &str,
        node: Node,
    ) -> Result<(usize, String), String> {
        let name = value["name"].as_str().ok_or("a named type has no name")?;
        let full = full(name, value["namespace"].as_str().unwrap_or(space));
        let space = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        let node = self.push(node)?;
        match self.names.insert(full, node) {
            Some(_) => Err(format!("type {name:?} is defined twice")),
            None => Ok((node, space)),
        }
    }
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, String> {
    value[key].as_array().ok_or_else(|| format!("a type has no {key}"))
}

fn full(name: &str, space: &str) -> String {
    if space.is_empty() || name.contains('.') { name.into() } else { format!("{space}.{name}") }
}

fn unit(logical: Option<&str>) -> Option<TimeUnit> {
    match logical? {
        "timestamp-millis" | "local-timestamp-millis" => Some(TimeUnit::Ms),
        "timestamp-micros" | "local-timestamp-micros" => Some(TimeUnit::Us),
        "timestamp-nanos" | "local-timestamp-nanos" => Some(TimeUnit::Ns),
        _ => None,
    }
}
