//! Compares a document with a JSON Schema made by schemars, and lists all differences at once,
//! where a deserializer stops at the first one.
//!
//! Only what schemars writes for plain structs and enums is understood; a general validator would
//! bring some seventy crates.

use super::Problem;
use serde_json::{Map, Value};
use std::net::SocketAddr;

/// All differences of `document` from `schema`.
pub(super) fn differences(schema: &Value, document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    Schema { root: schema }.check(schema, document, "", &mut problems);
    problems
}

struct Schema<'a> {
    root: &'a Value,
}

impl<'a> Schema<'a> {
    fn check(&self, schema: &'a Value, value: &Value, path: &str, problems: &mut Vec<Problem>) {
        let schema = self.resolve(schema);
        if let Some(branches) = branches(schema) {
            return self.check_any(branches, value, path, problems);
        }
        let mut say = |message: String| problems.push(Problem { path: path.into(), message });
        if !types(schema).is_empty() && !types(schema).iter().any(|t| is_of(t, value)) {
            return say(format!("expected {}, found {}", self.name(schema), brief(value)));
        }
        let words = words(schema);
        if !words.is_empty() && !words.contains(&value) {
            return say(format!("expected {}, found {}", self.name(schema), brief(value)));
        }
        if let (Some(least), Some(found)) = (schema["minimum"].as_f64(), value.as_f64())
            && found < least
        {
            return say(format!("it is {found}: it must be at least {least}"));
        }
        if schema["format"] == "host:port" && !is_address(value) {
            return say(format!(
                "expected an IP address and a port, such as 0.0.0.0:9464, found {}",
                brief(value)
            ));
        }
        match value {
            Value::Object(fields) => self.check_fields(schema, fields, path, problems),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check(&schema["items"], item, &format!("{path}[{index}]"), problems);
                }
            }
            _ => {}
        }
    }

    /// One branch has to fit. Of several that do not, the one of the same type tells why.
    fn check_any(
        &self,
        branches: &'a [Value],
        value: &Value,
        path: &str,
        problems: &mut Vec<Problem>,
    ) {
        let tried = branches.iter().map(|branch| {
            let mut found = Vec::new();
            self.check(branch, value, path, &mut found);
            (branch, found)
        });
        let tried: Vec<_> = tried.collect();
        if tried.iter().any(|(_, found)| found.is_empty()) {
            return;
        }
        let inside = tried.into_iter().find(|(_, found)| found.iter().any(|p| p.path != path));
        match inside {
            Some((_, found)) => problems.extend(found),
            None => {
                let names: Vec<String> = branches.iter().map(|b| self.name(b)).collect();
                let message = format!("expected {}, found {}", names.join(" or "), brief(value));
                problems.push(Problem { path: path.into(), message });
            }
        }
    }

    fn check_fields(
        &self,
        schema: &'a Value,
        fields: &Map<String, Value>,
        path: &str,
        problems: &mut Vec<Problem>,
    ) {
        let at =
            |field: &str| if path.is_empty() { field.into() } else { format!("{path}.{field}") };
        let nothing = Map::new();
        let known = schema["properties"].as_object().unwrap_or(&nothing);
        for (name, value) in fields {
            match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(field), _) => self.check(field, value, &at(name), problems),
                (None, Value::Bool(false)) => {
                    let names: Vec<&str> = known.keys().map(String::as_str).collect();
                    let message = format!("there is no such field, only {}", names.join(", "));
                    problems.push(Problem { path: at(name), message });
                }
                (None, others) => self.check(others, value, &at(name), problems),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str).filter(|n| !fields.contains_key(*n)) {
            let expected = self.name(&known[name]);
            let message = format!("it is missing; expected {expected}");
            problems.push(Problem { path: at(name), message });
        }
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let target = schema["$ref"].as_str().and_then(|r| r.strip_prefix('#'));
        target.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }

    /// What is expected, in words.
    fn name(&self, schema: &'a Value) -> String {
        let schema = self.resolve(schema);
        if let Some(branches) = branches(schema) {
            let names: Vec<String> = branches.iter().map(|b| self.name(b)).collect();
            return names.join(" or ");
        }
        let words = words(schema);
        if !words.is_empty() {
            let words: Vec<String> = words.iter().map(|w| brief(w)).collect();
            return words.join(" or ");
        }
        let names = types(schema).into_iter().map(|t| match t {
            "integer" => "a whole number".to_owned(),
            "number" => "a number".to_owned(),
            "string" => "text".to_owned(),
            "boolean" => "true or false".to_owned(),
            "array" => "a list".to_owned(),
            "object" => match schema["required"].as_array() {
                Some(fields) if !fields.is_empty() => {
                    let names: Vec<_> = fields.iter().filter_map(Value::as_str).collect();
                    format!("fields with {}", names.join(", "))
                }
                _ => "fields".to_owned(),
            },
            other => other.to_owned(),
        });
        names.collect::<Vec<_>>().join(" or ")
    }
}

fn branches(schema: &Value) -> Option<&[Value]> {
    let branches = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
    branches.map(Vec::as_slice)
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The values that alone are allowed; none when others are.
fn words(schema: &Value) -> Vec<&Value> {
    let constant = schema.get("const").into_iter();
    constant.chain(schema["enum"].as_array().into_iter().flatten()).collect()
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<SocketAddr>().is_ok())
}

fn brief(value: &Value) -> String {
    match value {
        Value::Object(_) => "fields".into(),
        Value::Array(_) => "a list".into(),
        Value::Null => "nothing".into(),
        other => other.to_string(),
    }
}
