//! The operator on a real API server, without nodes: what it makes of a resource. Nobody runs the pods,
//! so that the test says of them that they are ready.

use crate::chart::{OPERATOR, asked, chart, helm, nothing_is_forbidden};
use crate::resources::plane;
use crds::StreamingTDA;
use harness::cluster::{Client, ControlPlane};
use harness::operator::Operator;
use http::Method;
use kube::Resource;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

pub(crate) const NAMESPACE: &str = "default";
pub(crate) const SOON: Duration = Duration::from_secs(90);
/// For how long nothing may be written when nothing happens.
const QUIET: Duration = Duration::from_secs(60);

/// Where the children of a resource are, and how many of each there are.
pub(crate) const CHILDREN: [(&str, &str); 8] = [
    ("apis/apps/v1", "deployments"),
    ("apis/apps/v1", "controllerrevisions"),
    ("api/v1", "configmaps"),
    ("api/v1", "services"),
    ("api/v1", "serviceaccounts"),
    ("apis/rbac.authorization.k8s.io/v1", "roles"),
    ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    ("apis/policy/v1", "poddisruptionbudgets"),
];

/// The kubeconfig of an operator that may do what the chart says.
pub(crate) fn rights(plane: &ControlPlane) -> PathBuf {
    let mut helm = helm(plane.programs());
    helm.args(["template", "streaming-tda", "--namespace", NAMESPACE, "--kube-version", "1.34.0"]);
    for file in ["roles", "serviceaccount"] {
        helm.args(["--show-only", &format!("templates/{file}.yaml")]);
    }
    let rendered = helm.arg(chart()).output().unwrap();
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    plane.client().apply(&String::from_utf8(rendered.stdout).unwrap()).unwrap();
    plane.kubeconfig_of(NAMESPACE, OPERATOR).unwrap()
}

pub(crate) fn resources() -> String {
    format!("/apis/streamingtda.io/v1alpha1/namespaces/{NAMESPACE}/streamingtdas")
}

pub(crate) fn example() -> Value {
    let file = harness::root().join("examples/ecg.yaml");
    serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// What the example is with other fields in its spec.
pub(crate) fn apply(client: &Client, changes: &Value) {
    let mut manifest = example();
    manifest["metadata"]["namespace"] = json!(NAMESPACE);
    for (field, value) in changes.as_object().unwrap() {
        manifest["spec"][field] = value.clone();
    }
    client.apply(&manifest.to_string()).unwrap();
}

pub(crate) fn ecg(client: &Client) -> Value {
    client.get(&format!("{}/ecg", resources())).unwrap().unwrap()
}

pub(crate) fn condition(client: &Client, type_: &str) -> Value {
    let resource = ecg(client);
    let conditions = resource["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let condition = conditions.into_iter().find(|condition| condition["type"] == type_);
    let condition = condition.unwrap_or_default();
    let about = condition["observedGeneration"] == resource["metadata"]["generation"];
    if about { condition } else { Value::Null }
}

pub(crate) fn wait_for(client: &Client, operator: &Operator, type_: &str, status: &str) {
    let what = format!("{type_} is {status}");
    let is = |client: &Client| Ok(condition(client, type_)["status"] == status);
    client.wait_until(&what, SOON, is).unwrap_or_else(|error| {
        panic!("{error:#}\n{:#}\n{}", ecg(client)["status"], operator.log())
    });
}

/// All objects with the labels of the example's children, by kind and name.
fn children(client: &Client) -> BTreeMap<String, Value> {
    let query = "labelSelector=streamingtda.io%2Fname%3Decg,app.kubernetes.io%2Fmanaged-by%3D\
                 streaming-tda-operator";
    let of = |(group, plural): (&str, &str)| {
        let path = format!("/{group}/namespaces/{NAMESPACE}/{plural}?{query}");
        let list = client.get(&path).unwrap().unwrap();
        let plural = plural.to_owned();
        list["items"].as_array().unwrap().clone().into_iter().map(move |item| {
            (format!("{plural}/{}", item["metadata"]["name"].as_str().unwrap()), item)
        })
    };
    CHILDREN.into_iter().flat_map(of).collect()
}

pub(crate) fn send(
    client: &Client,
    method: Method,
    path: &str,
    type_: &str,
    body: &Value,
) -> Value {
    client.send(method, path, type_, body).unwrap()
}

/// Says of all pods that they run, and whether they are ready, as a node would.
pub(crate) fn run_pods(client: &Client, ready: bool) {
    let pods = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    let ready = if ready { "True" } else { "False" };
    let status = json!({"status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": ready}],
    }});
    for pod in client.get(&pods).unwrap().unwrap()["items"].as_array().unwrap() {
        let path = format!("{pods}/{}/status", pod["metadata"]["name"].as_str().unwrap());
        // It may have gone meanwhile.
        _ = client.send(Method::PATCH, &path, "application/merge-patch+json", &status);
    }
}

