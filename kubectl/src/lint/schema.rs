//! What an API server says of a value by the structural schema of its definition, in its words.
//!
//! Structural schemas are not JSON Schema: unknown fields are dropped, or refused on request; `null` is
//! the same as nothing; what has a default is never missing; lists may be maps or sets.

use super::Finding;
use super::document::{Content, Field, Node};
use crate::near::near;
use serde_json::{Map, Value};

/// The keywords that are understood; a test holds that the definitions have no others.
#[cfg(test)]
pub(super) const KEYWORDS: [&str; 21] = [
    "additionalProperties",
    "default",
    "description",
    "enum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "properties",
    "required",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    // Those are for the rules.
    "x-kubernetes-validations",
];

/// What is wrong with a value.
pub(super) fn check(schema: &Value, node: &Node, path: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    walk(schema, node, path, &mut found);
    found
}

fn walk(schema: &Value, node: &Node, path: &str, found: &mut Vec<Finding>) {
    if let Some(wrong) = wrong_type(schema, node, path) {
        return found.push(wrong);
    }
    let bad = |what: String| Finding::new(path, what);
    match &node.content {
        Content::Map(fields) => map(schema, node, fields, path, found),
        Content::List(items) => list(schema, items, path, found),
        Content::Text(text) => found.extend(text_bounds(schema, text, path)),
        Content::Number(number) => {
            found.extend(number_bounds(schema, number.as_f64().unwrap_or_default(), path));
        }
        Content::Null | Content::Bool(_) => {}
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(&node.value())) {
        let words: Vec<String> = words.iter().map(Value::to_string).collect();
        let (given, words) = (node.value(), words.join(", "));
        found.push(bad(format!("{path}: Unsupported value: {given}: supported values: {words}")));
    }
}

/// The type that JSON has for a value.
fn type_of(node: &Node) -> &'static str {
    match &node.content {
        Content::Null => "null",
        Content::Bool(_) => "boolean",
        Content::Number(number) if number.as_f64().is_some_and(|n| n.fract() == 0.0) => "integer",
        Content::Number(_) => "number",
        Content::Text(_) => "string",
        Content::List(_) => "array",
        Content::Map(_) => "object",
    }
}

fn wrong_type(schema: &Value, node: &Node, path: &str) -> Option<Finding> {
    let is = type_of(node);
    let wanted = match schema["x-kubernetes-int-or-string"].as_bool() {
        Some(true) => vec!["integer", "string"],
        _ => vec![schema["type"].as_str()?],
    };
    if wanted.contains(&is) || wanted == ["number"] && is == "integer" {
        return None;
    }
    let wanted = wanted.join(" or ");
    let what = format!("{path} in body must be of type {wanted}: \"{is}\"");
    let remedy = match (&node.content, wanted.as_str()) {
        (Content::Bool(_), "string") => {
            "put it in quotes: kubectl takes y, n, yes, no, on and off for true and false"
                .to_owned()
        }
        (Content::Number(_), "string") => "put it in quotes".to_owned(),
        (Content::Text(text), "integer" | "number") if text.parse::<f64>().is_ok() => {
            "write it without quotes".to_owned()
        }
        _ => first_sentence(schema)?,
    };
    Some(Finding::new(path, what).mended(remedy))
}

/// What a field is, from its description.
fn first_sentence(schema: &Value) -> Option<String> {
    let text = schema["description"].as_str()?;
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    Some(format!("it is: {}", text[..end].trim_end_matches('.')))
}

