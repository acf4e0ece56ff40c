//! Inside a version, outputs only gain fields: readers of the first release read those of today,
//! and the types of today read what the first release wrote. The kept files are never made again.
#![allow(clippy::unwrap_used)]

use detection::Alert;
use mesh::schema::Message;
use schemars::{JsonSchema, schema_for};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use worker::results::{Diagrams, Judged};

fn kept(file: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/mesh/tests/goldens/outputs");
    std::fs::read_to_string(format!("{folder}/{file}")).unwrap()
}

fn check<B: JsonSchema + Serialize + DeserializeOwned>(name: &str) {
    let old: Value = serde_json::from_str(&kept(&format!("{name}.schema.json"))).unwrap();
    let new = schema_for!(Message<B>).to_value();
    let lost = (Pair { old: &old, new: &new }).lost(&old, &new, name);
    assert!(lost.is_empty(), "these need a new version: {lost:#?}");
    for line in kept(&format!("{name}.jsonl")).lines() {
        let read: Message<B> = serde_json::from_str(line).unwrap();
        // By its text: as a value, an `f32` has the digits of an `f64`.
        let again: Value = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(holds(&again, &line), "{again}\nis not\n{line}");
    }
}

/// Whether all that `old` says is in `new`.
fn holds(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(k, v)| new.get(k).is_some_and(|n| holds(n, v)))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(n, o)| holds(n, o))
        }
        _ => new == old,
    }
}

/// Two schemas, for the definitions that they refer to.
#[derive(Clone, Copy)]
struct Pair<'a> {
    old: &'a Value,
    new: &'a Value,
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(path) => root.pointer(path.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}

impl Pair<'_> {
    /// What `old` promises and `new` does not.
    fn lost(self, old: &Value, new: &Value, path: &str) -> Vec<String> {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let mut lost = Vec::new();
        for key in ["type", "format", "const", "minItems", "maxItems"] {
            if old[key] != new[key] {
                lost.push(format!("{path}: {key} was {}, is {}", old[key], new[key]));
            }
        }
        let list = |schema: &Value, key: &str| schema[key].as_array().cloned().unwrap_or_default();
        for key in ["required", "enum"] {
            let now = list(new, key);
            let missing = list(old, key).into_iter().filter(|v| !now.contains(v));
            lost.extend(missing.map(|v| format!("{path}: {v} is no longer {key}")));
        }
        for (name, field) in old["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            match new["properties"].get(name) {
                Some(now) => lost.extend(self.lost(field, now, &path)),
                None => lost.push(format!("{path} is gone")),
            }
        }
        if !old["items"].is_null() {
            lost.extend(self.lost(&old["items"], &new["items"], &format!("{path}[]")));
        }
        for (index, item) in list(old, "prefixItems").iter().enumerate() {
            let path = format!("{path}[{index}]");
            lost.extend(self.lost(item, &new["prefixItems"][index], &path));
        }
        for key in ["anyOf", "oneOf"] {
            let now = list(new, key);
            let same = |branch: &Value| now.iter().any(|n| self.lost(branch, n, path).is_empty());
            let missing = list(old, key).into_iter().filter(|b| !same(b));
            lost.extend(missing.map(|b| format!("{path}: {b} is no longer in {key}")));
        }
        lost
    }
}

#[test]
fn diagrams() {
    check::<Diagrams>("diagrams.v1");
}

#[test]
fn features() {
    check::<Judged>("features.v1");
}

#[test]
fn alerts() {
    check::<Alert>("alerts.v1");
}

#[test]
fn what_is_lost_is_found() {
    let old = json!({
        "type": "object", "required": ["a"],
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"type": "array", "items": {"type": "number"}}},
        "$defs": {"A": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    });
    let lost = |change: fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        (Pair { old: &old, new: &new }).lost(&old, &new, "x").len()
    };
    assert_eq!(lost(|new| new["properties"]["c"] = json!({"type": "string"})), 0);
    assert_eq!(lost(|new| new["properties"]["b"]["items"]["type"] = "string".into()), 1);
    assert_eq!(lost(|new| new["$defs"]["A"]["anyOf"][1] = json!({"type": "number"})), 1);
    assert_eq!(lost(|new| new["required"] = json!([])), 1);
    assert_eq!(lost(|new| drop(new["properties"].as_object_mut().unwrap().remove("b"))), 1);
}
