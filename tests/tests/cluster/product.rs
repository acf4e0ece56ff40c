//! The whole product as its users have it: the chart, images of our own, the example, workers in pods
//! that read a real Kafka, alerts. Namespaces let in only what is restricted.

use crate::nodes::{alone, cluster, skip};
use anyhow::{Context, Result};
use harness::audit::Audit;
use harness::binary::Profile;
use harness::cluster::{Client, Cluster, HOST};
use harness::ecg::Ward;
use harness::image::Image;
use harness::installation::{self, Installation, kafka_service};
use harness::kafka::{Kafka, Options, create_outputs};
use harness::worker::Worker;
use harness::{free_port, root};
use http::Method;
use mesh::Connection;
use mesh::schema::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

const TEST: &str = "the_example_runs_on_nodes_loses_nothing_and_leaves_nothing_behind";
const NAMESPACE: &str = "default";
const RESOURCE: &str = "/apis/streamingtda.io/v1alpha1/namespaces/default/streamingtdas/ecg";
const MERGE: &str = "application/merge-patch+json";
const PATIENCE: Duration = Duration::from_secs(120);
const BEDS: i32 = 2;
/// Where objects of the resource are.
const KINDS: [&str; 11] = [
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/serviceaccounts",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/replicasets",
    "/apis/apps/v1/namespaces/default/controllerrevisions",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
];

#[test]
fn the_example_runs_on_nodes_loses_nothing_and_leaves_nothing_behind() {
    let _alone = alone();
    let Some(cluster) = cluster(TEST) else { return };
    let Some(host) = cluster.host() else {
        return skip(TEST, &format!("{HOST} does not say where pods reach a Kafka of the test"));
    };
    let kafka = Kafka::with(&Options { pods: Some(host), ..Options::default() }).unwrap();
    let client = cluster.client();
    let installation = put(&cluster);
    client.apply(&kafka_service(NAMESPACE, &kafka.address_for_pods().unwrap()).unwrap()).unwrap();
    kafka.create_topics("ecg", &["ecg"], BEDS).unwrap();
    let before = objects(client);

    let ward = Ward::play(&kafka.connection(), "ecg", BEDS, 5.0).unwrap();
    let mut audit = Audit::of(&kafka.connection(), "ecg").unwrap();
    let applied = Instant::now();
    installation.kubectl(&["apply", "--filename", "examples/ecg.yaml"]).unwrap();
    until(&mut audit, "a diagram can be read", client, |audit| count(audit, Kind::Diagrams) > 0);
    say(&format!("from the resource to the first diagram: {:.1?}", applied.elapsed()));
    settle(client);
    installation.test().unwrap();
    the_plugin_sees_it(&installation);
    until(&mut audit, "there is an alert", client, |audit| count(audit, Kind::Alerts) > 0);

    let changed = Instant::now();
    patch(client, &json!({"spec": {"replicas": 2, "observability": {"logLevel": "Debug"}}}));
    settle(client);
    say(&format!("from the changed resource to its revision in force: {:.1?}", changed.elapsed()));
    let pods = pods(client);
    assert_eq!(pods.len(), 2);
    // A node that dies takes its pods along.
    let pod = format!("/api/v1/namespaces/default/pods/{}?gracePeriodSeconds=0", pods[0]);
    client.send(Method::DELETE, &pod, "application/json", &json!({})).unwrap();
    let replaced = |client: &Client| Ok(!self::pods(client).contains(&pods[0]));
    client.wait_until("the pod is another", PATIENCE, replaced).unwrap();
    settle(client);
    read_for(&mut audit, Duration::from_secs(3));
    ward.end().unwrap();
    audit.read_rest(Duration::from_secs(5)).unwrap();
    let (found, truth) = (audit.neutral("ecg"), undisturbed(&kafka).neutral("ecg"));
    assert!(count(&audit, Kind::Alerts) > 0 && truth.len() > 500, "{} outputs", truth.len());
    let lost: Vec<_> = truth.keys().filter(|id| !found.contains_key(*id)).take(5).collect();
    assert!(lost.is_empty(), "lost, of {}: {lost:?}", truth.len());
    assert!(found == truth, "other outputs than those of an undisturbed worker");
    assert_eq!(audit.out_of_order(), None);

    client.send(Method::DELETE, RESOURCE, "application/json", &json!({})).unwrap();
    let gone = |client: &Client| Ok(client.get(RESOURCE)?.is_none() && objects(client) == before);
    client
        .wait_until("all has gone", PATIENCE, gone)
        .unwrap_or_else(|error| panic!("{error:#}: {:?}", objects(client).difference(&before)));
    installation.remove().unwrap();
}

/// The chart by its default values, with the images where it expects them.
fn put(cluster: &Cluster) -> Installation<'_> {
    // Those of another cluster are put there by `make images`, and by hand.
    if cluster.is_ours() {
        for make in [Image::operator, Image::worker] {
            cluster.load(&make(Profile::own()).unwrap()).unwrap();
        }
    }
    let namespace = |name: &str| {
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    };
    for name in [NAMESPACE, installation::NAMESPACE] {
        cluster.client().apply(&namespace(name).to_string()).unwrap();
    }
    Installation::put(cluster).unwrap()
}