/// Waits until the spec is in force, while pods become ready.
pub(crate) fn settle(client: &Client, operator: &Operator) {
    let is = |client: &Client| {
        run_pods(client, true);
        Ok(condition(client, "Ready")["status"] == "True")
    };
    client.wait_until("the spec is in force", SOON, is).unwrap_or_else(|error| {
        panic!("{error:#}\n{:#}\n{}", ecg(client)["status"], operator.log())
    });
}

/// What changes with every write.
fn versions(client: &Client) -> Vec<Value> {
    let children = children(client);
    let objects = children.values().cloned().chain([ecg(client)]);
    objects.map(|object| object["metadata"]["resourceVersion"].clone()).collect()
}

#[test]
fn the_operator_makes_a_resource_what_it_says() {
    let plane = plane();
    let client = plane.client();
    let rights = rights(&plane);
    let operator = Operator::start(&rights, "operator-a").unwrap();
    apply(client, &json!({}));
    children_appear(client, &operator);
    settle(client, &operator);
    assert_eq!(ecg(client)["status"]["readyReplicas"], 1);
    nothing_is_written_when_nothing_happens(client, &operator, QUIET);
    nor_is_anything_of_what_is_optional(client, &operator);
    what_others_change_is_put_right(client, &operator);
    a_changed_spec_becomes_a_new_revision(client, &operator);
    pods_that_never_become_ready_are_told_of(client, &operator);
    what_belongs_to_others_is_left_alone(client, &operator);
    a_resource_that_is_not_understood_stops_no_other(client, &operator);
    the_lease_is_handed_on(client, &rights, operator);
    nothing_is_forbidden(&asked(&plane, NAMESPACE));
    children_go_with_their_resource(client);
}

fn children_appear(client: &Client, operator: &Operator) {
    wait_for(client, operator, "Progressing", "True");
    let resource = ecg(client);
    let children = children(client);
    assert_eq!(children.len(), CHILDREN.len(), "{:?}", children.keys());
    for (name, child) in &children {
        let owner = &child["metadata"]["ownerReferences"][0];
        assert_eq!(owner["uid"], resource["metadata"]["uid"], "{name}");
        assert_eq!(owner["controller"], true, "{name}");
    }
    let status = &resource["status"];
    assert_eq!(status["candidateRevision"].as_str().unwrap().len(), 10);
    assert_eq!(condition(client, "Ready")["reason"], "RollingOut");
    assert_eq!(condition(client, "Serving")["status"], "False");
}

