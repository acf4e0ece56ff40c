//! The definitions that the chart ships: current, small, bounded and explained.
#![allow(clippy::unwrap_used)]

use crds::definitions;
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// What one apply of all definitions may weigh, in bytes; `kubectl apply` keeps a copy of each in an
/// annotation of at most 262144.
const ALL: usize = 200_000;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Calls `see` with every schema below one, and its path.
fn walk(schema: &Value, path: &str, see: &mut dyn FnMut(&str, &Map<String, Value>)) {
    see(path, schema.as_object().unwrap());
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        walk(field, &format!("{path}.{name}"), see);
    }
    for (part, name) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[part].is_object() {
            walk(&schema[part], &format!("{path}{name}"), see);
        }
    }
}

/// Calls `see` with every schema of the sections that users and workers write.
fn walk_all(see: &mut dyn FnMut(&str, &Map<String, Value>)) {
    for definition in definitions() {
        let kind = definition.0["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        let schema = &definition.0["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        walk(&schema["properties"]["spec"], &format!("{kind}.spec"), see);
        walk(&schema["properties"]["status"], &format!("{kind}.status"), see);
    }
}

#[test]
fn the_files_of_the_chart_are_current() {
    let folder = repository().join("charts/streaming-tda/files/crds");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut expected = definitions().map(|d| format!("{}.yaml", d.name()));
    expected.sort();
    assert_eq!(names, expected);
    for definition in definitions() {
        let text = fs::read_to_string(folder.join(format!("{}.yaml", definition.name()))).unwrap();
        let current = text == definition.yaml().unwrap();
        assert!(current, "{} is not current: run make crds", definition.name());
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, definition.0);
    }
}

#[test]
fn they_are_small() {
    let sizes = definitions().map(|d| (d.yaml().unwrap().len(), d.0.to_string().len()));
    let (yaml, json) = sizes.iter().fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
    assert!(yaml < ALL && json < ALL, "{yaml} bytes of YAML, {json} of JSON");
}

/// The API server estimates what a rule costs from the largest object that the schema admits.
#[test]
fn everything_is_bounded() {
    walk_all(&mut |path, schema| {
        let has = |keyword: &str| schema.contains_key(keyword);
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => assert!(has("maxItems"), "{path} has no maxItems"),
            Some("string") => {
                // Conditions have the schema of Kubernetes, and no rule looks at them.
                let bounded = ["maxLength", "enum", "format"].iter().any(|k| has(k));
                assert!(bounded || path.contains(".conditions"), "{path} has no maxLength");
            }
            Some("object") if has("additionalProperties") => {
                assert!(has("maxProperties"), "{path} has no maxProperties");
            }
            Some("object" | "integer" | "number" | "boolean") => {}
            None => assert!(has("x-kubernetes-int-or-string"), "{path} has no type"),
            other => panic!("{path} has the type {other:?}"),
        }
    });
}

#[test]
fn everything_is_explained() {
    walk_all(&mut |path, schema| {
        if path.ends_with(['}', ']']) {
            return;
        }
        let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        assert!(text.ends_with('.'), "{path} is not explained: {text:?}");
        let scalar = !matches!(schema.get("default"), None | Some(Value::Object(_)));
        assert!(!scalar || text.contains("Default: "), "{path} does not tell its default: {text}");
        assert!(!text.contains("{{"), "{path} would be taken for a template by Helm");
    });
}

#[test]
fn nothing_may_be_null_and_nothing_is_kept_unread() {
    walk_all(&mut |path, schema| {
        for keyword in ["nullable", "x-kubernetes-preserve-unknown-fields", "anyOf", "oneOf"] {
            assert!(!schema.contains_key(keyword), "{path} has {keyword}");
        }
    });
}

#[test]
fn every_rule_says_what_to_do() {
    let check = |place: &str, rules: &[Value]| {
        for rule in rules {
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(message.len() > 20, "{place}: {rule} has no message");
            assert!(!message.contains(['\n', '"']), "{place}: {message}");
        }
    };
    let mut count = 0;
    walk_all(&mut |path, schema| {
        let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
        check(path, rules.map(Vec::as_slice).unwrap_or_default());
        count += rules.map_or(0, Vec::len);
    });
    assert!(count > 60, "only {count} rules");
}

/// A message that is nowhere in the definitions comes from the API server itself.
#[test]
fn the_corpus_quotes_the_rules() {
    let rules: String = definitions().iter().map(|d| d.0.to_string()).collect();
    let own = [
        ": Required value",
        "unknown field",
        " in body ",
        "Duplicate value",
        "may not be more than",
        "upported value",
        "must have at most",
        "spec.scales[0].window",
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/invalid");
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(files.len() >= 40, "only {} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let messages: Vec<&str> =
            text.lines().filter_map(|l| l.strip_prefix("# refused: ")).collect();
        assert!(!messages.is_empty(), "{} expects no message", file.display());
        for message in messages {
            let known = rules.contains(message) || own.iter().any(|part| message.contains(part));
            assert!(known, "{}: no rule says {message:?}", file.display());
        }
    }
}
