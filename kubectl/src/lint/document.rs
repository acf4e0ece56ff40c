//! Documents of YAML or JSON whose every part knows its line.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::fmt;

/// A part of a document, and the line that it begins on, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: u64,
    pub(crate) content: Content,
}

/// What stands there, as `kubectl` reads it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Field>),
}

/// A field of a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The line of its name.
    pub(crate) line: u64,
    pub(crate) node: Node,
}

/// The documents of a text.
///
/// # Errors
/// When it cannot be read: the line, and what is wrong there.
pub(crate) fn documents(text: &str) -> Result<Vec<Node>, (u64, String)> {
    serde_saphyr::from_multiple(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let said = error.without_snippet().to_string();
        (line, said.lines().next().unwrap_or_default().to_owned())
    })
}

impl Node {
    /// A field of a map.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        match &self.content {
            Content::Map(fields) => fields.iter().find(|field| field.name == name),
            _ => None,
        }
    }

    /// A text in a map.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match &self.field(name)?.node.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As the API server takes it: it drops fields that are `null`.
    pub(crate) fn value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(bool) => Value::Bool(*bool),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Node::value).collect(),
            Content::Map(fields) => {
                let there = fields.iter().filter(|field| field.node.content != Content::Null);
                let there = there.map(|field| (field.name.clone(), field.node.value()));
                Value::Object(there.collect::<Map<_, _>>())
            }
        }
    }

    /// The line of what is at a path such as `spec.scales[0].hop`, or of as much of it as is there.
    pub(crate) fn line_of(&self, path: &str) -> u64 {
        self.line_within(path.trim_start_matches('.')).unwrap_or(self.line)
    }

    fn line_within(&self, path: &str) -> Option<u64> {
        let path = path.strip_prefix('.').unwrap_or(path);
        match &self.content {
            Content::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                item.line_within(rest).or(Some(item.line))
            }
            Content::Map(fields) => {
                // Names may hold dots.
                let ends = |rest: &&str| rest.is_empty() || rest.starts_with(['.', '[']);
                let fitting = fields.iter().filter_map(|field| {
                    Some((field, path.strip_prefix(&field.name).filter(ends)?))
                });
                let (field, rest) = fitting.max_by_key(|(field, _)| field.name.len())?;
                field.node.line_within(rest).or(Some(field.line))
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Node { line: spanned.referenced.line(), content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Content, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of YAML")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Content, E> {
        Ok(Content::Bool(bool))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content, E> {
        Ok(Content::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content, E> {
        Ok(Content::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Content, E> {
        let finite = Number::from_f64(number);
        finite
            .map(Content::Number)
            .ok_or_else(|| E::custom("JSON has no number that is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, node)) = map.next_entry::<Spanned<String>, Node>()? {
            fields.push(Field { name: name.value, line: name.referenced.line(), node });
        }
        Ok(Content::Map(fields))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = "\
a: 1
b:
  - c: y
    'd.e': [1.5, ~]
  - {f: text, g: null}
---
{\"h\":
  true}
";

    #[test]
    fn values_are_those_of_kubectl_and_know_their_lines() {
        let documents = documents(TEXT).unwrap();
        let first = json!({"a": 1, "b": [{"c": true, "d.e": [1.5, null]}, {"f": "text"}]});
        assert_eq!(documents[0].value(), first);
        assert_eq!(documents[1].value(), json!({"h": true}));
        for (path, line) in [
            ("a", 1),
            ("b", 2),
            ("b[0].c", 3),
            (".b[0].d.e[0]", 4),
            ("b[1].x", 5),
            ("b[7]", 2),
            ("z", 1),
        ] {
            assert_eq!(documents[0].line_of(path), line, "{path}");
        }
        assert_eq!(documents[1].line_of("h"), 7);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let (line, said) = documents("a: 1\nb: [1\nc: 2\n").unwrap_err();
        assert!(line >= 2, "{line}: {said}");
        let (line, said) = documents("a: 1\na: 2\n").unwrap_err();
        assert_eq!(line, 2, "{said}");
    }
}
