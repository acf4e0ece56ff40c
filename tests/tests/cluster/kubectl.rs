//! `kubectl stda` on a real API server. There are no nodes: pods are objects whose status the test
//! writes, and so is what the operator says.

use crate::operator::{apply, ecg, resources, send};
use crate::resources::plane;
use harness::cluster::{Client, ControlPlane};
use harness::kubectl::{Output, kubectl_stda, start_kubectl_stda};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const PODS: &str = "/api/v1/namespaces/default/pods";
const MERGE: &str = "application/merge-patch+json";
const MINUTE: Duration = Duration::from_secs(60);

/// A plugin for the control plane.
fn stda(plane: &ControlPlane, arguments: &[&str]) -> Output {
    kubectl_stda(plane.kubeconfig(), arguments).unwrap()
}

/// Says of the resource what the operator would: that one condition of its generation holds.
fn say(client: &Client, type_: &str, reason: &str) {
    let generation = ecg(client)["metadata"]["generation"].clone();
    let condition = |name: &str| {
        json!({
            "type": name,
            "status": if name == type_ { "True" } else { "False" },
            "reason": reason,
            "message": "as the test has it",
            "observedGeneration": generation,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let conditions = ["Ready", "Progressing", "Stalled", "Serving"].map(condition);
    let status = json!({"status": {
        "observedGeneration": generation,
        "conditions": conditions,
        "stableRevision": "5d0c1f2a3b",
        "revisions": [{
            "name": "5d0c1f2a3b", "generation": generation, "image": "worker:1",
            "replicas": 1, "readyReplicas": 1, "activePartitions": 0,
        }],
        "replicas": 1,
        "readyReplicas": 1,
    }});
    send(client, Method::PATCH, &format!("{}/ecg/status", resources()), MERGE, &status);
}

/// A worker pod that nobody runs, with a status.
fn pod(client: &Client, name: &str, status: &Value) {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {
            "streamingtda.io/name": "ecg", "streamingtda.io/revision": "5d0c1f2a3b",
        }},
        "spec": {"containers": [{"name": "worker", "image": "worker:1"}]},
    });
    send(client, Method::POST, PODS, "application/json", &pod);
    let path = format!("{PODS}/{name}/status");
    send(client, Method::PATCH, &path, MERGE, &json!({"status": status}));
}

/// That a call ends like this, and says all of that.
fn says(output: &Output, code: i32, words: &[&str]) {
    let said = format!("{}{}", output.out, output.err);
    assert_eq!(output.code, code, "{said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in:\n{said}");
    }
    assert_eq!(code == 3, !output.err.is_empty(), "{}", output.err);
    assert!(!said.contains('\x1b'), "colours, though it is no terminal:\n{said}");
}

#[test]
fn kubectl_stda_tells_what_resources_do() {
    let plane = ControlPlane::start().unwrap();
    a_cluster_without_the_definitions_is_told_of(&plane);
    drop(plane);
    let plane = plane_with_account();
    let client = plane.client();
    says(&stda(&plane, &["list"]), 0, &["There is no StreamingTDA in the namespace default."]);
    apply(client, &json!({}));
    what_is_wrong_is_said_in_a_sentence(&plane);
    says(&stda(&plane, &["status", "ecg"]), 2, &["Unseen", "no operator has looked at it"]);
    status_says_why_pods_are_not_ready(&plane);
    watching_ends_with_what_it_has_come_to(&plane);
    a_list_is_there_for_people_and_programs(&plane);
    manifests_are_held_to_what_is_there(&plane);
    workers_that_nobody_runs_are_named(&plane);
    a_report_has_no_secrets(&plane);
}

fn plane_with_account() -> ControlPlane {
    let plane = plane();
    // Pods are refused without it, and the controller that makes it takes its time.
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    let there = |client: &Client| Ok(client.get(account)?.is_some());
    plane.client().wait_until("there is an account for pods", MINUTE, there).unwrap();
    plane
}

fn a_cluster_without_the_definitions_is_told_of(plane: &ControlPlane) {
    let install = "helm install streaming-tda charts/streaming-tda";
    says(&stda(plane, &["list"]), 3, &["does not know StreamingTDA", install]);
    says(&stda(plane, &["status", "ecg"]), 3, &["does not know StreamingTDA", install]);
}

