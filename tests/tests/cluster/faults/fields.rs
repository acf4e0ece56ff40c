//! Every field of the spec, and another value for it: so that a field cannot be forgotten.

use crds::definitions;
use serde_json::{Value, json};

/// A field, and a spec in which it has another value.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) field: String,
    pub(super) spec: Value,
    /// What is different: places, as JSON Pointers, and values; null removes.
    pub(super) edits: Vec<(String, Value)>,
}

/// Fields that need more than another number, word or name of their own: they must have a form, or
/// exclude or need each other.
fn special() -> Vec<(&'static str, Value)> {
    let key = |kind: &str| json!({kind: {"name": "other", "key": "other"}});
    let (map, secret) = (key("configMapKeyRef"), key("secretKeyRef"));
    let schema = |source: &Value| json!({"input/schema": source, "input/registry": null, "input/framing": "None"});
    let protobuf = json!({
        "input/codec": "Protobuf",
        "input/message": "other.Point",
        "input/schema": map,
        "input/registry": null,
        "input/framing": "None",
    });
    let beat = |field: &str, value: Value| json!({format!("scales/0/{field}"): value});
    vec![
        ("disruptionBudget.maxUnavailable", json!({"disruptionBudget/maxUnavailable": 1})),
        ("image.digest", json!({"image/digest": format!("sha256:{}", "b".repeat(64))})),
        ("input.codec", protobuf.clone()),
        ("input.message", protobuf),
        ("input.framing", schema(&map)),
        ("input.schema.configMapKeyRef", schema(&map)),
        ("input.schema.secretKeyRef", schema(&secret)),
        ("input.fields.values.list", json!({"input/fields/values": {"list": "values"}})),
        ("input.registry.ca.configMapKeyRef", json!({"input/registry/ca": map})),
        ("kafka.brokers", json!({"kafka/brokers/0": "other:9092"})),
        (
            "kafka.deadLetters.enabled",
            json!({"kafka/deadLetters": {"enabled": false, "headers": []}}),
        ),
        ("kafka.deadLetters.headers", json!({"kafka/deadLetters/headers": ["Spring"]})),
        (
            "kafka.groupProtocol",
            json!({"kafka/groupProtocol": "Consumer", "kafka/sessionTimeoutMilliseconds": null}),
        ),
        ("kafka.properties", json!({"kafka/properties/linger.ms": "3"})),
        ("kafka.security.tls.ca.secretKeyRef", json!({"kafka/security/tls/ca": secret})),
        (
            "pod.tolerations[].effect",
            json!({"pod/tolerations/0": {"key": "dedicated", "value": "stream", "effect": "NoSchedule"}}),
        ),
        (
            "pod.tolerations[].operator",
            json!({"pod/tolerations/0": {"key": "dedicated", "operator": "Exists"}}),
        ),
        ("resources.limits.cpu", json!({"resources/limits/cpu": "2500m"})),
        ("resources.limits.memory", json!({"resources/limits/memory": "2Gi"})),
        ("resources.requests.cpu", json!({"resources/requests/cpu": 1})),
        ("resources.requests.memory", json!({"resources/requests/memory": "600Mi"})),
        ("scales[].detection.channels", beat("detection/channels", json!(["H0", "H1"]))),
        (
            "scales[].detection.memory.emissions",
            beat("detection/memory", json!({"emissions": 500})),
        ),
        (
            "scales[].detection.warmUp.emissions",
            beat("detection/warmUp", json!({"emissions": 300})),
        ),
        ("scales[].embedding.delay", beat("embedding/delay", json!(4))),
        ("scales[].maxDegree", beat("maxDegree", json!(0))),
        ("scales[].maxRadius.unbounded", beat("maxRadius", json!({"unbounded": true}))),
        ("scales[].maxRadius.value", beat("maxRadius", json!({"value": 1.5}))),
        ("scales[].window", beat("window", json!(100))),
    ]
}

/// What has at least one pod, at which nobody looks here; `scaling.rs` does.
const ELSEWHERE: [&str; 1] = ["autoscaling"];

/// What the API server refuses: fields, an edit of one of them, and what it says.
pub(super) fn refused() -> Vec<(&'static [&'static str], Value, &'static str)> {
    let fixed = "cannot be changed";
    let not_yet = "not available yet";
    vec![
        (&["kafka.group"], json!({"kafka/group": "other"}), fixed),
        (&["kafka.input"], json!({"kafka/input": "other"}), fixed),
        (&["state.checkpoints"], json!({"state/checkpoints": "other"}), fixed),
        (&["deletionPolicy"], json!({"deletionPolicy": "Delete"}), not_yet),
        (&["engine.mode"], json!({"engine/mode": "Batch"}), not_yet),
        (&["flags"], json!({"flags": {"configMapName": "other"}}), not_yet),
        (
            &["observability.tracing"],
            json!({"observability/tracing": {"otlpEndpoint": "http://other:4317"}}),
            not_yet,
        ),
        (&["rollout.paused"], json!({"rollout/paused": true}), not_yet),
        (
            &[
                "rollout.strategy",
                "rollout.analysis",
                "rollout.bakeSeconds",
                "rollout.maxPartitionsInFlight",
                "rollout.releaseTimeoutSeconds",
                "rollout.rollback",
                "rollout.shadow",
                "rollout.stage",
                "rollout.standbyReplicas",
                "rollout.steps",
            ],
            json!({"rollout/strategy": "Progressive", "rollout/stage": "Prod"}),
            not_yet,
        ),
        (
            &["slos"],
            json!({"slos": [{
                "name": "other", "objective": 99, "indicator": {"type": "Availability"},
            }]}),
            not_yet,
        ),
    ]
}