/// What people ask of it while it runs. An exit code other than 0 is an error here.
fn the_plugin_sees_it(installation: &Installation<'_>) {
    let said = |arguments: &[&str]| {
        let all = [&["stda"], arguments].concat();
        installation.kubectl(&all).unwrap()
    };
    let status = said(&["status", "ecg"]);
    assert!(status.contains("ecg-"), "no pod: {status}");
    let partitions = said(&["partitions", "ecg", "--output", "json"]);
    let partitions: Value = serde_json::from_str(&partitions).unwrap();
    let listed = partitions["partitions"].as_array().unwrap();
    assert_eq!(listed.len(), BEDS as usize, "{partitions}");
    assert!(said(&["logs", "ecg"]).contains("partition"), "the logs say nothing of partitions");
    assert!(said(&["list"]).contains("ecg"));
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.tar.gz");
    said(&["diagnose", "ecg", "-o", report.to_str().unwrap()]);
    assert!(fs::metadata(report).unwrap().len() > 1000);
}

/// Reads outputs until something is the case.
fn until(audit: &mut Audit, what: &str, client: &Client, is: impl Fn(&Audit) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is(audit) {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}: {}", state(client));
        audit.read(Duration::from_millis(50)).unwrap();
    }
}

fn read_for(audit: &mut Audit, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        audit.read(Duration::from_millis(50)).unwrap();
    }
}

/// Waits until the newest spec is in force.
fn settle(client: &Client) {
    let ready = |client: &Client| {
        let resource = client.get(RESOURCE)?.context("it is not there")?;
        let conditions = resource["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let newest = &resource["metadata"]["generation"];
        Ok(conditions.iter().any(|c| {
            c["type"] == "Ready" && c["status"] == "True" && &c["observedGeneration"] == newest
        }))
    };
    client
        .wait_until("it is ready", PATIENCE, ready)
        .unwrap_or_else(|error| panic!("{error:#}: {}", state(client)));
}

fn patch(client: &Client, change: &Value) {
    client.send(Method::PATCH, RESOURCE, MERGE, change).unwrap();
}

fn count(audit: &Audit, kind: Kind) -> usize {
    audit.of_kind(kind).count()
}

/// Those of the workers that are not about to end.
fn pods(client: &Client) -> Vec<String> {
    let path = "/api/v1/namespaces/default/pods?labelSelector=streamingtda.io%2Fname%3Decg";
    let pods = client.get(path).unwrap().unwrap();
    let pods = pods["items"].as_array().unwrap().iter();
    let live = pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    live.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

fn objects(client: &Client) -> BTreeSet<String> {
    let of_kind = |kind: &&str| {
        let list = client.get(kind).unwrap().unwrap();
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let kind = (*kind).to_owned();
        items.into_iter().map(move |item| {
            format!("{kind}/{}", item["metadata"]["name"].as_str().unwrap_or_default())
        })
    };
    KINDS.iter().flat_map(of_kind).collect()
}

/// What the resource and its pods say.
fn state(client: &Client) -> String {
    let status = |path: &str| client.get(path).unwrap().unwrap_or_default();
    let pods = status("/api/v1/namespaces/default/pods");
    let pods = pods["items"].as_array().cloned().unwrap_or_default();
    let pods: Vec<_> = pods.iter().map(|pod| &pod["status"]).collect();
    format!("{}\n{}", status(RESOURCE)["status"], json!(pods))
}

/// What one worker beside the cluster makes of the same input.
fn undisturbed(kafka: &Kafka) -> Audit {
    let file = fs::read_to_string(root().join("examples/ecg.worker.yaml")).unwrap();
    let mut config: Value = serde_saphyr::from_str(&file).unwrap();
    let outputs = Kind::ALL.map(|kind| (kind.to_string(), json!(format!("apart.{kind}"))));
    config["kafka"]["brokers"] = json!(kafka.address());
    config["kafka"]["group"] = json!("apart");
    config["kafka"]["outputs"] = Value::Object(outputs.into_iter().collect());
    config["kafka"]["checkpoints"] = json!("apart.checkpoints");
    config["kafka"]["dead_letters"] = json!({"topic": "apart.dead-letters"});
    config["http"]["listen"] = json!(format!("127.0.0.1:{}", free_port().unwrap()));
    let connection: Connection = kafka.connection();
    create_outputs(&connection, "apart", BEDS).unwrap();
    let mut audit = Audit::of(&connection, "apart").unwrap();
    let mut worker = Worker::start(&config.to_string()).unwrap();
    audit.read_until(1, PATIENCE, &mut worker).unwrap();
    audit.read_rest(Duration::from_secs(5)).unwrap();
    worker.terminate().unwrap();
    audit
}

/// Not by `println!`, which the test runner keeps to itself.
fn say(line: &str) {
    let _: Result<()> =
        std::io::stderr().write_all(format!("{line}\n").as_bytes()).map_err(Into::into);
}
