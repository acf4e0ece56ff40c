//! From what schemars writes to a structural schema of Kubernetes.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// One of `x-kubernetes-validations`: an expression of CEL that must hold, and what is said when it
/// does not.
pub(crate) fn rule(rule: &str, message: &str) -> Value {
    json!({"rule": rule, "message": message})
}

/// The same, said of a field of what the rule is about.
pub(crate) fn rule_at(field: &str, rule: &str, message: &str) -> Value {
    json!({"rule": rule, "message": message, "fieldPath": format!(".{field}")})
}

/// The structural schema of a type.
pub(crate) fn structural<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let generator = settings.with_transform(Structural).into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    if let Value::Object(root) = &mut schema {
        root.remove("title");
    }
    schema
}

/// Rewrites what Kubernetes does not take. Nothing stays nullable: the API server then drops a
/// `null` that was sent, so that it means the same as leaving the field out.
#[derive(Clone, Copy, Debug)]
struct Structural;

impl Transform for Structural {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            hoist_optional(object);
        }
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else { return };
        hoist_words(object);
        if let Some(Value::Array(types)) = object.get("type") {
            let named = types.iter().find(|t| **t != "null").cloned();
            object.extend(named.map(|t| ("type".to_owned(), t)));
        }
        let known = ["int32", "int64", "date-time"];
        if object.get("format").is_some_and(|f| !known.iter().any(|k| f == k)) {
            object.remove("format");
        }
        if object.get("additionalProperties") == Some(&Value::Bool(false)) {
            object.remove("additionalProperties");
        }
        match object.get_mut("default").map(without_nulls) {
            Some(Value::Null) => _ = object.remove("default"),
            Some(default) => _ = object.insert("default".into(), default),
            None => {}
        }
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = unwrapped(text);
        }
    }
}

/// `anyOf: [T, null]` becomes `T`, with the description of the field before that of its type.
fn hoist_optional(object: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = object.get("anyOf") else { return };
    let mut real = branches.iter().filter(|b| b["type"] != "null");
    if let (Some(Value::Object(only)), None) = (real.next(), real.next()) {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

/// `oneOf` of constants becomes an `enum`, each of whose words is explained in the description.
fn hoist_words(object: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = object.get("oneOf") else { return };
    let constants: Option<Vec<(Value, Option<&str>)>> = variants
        .iter()
        .map(|v| Some((v.get("const")?.clone(), v["description"].as_str())))
        .collect();
    let Some(constants) = constants else { return };
    let explained: Vec<String> = constants
        .iter()
        .filter_map(|(word, text)| Some(format!("`{}`: {}", word.as_str()?, (*text)?)))
        .collect();
    let words: Vec<Value> = constants.iter().map(|(word, _)| word.clone()).collect();
    let own = object.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{own}\n\n{}", explained.join("\n\n"));
    object.remove("oneOf");
    object.insert("type".into(), "string".into());
    object.insert("enum".into(), words.into());
    object.insert("description".into(), description.into());
}

fn without_nulls(value: &mut Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter_mut().filter(|(_, v)| !v.is_null());
            Value::Object(kept.map(|(k, v)| (k.clone(), without_nulls(v))).collect())
        }
        other => other.take(),
    }
}

/// Paragraphs as one line each: whoever shows them breaks the lines.
fn unwrapped(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.filter(|p| !p.is_empty()).collect::<Vec<_>>().join("\n\n")
}
