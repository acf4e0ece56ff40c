//! What the children of resources are.
#![allow(clippy::unwrap_used)]

use crds::StreamingTDA;
use k8s_openapi::jiff::Timestamp;
use operator::child::{Child, Kind};
use operator::fleet::Known;
use operator::observed::Observed;
use operator::plan::plan;
use operator::revision::{Revision, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn settings() -> Settings {
    Settings {
        image_repository: "registry.example/worker".into(),
        image_tag: "1.0.0".into(),
        image_digest: None,
    }
}

fn resource(changes: &[(&str, Value)]) -> StreamingTDA {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/ecg.yaml");
    let mut manifest: Value = serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    manifest["metadata"]["namespace"] = json!("hearts");
    manifest["metadata"]["uid"] = json!("5d0c1f2a");
    manifest["metadata"]["generation"] = json!(1);
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let mut place = &mut manifest["spec"];
        for name in parent.split('/').filter(|name| !name.is_empty()) {
            place = &mut place[name];
        }
        place[field] = value.clone();
    }
    serde_json::from_value(manifest).unwrap()
}

fn observed(changes: &[(&str, Value)]) -> Observed {
    Observed {
        resource: resource(changes),
        settings: settings(),
        children: BTreeMap::new(),
        monitors: true,
        known: Known::default(),
        refusal: None,
    }
}

fn children(changes: &[(&str, Value)]) -> Vec<Child> {
    let plan = plan(&observed(changes), Timestamp::UNIX_EPOCH);
    plan.writes.into_iter().map(|write| write.child).collect()
}

fn child(changes: &[(&str, Value)], kind: Kind) -> Value {
    children(changes).into_iter().find(|child| child.key.kind == kind).unwrap().manifest
}

fn worker(changes: &[(&str, Value)]) -> Value {
    child(changes, Kind::Deployment)["spec"]["template"]["spec"]["containers"][0].clone()
}

/// Compares children with a file; with `UPDATE=1` in the environment, writes it.
fn are_those_of(file: &str, children: Vec<Child>) {
    let yaml = |child: &Child| serde_saphyr::to_string(&child.manifest).unwrap();
    let made: String = children.iter().map(|child| format!("---\n{}", yaml(child))).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap();
    assert!(kept == made, "goldens/{file} is out of date: run this test with UPDATE=1");
}

#[test]
fn the_children_of_the_example_are_those_of_the_golden_file() {
    are_those_of("ecg.yaml", children(&[]));
}

#[test]
fn so_are_those_of_one_with_everything_that_is_optional() {
    let key = |name: &str, key: &str| json!({"secretKeyRef": {"name": name, "key": key}});
    let toleration = json!({"key": "hearts", "operator": "Exists", "effect": "NoSchedule"});
    let changes = [
        ("/replicas", json!(3)),
        ("/image", json!({"repository": "other/worker", "tag": "2", "pullSecrets": ["pull"]})),
        ("/kafka/brokers", json!(["a:9092", "b:9093"])),
        ("/kafka/security", json!({"tls": {"ca": key("kafka", "ca.pem")}})),
        ("/resources", json!({"requests": {"cpu": 1}, "limits": {"memory": "1Gi"}})),
        (
            "/pod",
            json!({
                "labels": {"team": "hearts"},
                "annotations": {"note": "1"},
                "nodeSelector": {"disk": "fast"},
                "tolerations": [toleration],
                "priorityClassName": "high",
                "terminationGracePeriodSeconds": 60,
            }),
        ),
        ("/disruptionBudget", json!({"maxUnavailable": "25%"})),
        ("/networkPolicy", json!({"enabled": true})),
        (
            "/observability",
            json!({
                "port": 9000, "logLevel": "Debug", "serviceMonitor": {"labels": {"release": "p"}},
            }),
        ),
    ];
    are_those_of("everything.yaml", children(&changes));
}

#[test]
fn a_revision_is_another_when_results_or_processes_are() {
    let revision = |changes: &[(&str, Value)]| Revision::of(&resource(changes), &settings());
    let plain = revision(&[]);
    let others = [
        ("/image", json!({"tag": "2.0.0"})),
        ("/engine", json!({"threads": 2})),
        ("/observability", json!({"port": 9000})),
        ("/pod", json!({"terminationGracePeriodSeconds": 60})),
        ("/resources", json!({"limits": {"cpu": 1}})),
        ("/series/dimension", json!(2)),
    ];
    for (field, value) in others {
        assert_ne!(revision(&[(field, value)]), plain, "{field}");
    }
    let same = [
        ("/replicas", json!(7)),
        ("/rollout", json!({"revisionHistoryLimit": 9})),
        ("/disruptionBudget", json!({"maxUnavailable": "50%"})),
        ("/networkPolicy", json!({"enabled": true})),
        ("/autoscaling", json!({"maxReplicas": 3})),
        ("/observability", json!({"serviceMonitor": {}})),
        ("/engine", json!({"queueBytes": 4_194_304})),
    ];
    for (field, value) in same {
        assert_eq!(revision(&[(field, value)]), plain, "{field}");
    }
    let newer = Settings { image_tag: "1.0.1".into(), ..settings() };
    assert_ne!(Revision::of(&resource(&[]), &newer), plain);
    let pinned = [("/image", json!({"tag": "1.0.0"}))];
    assert_eq!(Revision::of(&resource(&pinned), &newer), plain);
}