pub(crate) fn nothing_is_written_when_nothing_happens(
    client: &Client,
    operator: &Operator,
    time: Duration,
) {
    assert_eq!(ecg(client)["status"]["candidateRevision"], Value::Null);
    // The last status is heard of, and nothing follows from it.
    thread::sleep(Duration::from_secs(2));
    let before = (versions(client), operator.metric("stda_operator_writes_total").unwrap());
    let looked = operator.metric("stda_operator_reconciles_total").unwrap();
    thread::sleep(time);
    // Someone says something that has nothing to do with the spec: it is looked at, and that is all.
    let note = json!({"metadata": {"annotations": {"note": format!("{looked}")}}});
    let path = format!("{}/ecg", resources());
    let noted = send(client, Method::PATCH, &path, "application/merge-patch+json", &note);
    let looks = |_: &Client| Ok(operator.metric("stda_operator_reconciles_total")? > looked);
    client.wait_until("the operator looks", SOON, looks).unwrap();
    thread::sleep(Duration::from_secs(1));
    let mut after = (versions(client), operator.metric("stda_operator_writes_total").unwrap());
    assert_eq!(after.0.pop().as_ref(), noted["metadata"].get("resourceVersion"));
    assert_eq!(after.0, before.0[..after.0.len()]);
    assert_eq!(after.1, before.1, "{}", operator.log());
}

/// Whatever the API server makes of the fields: other spellings, defaults, empty ones left out.
fn nor_is_anything_of_what_is_optional(client: &Client, operator: &Operator) {
    let key = |key: &str| json!({"secretKeyRef": {"name": "kafka", "key": key}});
    let changes = json!({
        "replicas": 2,
        "image": {"repository": "other/worker", "tag": "2", "pullSecrets": ["pull"]},
        "kafka": {
            "brokers": ["a:9092", "b:9093"],
            "input": "ecg",
            "security": {"tls": {"ca": key("ca.pem"), "certificate": key("c"), "key": key("k")}},
        },
        "resources": {"requests": {"cpu": "0.5"}, "limits": {"cpu": 2, "memory": "1024Mi"}},
        "pod": {
            "labels": {"team": "hearts"},
            "annotations": {"note": "1"},
            "nodeSelector": {"disk": "fast"},
            "tolerations": [
                {"key": "hearts", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
                {"key": "disk", "value": "fast"},
            ],
        },
        "disruptionBudget": {"maxUnavailable": "25%"},
        "networkPolicy": {"enabled": true},
        "observability": {"port": 9000, "logLevel": "Debug", "serviceMonitor": {}},
    });
    apply(client, &changes);
    settle(client, operator);
    let policy = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/ecg-workers";
    assert!(client.get(policy).unwrap().is_some());
    nothing_is_written_when_nothing_happens(client, operator, Duration::from_secs(5));
    apply(client, &json!({}));
    settle(client, operator);
    let gone = |client: &Client| Ok(client.get(policy)?.is_none());
    client.wait_until("the NetworkPolicy has gone", SOON, gone).unwrap();
}

fn what_others_change_is_put_right(client: &Client, operator: &Operator) {
    let service = format!("/api/v1/namespaces/{NAMESPACE}/services/ecg-workers");
    send(client, Method::DELETE, &service, "application/json", &json!({}));
    let back = |client: &Client| Ok(client.get(&service)?.is_some());
    client.wait_until("the Service is back", SOON, back).unwrap();
    let children = children(client);
    let (name, _) = children.iter().find(|(name, _)| name.starts_with("deployments/")).unwrap();
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/{name}");
    let many = json!({"spec": {"replicas": 5}});
    send(client, Method::PATCH, &path, "application/merge-patch+json", &many);
    let one = |client: &Client| Ok(client.get(&path)?.unwrap()["spec"]["replicas"] == 1);
    client.wait_until("there is one pod again", SOON, one).unwrap();
    settle(client, operator);
}

fn a_changed_spec_becomes_a_new_revision(client: &Client, operator: &Operator) {
    let old = ecg(client)["status"]["stableRevision"].clone();
    apply(client, &json!({"replicas": 2, "image": {"tag": "2.0.0"}}));
    settle(client, operator);
    let status = ecg(client)["status"].clone();
    let new = status["stableRevision"].as_str().unwrap();
    assert_ne!(old, new);
    assert_eq!(status["revisions"].as_array().unwrap().len(), 1);
    assert_eq!(status["revisions"][0]["name"], new);
    let children = children(client);
    let count = |kind: &str| children.keys().filter(|name| name.starts_with(kind)).count();
    assert_eq!(count("controllerrevisions/"), 3);
    let gone = |client: &Client| {
        let left = self::children(client);
        Ok(!left.contains_key(&format!("configmaps/ecg-{}", old.as_str().unwrap())))
    };
    client.wait_until("the old configuration has gone", SOON, gone).unwrap();
    // An order of pods alone is no other revision.
    apply(client, &json!({"replicas": 1, "image": {"tag": "2.0.0"}}));
    settle(client, operator);
    assert_eq!(ecg(client)["status"]["stableRevision"], new);
    let events = format!("/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events");
    let events = client.get(&events).unwrap().unwrap();
    let reasons: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["reportingController"] == "streaming-tda-operator")
        .filter_map(|event| event["reason"].as_str())
        .collect();
    for reason in ["RevisionCreated", "RevisionInForce", "RevisionRetired", "Serving"] {
        assert!(reasons.contains(&reason), "{reason} is not among {reasons:?}");
    }
}

