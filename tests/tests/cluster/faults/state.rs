//! What there is in a namespace, without what tells of its past or of its namespace: equal wherever
//! the same was reached.

use super::stage::items;
use crate::operator::CHILDREN;
use anyhow::Result;
use harness::cluster::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// An object, as it is compared.
pub(super) type Object = Value;

const RESOURCES: (&str, &str) = ("apis/streamingtda.io/v1alpha1", "streamingtdas");
const POLICIES: (&str, &str) = ("apis/networking.k8s.io/v1", "networkpolicies");
const MONITORS: (&str, &str) = ("apis/monitoring.coreos.com/v1", "servicemonitors");

/// The resources of a namespace and all that could be a child of one, by kind and name.
pub(super) fn objects(client: &Client, namespace: &str) -> Result<BTreeMap<String, Object>> {
    let mut objects = BTreeMap::new();
    for (group, plural) in CHILDREN.into_iter().chain([RESOURCES, POLICIES, MONITORS]) {
        let list = client.get(&format!("/{group}/namespaces/{namespace}/{plural}"))?;
        for item in items(&list.unwrap_or_default()) {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            // Every namespace has these.
            if !matches!(name, "default" | "kube-root-ca.crt") {
                objects.insert(format!("{plural}/{name}"), timeless(&item, namespace));
            }
        }
    }
    Ok(objects)
}

/// The fields that differ for other reasons than what was asked for: ids, times, addresses, what
/// controllers of the cluster say, and the hash of a manifest with the id of its owner.
fn timeless(object: &Value, namespace: &str) -> Object {
    let mut object = without(object, namespace);
    if object.get("data").is_some() || object["spec"].get("kafka").is_none() {
        object["status"] = Value::Null;
    }
    let metadata = &mut object["metadata"];
    for field in ["generation", "managedFields"] {
        metadata[field] = Value::Null;
    }
    for note in ["streamingtda.io/applied", "note"] {
        if let Some(annotations) = metadata["annotations"].as_object_mut() {
            annotations.remove(note);
        }
    }
    if metadata["annotations"] == json!({}) {
        metadata["annotations"] = Value::Null;
    }
    for address in ["clusterIP", "clusterIPs"] {
        if object["spec"].get(address).is_some() {
            object["spec"][address] = Value::Null;
        }
    }
    object
}

const TIMES: [&str; 5] =
    ["uid", "resourceVersion", "creationTimestamp", "lastTransitionTime", "deletionTimestamp"];

fn without(value: &Value, namespace: &str) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !TIMES.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), without(value, namespace))).collect()
        }
        Value::Array(items) => items.iter().map(|item| without(item, namespace)).collect(),
        Value::String(text) => text.replace(namespace, "<namespace>").into(),
        other => other.clone(),
    }
}

/// Whether all resources are in force, or nothing is left of any.
pub(super) fn is_settled(objects: &BTreeMap<String, Object>) -> bool {
    let mut resources = objects.iter().filter(|(key, _)| key.starts_with(RESOURCES.1)).peekable();
    match resources.peek() {
        Some(_) => resources.all(|(_, resource)| is_in_force(resource)),
        None => objects.is_empty(),
    }
}

fn is_in_force(resource: &Value) -> bool {
    let conditions = resource["status"]["conditions"].as_array();
    let holds = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
    conditions.is_some_and(|conditions| conditions.iter().any(holds))
}

/// In words, what differs.
pub(super) fn difference(
    there: &BTreeMap<String, Object>,
    wanted: &BTreeMap<String, Object>,
) -> String {
    let keys: BTreeSet<&String> = there.keys().chain(wanted.keys()).collect();
    let different = keys.into_iter().filter(|key| there.get(*key) != wanted.get(*key));
    let lines = different.map(|key| match (there.get(key), wanted.get(key)) {
        (Some(there), Some(wanted)) => format!("{key}:\n{}", fields("", there, wanted)),
        (Some(_), None) => format!("{key} should not be there"),
        _ => format!("{key} is missing"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn fields(at: &str, there: &Value, wanted: &Value) -> String {
    match (there, wanted) {
        (Value::Object(t), Value::Object(w)) => {
            let keys: BTreeSet<&String> = t.keys().chain(w.keys()).collect();
            let parts = keys.into_iter().filter(|key| t.get(*key) != w.get(*key));
            parts.map(|key| fields(&format!("{at}.{key}"), &there[key], &wanted[key])).collect()
        }
        _ => format!("  {at} is {there}, and should be {wanted}\n"),
    }
}
