//! What the API server makes of the resources: the corpus of `crds/tests/corpus`, and the
//! subresources.

use crds::{StreamingTDASpec, definitions};
use harness::cluster::{Client, ControlPlane};
use http::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

const GROUP: &str = "/apis/streamingtda.io/v1alpha1/namespaces/default";

/// An API server that knows the resources.
pub(crate) fn plane() -> ControlPlane {
    let manifests = definitions().map(|definition| definition.yaml().unwrap());
    let plane = ControlPlane::start_with(&manifests.join("---\n")).unwrap();
    for definition in definitions() {
        let plural = &definition.0["spec"]["names"]["plural"];
        let path = format!("{GROUP}/{}", plural.as_str().unwrap());
        let served = |client: &Client| Ok(client.get(&path)?.is_some());
        let what = "resources are served";
        plane.client().wait_until(what, Duration::from_secs(30), served).unwrap();
    }
    plane
}

fn send(client: &Client, method: Method, path: &str, body: &Value) -> Result<Value, String> {
    client.send(method, path, "application/json", body).map_err(|error| error.to_string())
}

/// A manifest of the corpus: what is written one after another, and what is said of the last.
struct Case {
    name: String,
    documents: Vec<Value>,
    messages: Vec<String>,
}

fn cases(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/corpus").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let case = |file: &std::path::PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let messages = text.lines().filter_map(|line| line.strip_prefix("# refused: "));
        Case {
            name: file.file_stem().unwrap().to_string_lossy().into_owned(),
            messages: messages.map(str::to_owned).collect(),
            documents: serde_saphyr::from_multiple(&text).unwrap(),
        }
    };
    files.iter().map(case).collect()
}

impl Case {
    /// Writes all documents, and removes what they made.
    fn write(&self, client: &Client) -> Result<Vec<Value>, String> {
        let kind = self.documents[0]["kind"].as_str().unwrap();
        let path = format!("{GROUP}/{}s", kind.to_lowercase());
        let written = self.write_to(client, &path);
        for object in client.get(&path).unwrap().unwrap()["items"].as_array().unwrap() {
            let name = object["metadata"]["name"].as_str().unwrap();
            send(client, Method::DELETE, &format!("{path}/{name}"), &json!({})).unwrap();
        }
        written
    }

    fn write_to(&self, client: &Client, path: &str) -> Result<Vec<Value>, String> {
        let mut written: Vec<Value> = Vec::new();
        for (index, document) in self.documents.iter().enumerate() {
            let last = index + 1 == self.documents.len();
            let object = write(client, path, document, written.last());
            // Only the last one may be refused.
            written.push(if last { object? } else { object.unwrap() });
        }
        Ok(written)
    }
}

/// Creates an object or replaces the one before, with its status where it has one.
fn write(
    client: &Client,
    path: &str,
    document: &Value,
    before: Option<&Value>,
) -> Result<Value, String> {
    let name = document["metadata"]["name"].as_str().unwrap();
    let strict = "fieldValidation=Strict";
    let replacing = |before: &Value| {
        let mut document = document.clone();
        document["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
        document
    };
    let mut object = match before {
        None => send(client, Method::POST, &format!("{path}?{strict}"), document)?,
        Some(before) => {
            let path = format!("{path}/{name}?{strict}");
            send(client, Method::PUT, &path, &replacing(before))?
        }
    };
    if document.get("status").is_some() {
        let path = format!("{path}/{name}/status?{strict}");
        object = send(client, Method::PUT, &path, &replacing(&object))?;
    }
    Ok(object)
}

#[test]
fn the_api_server_keeps_the_rules_of_the_definitions() {
    let plane = plane();
    let client = plane.client();
    refuses_what_is_invalid(client);
    accepts_what_is_valid_with_the_defaults_of_the_types(client);
    scales_by_the_subresource(client);
    merges_the_reports_of_workers(client);
}

fn refuses_what_is_invalid(client: &Client) {
    let mut surprises = Vec::new();
    let cases = cases("invalid");
    assert!(cases.len() >= 40);
    for case in cases {
        match case.write(client) {
            Ok(_) => surprises.push(format!("{}: accepted", case.name)),
            Err(said) => {
                let missing = case.messages.iter().filter(|message| !said.contains(*message));
                surprises.extend(missing.map(|m| format!("{}: not {m:?} but {said}", case.name)));
            }
        }
    }
    assert!(surprises.is_empty(), "{} surprises:\n{}", surprises.len(), surprises.join("\n"));
}

fn accepts_what_is_valid_with_the_defaults_of_the_types(client: &Client) {
    for case in cases("valid") {
        let written = case.write(client);
        let written = written.unwrap_or_else(|said| panic!("{}: {said}", case.name));
        for (object, document) in written.iter().zip(&case.documents) {
            if object["kind"] == "StreamingTDA" {
                let spec = serde_json::from_value::<StreamingTDASpec>(document["spec"].clone());
                let spec = serde_json::to_value(spec.unwrap()).unwrap();
                assert_eq!(plain(&object["spec"]), plain(&spec), "{}", case.name);
            }
        }
    }
}

/// Without what is null, and with all numbers alike.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let there = fields.iter().filter(|(_, v)| !v.is_null());
            there.map(|(k, v)| (k.clone(), plain(v))).collect()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

fn scales_by_the_subresource(client: &Client) {
    let smallest = cases("valid").into_iter().find(|case| case.name == "smallest").unwrap();
    let path = format!("{GROUP}/streamingtdas");
    write(client, &path, &smallest.documents[0], None).unwrap();
    let path = format!("{path}/ecg/scale");
    let mut scale = client.get(&path).unwrap().unwrap();
    assert_eq!(scale["spec"]["replicas"], 1);
    scale["spec"]["replicas"] = json!(3);
    let scale = send(client, Method::PUT, &path, &scale).unwrap();
    assert_eq!(scale["spec"]["replicas"], 3);
}

/// None gets into the way of another.
fn merges_the_reports_of_workers(client: &Client) {
    let map = cases("valid").into_iter().find(|case| case.name == "reports").unwrap();
    let path = format!("{GROUP}/partitionassignments");
    write(client, &path, &map.documents[0], None).unwrap();
    let report = |pod: &str, revision: &str, phase: &str| {
        json!({
            "apiVersion": "streamingtda.io/v1alpha1",
            "kind": "PartitionAssignment",
            "metadata": {"name": "ecg"},
            "status": {"partitions": [{
                "partition": 0, "revision": revision, "epoch": 7, "phase": phase, "pod": pod,
            }]},
        })
    };
    for (pod, revision, phase) in
        [("a", "5d0c1f2a", "Ready"), ("b", "9be77c01", "Warming"), ("a", "5d0c1f2a", "Warming")]
    {
        let path = format!("{path}/ecg/status?fieldManager={pod}");
        let report = report(pod, revision, phase);
        client.send(Method::PATCH, &path, "application/apply-patch+yaml", &report).unwrap();
    }
    let map = client.get(&format!("{path}/ecg")).unwrap().unwrap();
    let phases: Vec<&Value> =
        map["status"]["partitions"].as_array().unwrap().iter().map(|p| &p["phase"]).collect();
    assert_eq!(phases, ["Warming", "Warming"]);
}