fn pods_that_never_become_ready_are_told_of(client: &Client, operator: &Operator) {
    let stable = ecg(client)["status"]["stableRevision"].clone();
    let hasty = json!({"progressDeadlineSeconds": 10});
    apply(client, &json!({"image": {"tag": "no-such"}, "rollout": hasty}));
    wait_for(client, operator, "Stalled", "True");
    assert_eq!(condition(client, "Stalled")["reason"], "ProgressDeadlineExceeded");
    assert_eq!(condition(client, "Ready")["status"], "False");
    assert_eq!(condition(client, "Serving")["reason"], "NoPodReady");
    let status = ecg(client)["status"].clone();
    assert_eq!(status["stableRevision"], stable);
    assert!(status["candidateRevision"].is_string());
    // Nor can those be made that the API server does not admit.
    let refused = json!({"priorityClassName": "no-such"});
    apply(client, &json!({"image": {"tag": "2.0.0"}, "pod": refused}));
    let said = |client: &Client| {
        let stalled = condition(client, "Stalled");
        let message = stalled["message"].as_str().unwrap_or_default();
        Ok(stalled["reason"] == "PodsRefused" && message.contains("no-such"))
    };
    client.wait_until("it is said that pods are refused", SOON, said).unwrap();
    apply(client, &json!({"image": {"tag": "2.0.0"}}));
    settle(client, operator);
    assert_eq!(ecg(client)["status"]["stableRevision"], stable);
}

fn what_belongs_to_others_is_left_alone(client: &Client, operator: &Operator) {
    let account = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: taken-workers, namespace: default, labels: {of: someone}}
";
    client.apply(account).unwrap();
    let mut taken = example();
    taken["metadata"] = json!({"name": "taken", "namespace": NAMESPACE});
    client.apply(&taken.to_string()).unwrap();
    let resource = format!("{}/taken", resources());
    let reason = |client: &Client| {
        let resource = client.get(&resource).unwrap().unwrap();
        let conditions = resource["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let stalled = conditions.into_iter().find(|c| c["type"] == "Stalled");
        stalled.map_or(Value::Null, |condition| condition["reason"].clone())
    };
    let said = |client: &Client| Ok(reason(client) == "NameTaken");
    client
        .wait_until("it is said that a name is taken", SOON, said)
        .unwrap_or_else(|error| panic!("{error:#}\n{}", operator.log()));
    let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/taken-workers");
    let account = client.get(&path).unwrap().unwrap();
    assert_eq!(account["metadata"]["labels"], json!({"of": "someone"}));
    assert_eq!(account["metadata"]["ownerReferences"], Value::Null);
    send(client, Method::DELETE, &path, "application/json", &json!({}));
    let goes_on = |client: &Client| Ok(reason(client) == "OK");
    client.wait_until("it goes on when the name is free", SOON, goes_on).unwrap();
    send(client, Method::DELETE, &resource, "application/json", &json!({}));
}