/// A change of every field that may be changed in this spec, which has almost all of them.
///
/// # Panics
/// When there is a field of which neither the spec nor a table here says anything.
pub(super) fn changes(spec: &Value) -> Vec<Change> {
    let special = special();
    let refused: Vec<&str> =
        refused().into_iter().flat_map(|(fields, ..)| fields.to_vec()).collect();
    let mut changes = Vec::new();
    for (field, schema) in leaves() {
        let is_of = |section: &str| {
            field
                .strip_prefix(section)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
        };
        if refused.iter().chain(&ELSEWHERE).any(|section| is_of(section)) {
            continue;
        }
        let edits = match special.iter().find(|(section, _)| is_of(section)) {
            Some((_, edits)) => read(edits),
            None => {
                let place = place(spec, &field);
                let now = place.as_ref().and_then(|place| spec.pointer(place));
                let other = now.and_then(|now| other(now, &schema)).unwrap_or_else(|| {
                    panic!("{field}: name it in the corpus, or say in fields.rs how it changes")
                });
                vec![(place.unwrap(), other)]
            }
        };
        changes.push(Change { field, spec: edited(spec, &edits), edits });
    }
    changes
}

/// A spec with other values in some places.
pub(super) fn edited(spec: &Value, edits: &[(String, Value)]) -> Value {
    let mut spec = spec.clone();
    for (place, value) in edits {
        let (parent, name) = place.rsplit_once('/').unwrap();
        let name = &name.replace("~1", "/");
        match spec.pointer_mut(parent) {
            Some(Value::Object(fields)) if value.is_null() => _ = fields.remove(name),
            Some(Value::Object(fields)) => _ = fields.insert(name.into(), value.clone()),
            Some(Value::Array(items)) => items[name.parse::<usize>().unwrap()] = value.clone(),
            // A change before this one has taken the section away.
            _ => {}
        }
    }
    spec
}

pub(super) fn read(edits: &Value) -> Vec<(String, Value)> {
    let edits = edits.as_object().unwrap().iter();
    edits.map(|(place, value)| (format!("/{place}"), value.clone())).collect()
}

/// Where a field is: in the first item of a list, or of a map.
fn place(spec: &Value, field: &str) -> Option<String> {
    let mut place = String::new();
    for part in field.replace("[]", ".[]").replace("{}", ".{}").split('.') {
        let there = spec.pointer(&place)?;
        place += &match part {
            "[]" => "/0".to_owned(),
            "{}" => format!("/{}", there.as_object()?.keys().next()?.replace('/', "~1")),
            name => format!("/{name}"),
        };
    }
    Some(place)
}

/// Another value of the same kind, within its bounds.
fn other(now: &Value, schema: &Value) -> Option<Value> {
    if let Some(words) = schema["enum"].as_array() {
        let at = words.iter().position(|word| word == now)?;
        return Some(words[(at + 1) % words.len()].clone());
    }
    match now {
        Value::Bool(now) => Some((!now).into()),
        Value::Number(number) => match (number.as_i64(), schema["type"].as_str()?) {
            (Some(now), "integer") if schema["maximum"].as_i64() == Some(now) => {
                Some((now - 1).into())
            }
            (Some(now), "integer") => Some((now + 1).into()),
            _ => Some((number.as_f64()? * 1.25 + 0.25).into()),
        },
        Value::String(now) => Some(format!("{now}x").into()),
        _ => None,
    }
}

/// All fields of the spec that have no fields of their own, and their schemas.
fn leaves() -> Vec<(String, Value)> {
    let definition = definitions().into_iter().next().unwrap().0;
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut leaves = Vec::new();
    collect(&schema["properties"]["spec"], "", &mut leaves);
    leaves
}

fn collect(schema: &Value, path: &str, leaves: &mut Vec<(String, Value)>) {
    if let Some(fields) = schema["properties"].as_object() {
        for (name, field) in fields {
            let dot = if path.is_empty() { "" } else { "." };
            collect(field, &format!("{path}{dot}{name}"), leaves);
        }
    } else if schema["items"].is_object() {
        collect(&schema["items"], &format!("{path}[]"), leaves);
    } else if schema["additionalProperties"].is_object() {
        collect(&schema["additionalProperties"], &format!("{path}{{}}"), leaves);
    } else {
        leaves.push((path.into(), schema.clone()));
    }
}
