//! The JSON Schemas in `schemas/` are those of the types.
#![allow(clippy::unwrap_used)]

use detection::Alert;
use mesh::schema::{Message, Point};
use schemars::{JsonSchema, schema_for};
use std::path::Path;
use worker::Config;
use worker::results::{Diagrams, Judged};

/// Compares a file with its type; with `UPDATE=1` in the environment, writes it.
#[track_caller]
fn check<T: JsonSchema>(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas").join(file);
    let schema = serde_json::to_string_pretty(&schema_for!(T)).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema, "schemas/{file} is out of date: run this test with UPDATE=1");
}

#[test]
fn point() {
    check::<Point>("point.v1.json");
}

#[test]
fn diagrams() {
    check::<Message<Diagrams>>("diagrams.v1.json");
}

#[test]
fn features() {
    check::<Message<Judged>>("features.v1.json");
}

#[test]
fn alerts() {
    check::<Message<Alert>>("alerts.v1.json");
}

#[test]
fn config() {
    check::<Config>("config.json");
}