fn what_is_wrong_is_said_in_a_sentence(plane: &ControlPlane) {
    says(&stda(plane, &["status", "egc"]), 3, &["no StreamingTDA egc", "did you mean ecg?"]);
    says(&stda(plane, &["status", "other"]), 3, &["there are ecg"]);
    says(&stda(plane, &["status", "ecg", "-n", "nowhere"]), 3, &["list -A"]);
    says(&stda(plane, &["status"]), 3, &["Usage: kubectl stda status"]);
    says(&stda(plane, &["list", "--context", "moon"]), 3, &["has no context moon: there are "]);
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": "default"}});
    plane.client().apply(&account.to_string()).unwrap();
    let nobody = plane.kubeconfig_of("default", "nobody").unwrap();
    let forbidden = kubectl_stda(&nobody, &["list"]).unwrap();
    says(&forbidden, 3, &["you may not", "cannot list resource \"streamingtdas\""]);
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(plane.kubeconfig()).unwrap();
    let server = text.split_whitespace().find(|word| word.contains("https://")).unwrap();
    let port = server.rsplit(':').next().unwrap().trim_matches(['"', '\'', ',']);
    let free = harness::free_port().unwrap().to_string();
    let away = folder.path().join("kubeconfig");
    std::fs::write(&away, text.replace(port, &free)).unwrap();
    says(&kubectl_stda(&away, &["list"]).unwrap(), 3, &["cannot reach the API server"]);
}