#[test]
fn files_are_mounted_where_the_configuration_says() {
    let key = |name: &str, key: &str| json!({"secretKeyRef": {"name": name, "key": key}});
    let changes = [(
        "/kafka/security",
        json!({
            "tls": {
                "ca": {"configMapKeyRef": {"name": "authority", "key": "ca.pem"}},
                "certificate": key("client.tls", "tls.crt"),
                "key": key("client.tls", "tls.key"),
            },
            "sasl": {"mechanism": "PLAIN", "username": "tda", "password": key("kafka", "password")},
        }),
    )];
    let configuration = child(&changes, Kind::ConfigMap)["data"]["worker.yaml"].clone();
    let configuration: Value = serde_saphyr::from_str(configuration.as_str().unwrap()).unwrap();
    let security = &configuration["kafka"]["security"];
    let container = worker(&changes);
    let mounts = container["volumeMounts"].as_array().unwrap();
    let volumes = &child(&changes, Kind::Deployment)["spec"]["template"]["spec"]["volumes"];
    for (path, origin) in [
        (&security["tls"]["ca_file"], "authority"),
        (&security["tls"]["certificate_file"], "client.tls"),
        (&security["tls"]["key_file"], "client.tls"),
        (&security["sasl"]["password_file"], "kafka"),
    ] {
        let (folder, file) = path.as_str().unwrap().rsplit_once('/').unwrap();
        let mount = mounts.iter().find(|mount| mount["mountPath"] == folder).unwrap();
        let volume = volumes.as_array().unwrap().iter().find(|v| v["name"] == mount["name"]);
        let volume = volume.unwrap();
        let (source, name) = match &volume["secret"] {
            Value::Null => (&volume["configMap"], "name"),
            secret => (secret, "secretName"),
        };
        assert_eq!(source[name], origin);
        let items = source["items"].as_array().unwrap();
        assert!(items.iter().any(|item| item["path"] == file && item["key"] == file));
    }
    assert_eq!(mounts.len(), 4);
}

#[test]
fn what_is_asked_of_a_node_is_what_the_resource_says_or_what_scales_need() {
    let asked = |resources: Value| worker(&[("/resources", resources)])["resources"].clone();
    let needed = json!({"requests": {"cpu": "360m", "memory": "311Mi"}});
    assert_eq!(worker(&[])["resources"], needed);
    assert_eq!(
        asked(json!({"limits": {"cpu": 2, "memory": "1Gi"}})),
        json!({
            "requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"},
        })
    );
    assert_eq!(
        asked(json!({"requests": {"cpu": "0.5"}}))["requests"],
        json!({"cpu": "0.5", "memory": "311Mi"})
    );
}

#[test]
fn what_is_optional_is_there_when_it_is_asked_for() {
    let kinds = |changes: &[(&str, Value)]| -> Vec<Kind> {
        children(changes).iter().map(|child| child.key.kind).collect()
    };
    assert!(!kinds(&[]).contains(&Kind::NetworkPolicy));
    assert!(!kinds(&[]).contains(&Kind::ServiceMonitor));
    let asked = [
        ("/networkPolicy", json!({"enabled": true})),
        ("/observability", json!({"serviceMonitor": {"labels": {"release": "prometheus"}}})),
    ];
    assert!(kinds(&asked).contains(&Kind::NetworkPolicy));
    let monitor = child(&asked, Kind::ServiceMonitor);
    assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
    let mut unknown = observed(&asked);
    unknown.monitors = false;
    let plan = plan(&unknown, Timestamp::UNIX_EPOCH);
    assert!(plan.writes.iter().all(|write| write.child.key.kind != Kind::ServiceMonitor));
    assert!(plan.events.iter().any(|event| event.note.contains("serviceMonitor")));
}

#[test]
fn a_resource_that_goes_is_left_to_the_garbage_collector() {
    let mut going = observed(&[]);
    let now = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH);
    going.resource.metadata.deletion_timestamp = Some(now);
    let plan = plan(&going, Timestamp::UNIX_EPOCH);
    assert!(plan.is_empty() && plan.requeue.is_none());
}