fn map(schema: &Value, node: &Node, fields: &[Field], path: &str, found: &mut Vec<Finding>) {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let more = &schema["additionalProperties"];
    for field in fields {
        let at = join(path, &field.name);
        match properties.get(&field.name).or_else(|| more.is_object().then_some(more)) {
            None => found.push(unknown(&field.name, properties, &at)),
            Some(_) if field.node.content == Content::Null => {}
            Some(schema) => walk(schema, &field.node, &at, found),
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let there = node.field(name).is_some_and(|field| field.node.content != Content::Null);
        let field = properties.get(name);
        if !there && field.is_none_or(|field| field.get("default").is_none()) {
            let at = join(path, name);
            let missing = Finding::new(&at, format!("{at}: Required value"));
            found.push(match field.and_then(first_sentence) {
                Some(sentence) => missing.mended(sentence),
                None => missing,
            });
        }
    }
    if let Some(most) = schema["maxProperties"].as_u64().filter(|most| fields.len() as u64 > *most)
    {
        let what = format!("{path}: Too many: {}: must have at most {most} items", fields.len());
        found.push(Finding::new(path, what));
    }
}

fn unknown(name: &str, known: &Map<String, Value>, path: &str) -> Finding {
    let finding = Finding::new(path, format!("unknown field {path:?}"));
    let names = || known.keys().map(String::as_str);
    match near(name, names()) {
        Some(near) => finding.mended(format!("did you mean {near}?")),
        None if known.is_empty() => finding.mended("remove it".into()),
        None => finding.mended(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
    }
}

fn list(schema: &Value, items: &[Node], path: &str, found: &mut Vec<Finding>) {
    let length = items.len() as u64;
    if let Some(least) = schema["minItems"].as_u64().filter(|least| length < *least) {
        let what = format!("{path} in body should have at least {least} items");
        found.push(Finding::new(path, what));
    }
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| length > *most) {
        let what = format!("{path}: Too many: {length}: must have at most {most} items");
        // What is in it is not looked at, as it may be long.
        return found.push(Finding::new(path, what));
    }
    for (index, item) in items.iter().enumerate() {
        walk(&schema["items"], item, &format!("{path}[{index}]"), found);
    }
    let identities: Vec<Value> = items.iter().map(|item| identity(schema, item)).collect();
    for (index, identity) in identities.iter().enumerate() {
        if !identity.is_null() && identities[..index].contains(identity) {
            let at = format!("{path}[{index}]");
            let what = format!("{at}: Duplicate value: {identity}");
            found.push(Finding::new(&at, what).mended("each may be there once".into()));
        }
    }
}

/// By what an item of a list differs from all others; `null` when items may be alike.
fn identity(schema: &Value, item: &Node) -> Value {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => item.value(),
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            let value = item.value();
            let pairs = keys.filter_map(|key| {
                let key = key.as_str()?;
                Some((key.to_owned(), value.get(key)?.clone()))
            });
            Value::Object(pairs.collect())
        }
        _ => Value::Null,
    }
}

fn text_bounds(schema: &Value, text: &str, path: &str) -> Option<Finding> {
    let length = text.chars().count() as u64;
    if schema["maxLength"].as_u64().is_some_and(|most| length > most) {
        let most = &schema["maxLength"];
        let what = format!("{path}: Too long: may not be more than {most} bytes");
        return Some(Finding::new(path, what));
    }
    let least = schema["minLength"].as_u64().filter(|least| length < *least)?;
    let what = format!("{path} in body should be at least {least} chars long");
    Some(Finding::new(path, what))
}

fn number_bounds(schema: &Value, number: f64, path: &str) -> Option<Finding> {
    let exclusive = schema["exclusiveMinimum"] == true;
    let below = schema["minimum"].as_f64().filter(|m| number < *m || exclusive && number == *m);
    let above = schema["maximum"].as_f64().filter(|m| number > *m);
    let format = schema["format"].as_str();
    let narrow = format == Some("int32") && !(-2_147_483_648.0..=2_147_483_647.0).contains(&number);
    let what = match (below, above) {
        (Some(least), _) if exclusive => format!("should be greater than {least}"),
        (Some(least), _) => format!("should be greater than or equal to {least}"),
        (None, Some(most)) => format!("should be less than or equal to {most}"),
        (None, None) if narrow => "must be of type int32".to_owned(),
        (None, None) => return None,
    };
    Some(Finding::new(path, format!("{path} in body {what}")))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