/// Another version of the definitions may admit what this operator does not know.
fn a_resource_that_is_not_understood_stops_no_other(client: &Client, operator: &Operator) {
    let definition = format!(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}.{}",
        <StreamingTDA as Resource>::plural(&()),
        <StreamingTDA as Resource>::group(&())
    );
    let pointer = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/engine";
    let loose = json!([
        {"op": "replace", "path": pointer, "value": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": true,
        }},
        {"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/\
                                  x-kubernetes-validations"},
    ]);
    send(client, Method::PATCH, &definition, "application/json-patch+json", &loose);
    let mut odd = example();
    odd["metadata"] = json!({"name": "odd", "namespace": NAMESPACE});
    odd["spec"]["engine"] = json!({"threads": "many"});
    let applied = |client: &Client| client.apply(&odd.to_string()).map(|()| true);
    client.wait_until("what is not understood is applied", SOON, applied).unwrap();
    let said = |client: &Client| {
        let odd = client.get(&format!("{}/odd", resources()))?.unwrap_or_default();
        let conditions = odd["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let stalled = |c: &Value| c["type"] == "Stalled" && c["reason"] == "InvalidSpec";
        Ok(conditions.iter().any(stalled))
    };
    client
        .wait_until("it is said that it is not understood", SOON, said)
        .unwrap_or_else(|error| panic!("{error:#}\n{}", operator.log()));
    apply(client, &json!({"replicas": 3, "image": {"tag": "2.0.0"}}));
    settle(client, operator);
    assert_eq!(ecg(client)["status"]["readyReplicas"], 3);
}

/// At once by one that is told to end, and later by one that has stopped in its tracks; that one must
/// not act when it goes on.
fn the_lease_is_handed_on(client: &Client, rights: &Path, first: Operator) {
    let second = candidate(client, rights, "operator-b");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(holder(client), "operator-a");
    let told = Instant::now();
    first.terminate().unwrap();
    holds(client, "operator-b");
    let gap = told.elapsed();
    // Without a release, it would take ten seconds at least.
    assert!(gap < Duration::from_secs(9), "the second has the lease after {gap:?}");
    let third = candidate(client, rights, "operator-c");
    second.freeze().unwrap();
    holds(client, "operator-c");
    second.thaw().unwrap();
    let said = second.fails(SOON).unwrap();
    assert!(said.contains("another operator may act"), "{said}");
    apply(client, &json!({"replicas": 1, "image": {"tag": "3.0.0"}}));
    settle(client, &third);
    third.terminate().unwrap();
    assert_eq!(holder(client), "");
}

/// An operator that waits for the lease.
fn candidate(client: &Client, rights: &Path, identity: &str) -> Operator {
    let operator = Operator::start(rights, identity).unwrap();
    let waits = |_: &Client| Ok(operator.log().contains("waiting for the lease"));
    client.wait_until("it waits", SOON, waits).unwrap();
    operator
}

fn holder(client: &Client) -> String {
    let lease = format!(
        "/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/streaming-tda-operator"
    );
    let lease = client.get(&lease).unwrap().unwrap();
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().into()
}

fn holds(client: &Client, identity: &str) {
    let what = format!("{identity} has the lease");
    client.wait_until(&what, SOON, |client| Ok(holder(client) == identity)).unwrap();
}

fn children_go_with_their_resource(client: &Client) {
    let path = format!("{}/ecg", resources());
    send(client, Method::DELETE, &path, "application/json", &json!({}));
    let gone = |client: &Client| Ok(children(client).is_empty());
    client.wait_until("the children have gone", SOON, gone).unwrap();
}