fn status_says_why_pods_are_not_ready(plane: &ControlPlane) {
    let client = plane.client();
    say(client, "Progressing", "RollingOut");
    pod(
        client,
        "ecg-5d0c1f2a3b-1-a",
        &json!({"phase": "Running", "containerStatuses": [{
            "name": "worker", "image": "worker:1", "imageID": "", "ready": false, "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
        }]}),
    );
    let expected = [
        "default/ecg  Progressing  RollingOut: as the test has it",
        "revision 5d0c1f2a3b  stable  0 of 1 pod ready  worker:1",
        "ecg-5d0c1f2a3b-1-a  not ready  CrashLoopBackOff  4 restarts",
        "worker waits: CrashLoopBackOff: back-off 1m20s",
        "worker ended before with exit code 137: OOMKilled",
    ];
    says(&stda(plane, &["status", "ecg"]), 2, &expected);
    let json = stda(plane, &["status", "ecg", "-o", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["revisions"][0]["pods"][0]["restarts"], 4);
}

fn watching_ends_with_what_it_has_come_to(plane: &ControlPlane) {
    let client = plane.client();
    let late = stda(plane, &["status", "ecg", "--watch", "--timeout", "1s"]);
    says(&late, 2, &["not in force after 1 s: RollingOut"]);
    for (condition, reason, code) in
        [("Stalled", "PodsRefused", 1), ("Ready", "RevisionInForce", 0)]
    {
        say(client, "Progressing", "RollingOut");
        let watch = ["status", "ecg", "--watch", "--timeout", "1m"];
        let mut watch = start_kubectl_stda(plane.kubeconfig(), &watch).unwrap();
        watch.wait_for("ecg  Progressing: RollingOut", MINUTE).unwrap();
        say(client, condition, reason);
        let (status, log) = watch.ends(MINUTE).unwrap();
        assert_eq!(status.code(), Some(code), "{log}");
        assert_eq!(log.matches("pod ecg-5d0c1f2a3b-1-a  CrashLoopBackOff").count(), 1, "{log}");
        assert!(log.contains(&format!("{reason}: as the test has it")), "{log}");
    }
}

fn a_list_is_there_for_people_and_programs(plane: &ControlPlane) {
    let expected = ["NAME", "ecg    Ready      1/1    5d0c1f2a3b"];
    says(&stda(plane, &["list"]), 0, &expected);
    says(&stda(plane, &["list", "-A"]), 0, &["NAMESPACE", "default"]);
    let json = stda(plane, &["list", "-A", "-o", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["items"][0]["standing"], "Ready");
    let yaml = stda(plane, &["list", "-o", "yaml"]);
    let yaml: Value = serde_saphyr::from_str(&yaml.out).unwrap();
    assert_eq!(yaml, json);
}

/// What was found without the API server, `kubectl/src/lint/tests.rs` compares with the corpus that
/// `resources.rs` sends to it.
fn manifests_are_held_to_what_is_there(plane: &ControlPlane) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ecg.yaml");
    let example = std::fs::read_to_string(harness::root().join("examples/ecg.yaml")).unwrap();
    std::fs::write(&file, &example).unwrap();
    let file = file.to_str().unwrap();
    says(&stda(plane, &["lint", file]), 0, &["nothing is wrong with 1 resource"]);
    says(&stda(plane, &["lint", "--server", file]), 0, &["nothing is wrong with 1 resource"]);
    let nameless = example.replacen("name: ecg", "generateName: ecg-", 1);
    std::fs::write(file, nameless).unwrap();
    says(&stda(plane, &["lint", "--server", file]), 0, &["nothing is wrong with 1 resource"]);
    let input = example.lines().find(|line| line.trim().starts_with("input: ")).unwrap();
    let indent = &input[..input.find('i').unwrap()];
    std::fs::write(file, example.replacen(input, &format!("{indent}input: other"), 1)).unwrap();
    says(&stda(plane, &["lint", file]), 0, &["nothing is wrong"]);
    let changed = stda(plane, &["lint", "--server", file]);
    says(&changed, 1, &["ecg.yaml:", "spec.kafka.input", "cannot be changed", "1 finding"]);
    says(&stda(plane, &["lint", "nowhere.yaml"]), 3, &["cannot read nowhere.yaml"]);
}

fn workers_that_nobody_runs_are_named(plane: &ControlPlane) {
    let silent = ["ecg-5d0c1f2a3b-1-a did not answer: ", "no worker answers"];
    says(&stda(plane, &["partitions", "ecg"]), 2, &silent);
    // A pod that is on no node has an empty log.
    says(&stda(plane, &["logs", "ecg"]), 0, &[]);
    let none = stda(plane, &["logs", "ecg", "--revision", "none"]);
    assert_eq!((none.code, none.err.as_str()), (2, "there is no such worker pod\n"));
}

fn a_report_has_no_secrets(plane: &ControlPlane) {
    let client = plane.client();
    let labels = json!({"streamingtda.io/name": "ecg"});
    let metadata = |name: &str| {
        json!({"name": name, "namespace": "default", "labels": labels,
               "annotations": {"example.com/token": "hunter1"}})
    };
    let objects = [
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata("ecg-secret"),
               "stringData": {"password": "hunter2"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("ecg-map"),
               "data": {"worker.yaml": "{kafka: {properties: {ssl.key.password: hunter3}}}",
                        "url": "http://me:hunter4@registry"}}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata("ecg-secretive"),
               "spec": {"containers": [{"name": "worker", "image": "worker:1",
                        "ports": [{"name": "http", "containerPort": 8080}],
                        "env": [{"name": "PLAIN", "value": "hunter5"}],
                        "args": ["--password", "hunter6"]}]}}),
    ];
    for object in objects {
        client.apply(&object.to_string()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("report.tar.gz");
    let archive = archive.to_str().unwrap();
    let report = stda(plane, &["diagnose", "ecg", "-o", archive]);
    let wrong = ["What looks wrong", "no operator was found", "OOMKilled", "What could not be had"];
    says(&report, 0, &wrong);
    let unpacked = std::process::Command::new("tar")
        .args(["-xzf", archive, "-C"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(unpacked.success());
    std::fs::remove_file(archive).unwrap();
    let files = files(folder.path());
    let names: String = files.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["summary.txt", "resource.yaml", "configmaps.yaml", "pods.yaml", "version.yaml"] {
        assert!(names.contains(name), "no {name} in {names}");
    }
    let pods = files.iter().find(|(name, _)| name.ends_with("children/pods.yaml")).unwrap();
    assert!(pods.1.contains("ecg-secretive") && pods.1.contains("PLAIN"), "{}", pods.1);
    for (name, text) in files {
        assert!(!text.contains("hunter"), "a secret is in {name}:\n{text}");
    }
    let nobody = plane.kubeconfig_of("default", "nobody").unwrap();
    let forbidden = kubectl_stda(&nobody, &["diagnose", "ecg", "-o", archive]).unwrap();
    says(&forbidden, 3, &["you may not"]);
}

/// All files below a folder, with what is in them.
fn files(folder: &std::path::Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}
