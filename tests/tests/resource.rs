//! What a resource on Kubernetes asks of the worker, which reads it as its own configuration.
#![allow(clippy::unwrap_used)]

use crds::StreamingTDA;
use crds::spec::{NAMED, RESERVED, SECRET, SECURITY};
use crds::worker::{Placement, configuration, files};
use mesh::Connection;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use worker::config::{Compute, Config, Problems};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

fn valid(name: &str) -> StreamingTDA {
    resource(&read(format!("crds/tests/corpus/valid/{name}.yaml")))
}

/// The first document of a manifest.
fn resource(manifest: &str) -> StreamingTDA {
    let document = manifest.split("\n---\n").next().unwrap();
    let mut resource: StreamingTDA = serde_saphyr::from_str(document).unwrap();
    resource.metadata.namespace = Some("default".into());
    resource
}

/// All valid resources of the corpus.
fn all() -> Vec<(PathBuf, StreamingTDA)> {
    let folder = repository().join("crds/tests/corpus/valid");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|file| (read(&file), file));
    let ours = texts.filter(|(text, _)| text.contains("kind: StreamingTDA"));
    ours.map(|(text, file)| (file, resource(&text))).collect()
}

fn configured(resource: &StreamingTDA) -> Value {
    configuration(&resource.spec, &Placement { group: resource.group() })
}

#[test]
fn every_valid_resource_is_a_valid_configuration() {
    let resources = all();
    assert!(resources.len() >= 8);
    for (file, resource) in resources {
        let config = configured(&resource);
        match Config::from_yaml(&config.to_string()) {
            Ok(_) => assert!(files(&resource.spec).iter().all(|f| f.path().contains("/schemas/"))),
            // Secrets are files, which are there in the pod only.
            Err(Problems(problems)) => {
                for problem in problems {
                    let missing = problem.message.contains("cannot read /etc/streaming-tda/");
                    assert!(missing, "{}: {problem:?}", file.display());
                }
            }
        }
    }
}

#[test]
fn what_is_left_out_has_the_workers_default() {
    let config = Config::from_yaml(&configured(&valid("smallest")).to_string()).unwrap();
    let own = Config::from_yaml(
        "
kafka: {brokers: 'kafka:9092', input: ecg, group: default.ecg}
scales: [{name: beat, window: 62, max_radius: 1.6}]
http: {listen: '0.0.0.0:9464'}
compute: {queue_bytes: 4194304, latency_goal_ms: 5}
input: {max_points: 4096}
",
    );
    assert_eq!(config, own.unwrap());
    assert_eq!(config.compute.queue_bytes(), Compute::default().queue_bytes());
    assert_eq!(config.compute.latency_goal(), Compute::default().latency_goal());
    assert_eq!(config.input.max_points(), mesh::schema::Input::default().max_points());
    let detecting = Config::from_yaml(&configured(&valid("calibrated")).to_string()).unwrap();
    assert_eq!(detecting.scales[0].detection, Some(detection::DetectorConfig::default()));
}

#[test]
fn every_field_of_the_worker_has_a_place_in_the_resource() {
    let schema: Value = serde_json::from_str(&read("schemas/config.json")).unwrap();
    let mut fields = BTreeSet::new();
    declared(&schema, &schema, "", &mut fields);
    assert!(fields.contains("scales[].detection.memory.seconds"), "{fields:?}");
    let mut placed = BTreeSet::new();
    for (_, resource) in all() {
        used(&configured(&resource), "", &mut placed);
    }
    let missing: Vec<&String> = fields.difference(&placed).collect();
    // It names one worker, and a resource is about many.
    assert_eq!(missing, ["kafka.instance_id"]);
}

/// The paths of all fields of a schema.
fn declared(root: &Value, schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        declared(root, target, path, fields);
    }
    for part in ["anyOf", "oneOf"] {
        for branch in schema[part].as_array().into_iter().flatten() {
            declared(root, branch, path, fields);
        }
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}").trim_start_matches('.').to_owned();
        declared(root, field, &path, fields);
        fields.insert(path);
    }
    if schema["items"].is_object() {
        declared(root, &schema["items"], &format!("{path}[]"), fields);
    }
}

/// The paths of all fields of a document.
fn used(value: &Value, path: &str, fields: &mut BTreeSet<String>) {
    for (name, field) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}").trim_start_matches('.').to_owned();
        used(field, &path, fields);
        fields.insert(path);
    }
    for item in value.as_array().into_iter().flatten() {
        used(item, &format!("{path}[]"), fields);
    }
}

#[test]
fn both_examples_ask_for_the_same() {
    let resource = resource(&read("examples/ecg.yaml"));
    let on_kubernetes = Config::from_yaml(&configured(&resource).to_string()).unwrap();
    let mut alone = Config::from_yaml(&read("examples/ecg.worker.yaml")).unwrap();
    alone.kafka.brokers = on_kubernetes.kafka.brokers.clone();
    alone.kafka.group = on_kubernetes.kafka.group.clone();
    alone.http = on_kubernetes.http.clone();
    alone.compute = on_kubernetes.compute.clone();
    alone.input.max_points = on_kubernetes.input.max_points;
    assert_eq!(on_kubernetes, alone);
}

#[test]
fn files_of_the_configuration_are_those_that_are_mounted() {
    for name in ["everything", "protobuf-from-a-config-map", "smallest"] {
        let resource = valid(name);
        let mut named = BTreeSet::new();
        paths(&configured(&resource), &mut named);
        let mounted: BTreeSet<String> = files(&resource.spec).iter().map(|f| f.path()).collect();
        assert_eq!(named, mounted);
    }
    assert_eq!(files(&valid("everything").spec).len(), 7);
}

fn paths(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("/etc/") => _ = found.insert(text.clone()),
        Value::Object(fields) => fields.values().for_each(|v| paths(v, found)),
        Value::Array(items) => items.iter().for_each(|v| paths(v, found)),
        _ => {}
    }
}

#[test]
fn properties_that_the_worker_refuses_are_refused_before() {
    let open = Connection::default();
    let security = serde_json::from_str("{\"tls\": {}}").unwrap();
    let secured = Connection { security, ..Connection::default() };
    for name in [&RESERVED[..], &NAMED, &SECRET].concat() {
        assert!(open.refusal(name).is_some(), "the worker takes {name}");
    }
    for name in SECURITY {
        assert!(open.refusal(name).is_none() && secured.refusal(name).is_some(), "{name}");
    }
    for name in Connection::RESERVED {
        assert!(RESERVED.contains(&name), "the API server takes {name}");
    }
}
