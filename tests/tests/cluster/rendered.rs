//! What the chart makes of values: kept in `tests/goldens/chart`, so that a change of a template shows
//! all that it changes. `UPDATE=1` writes them again.

use crate::chart::{ITS_NAMESPACE, RELEASE, chart, helm};
use harness::cluster::{ControlPlane, Programs};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

#[test]
fn the_chart_renders_as_it_did() {
    let programs = Programs::built().unwrap();
    for (name, values) in values() {
        let mut helm = helm(&programs);
        helm.args(["template", RELEASE]).arg(chart()).args(["--namespace", ITS_NAMESPACE]);
        // The definitions have a test of their own.
        helm.args(["--kube-version", "1.34.0", "--set", "crds.install=false"]);
        if let Some(values) = values {
            helm.arg("--values").arg(values);
        }
        let said = helm.output().unwrap();
        assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stderr));
        let rendered = String::from_utf8(said.stdout).unwrap();
        let golden = golden(&name);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, &rendered).unwrap();
        }
        let kept = fs::read_to_string(&golden).unwrap_or_default();
        let differs = kept.lines().zip(rendered.lines()).position(|(kept, now)| kept != now);
        let golden = golden.display();
        assert_eq!(differs.map(|line| line + 1), None, "the line of {golden} that is another now");
        assert!(kept == rendered, "{golden} is longer or shorter than what is rendered now");
    }
}

/// Nothing that is a name becomes a number or a truth, and no label is there twice, which is no YAML.
#[test]
fn names_stay_texts_and_labels_of_users_stand_beside_those_of_the_chart() {
    let rendered = template(
        "123",
        "456",
        &[
            "watchNamespaces=[\"1042\"]",
            "priorityClassName=\"true\"",
            "serviceAccount.name=\"1e3\"",
            "labels={\"app.kubernetes.io/name\": \"x\", \"helm.sh/chart\": \"x\", \"team\": \"7\"}",
            "podLabels={\"app.kubernetes.io/name\": \"x\", \"zone\": \"1\"}",
            "serviceMonitor={\"enabled\": true, \"labels\": {\"team\": \"x\", \"release\": \"8\"}}",
        ],
    );
    let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered.unwrap()).unwrap();
    assert!(objects.len() > 8, "{}", objects.len());
    for object in &objects {
        names_are_texts(object);
        let labels = &object["metadata"]["labels"];
        assert_ne!(labels["helm.sh/chart"], "x", "{object}");
        assert_ne!(labels["app.kubernetes.io/name"], "x", "{object}");
        let is_test = object["kind"] == "Pod";
        assert!(is_test || labels["team"] == "7", "{object}");
    }
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let template = &deployment["spec"]["template"];
    assert_eq!(template["spec"]["priorityClassName"], "true");
    assert_eq!(template["metadata"]["labels"]["zone"], "1");
    for (name, value) in deployment["spec"]["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(template["metadata"]["labels"][name], *value, "{name}");
    }
}

#[test]
fn what_can_be_no_name_is_refused() {
    for value in [
        "image.repository=\"a #b\"",
        "worker.image.repository=\"a b\"",
        "worker.image.tag=\"1: 2\"",
        "image.tag=\"-1\"",
        "nameOverride=\"A_b\"",
        "fullnameOverride=\"a.\"",
        "priorityClassName=\"a b\"",
        "serviceAccount.name=\"A\"",
    ] {
        let refused = template(RELEASE, ITS_NAMESPACE, &[value]).unwrap_err();
        assert!(refused.contains("does not match pattern"), "{value}: {refused}");
    }
    for value in ["image.repository=\"[::1]:5000/a/b_c\"", "image.repository=\"R.io:80/a--b.c\""] {
        template(RELEASE, ITS_NAMESPACE, &[value]).unwrap();
    }
}

/// The chart with these values, or why it is not rendered.
fn template(release: &str, namespace: &str, values: &[&str]) -> Result<String, String> {
    let programs = Programs::built().unwrap();
    let mut helm = helm(&programs);
    helm.args(["template", release]).arg(chart()).args(["--namespace", namespace]);
    helm.args(["--kube-version", "1.34.0", "--set", "crds.install=false"]);
    values.iter().for_each(|value| _ = helm.args(["--set-json", value]));
    let said = helm.output().unwrap();
    match said.status.success() {
        true => Ok(String::from_utf8(said.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&said.stderr).into_owned()),
    }
}

fn names_are_texts(value: &Value) {
    const NAMES: [&str; 5] =
        ["name", "namespace", "serviceAccountName", "priorityClassName", "image"];
    for (name, part) in value.as_object().into_iter().flatten() {
        let texts = ["labels", "matchLabels"].contains(&name.as_str());
        let texts = if texts { part.as_object() } else { None };
        assert!(texts.into_iter().flatten().all(|(_, text)| text.is_string()), "{name}: {part}");
        assert!(!NAMES.contains(&name.as_str()) || part.is_string(), "{name}: {part}");
        let args = ["args", "resourceNames"].contains(&name.as_str());
        let args = if args { part.as_array() } else { None };
        assert!(args.into_iter().flatten().all(Value::is_string), "{name}: {part}");
        names_are_texts(part);
    }
    value.as_array().into_iter().flatten().for_each(names_are_texts);
}

/// The API server admits all of it, every field known.
pub(crate) fn all_are_admitted(plane: &ControlPlane) {
    for name in ["red", "blue"] {
        let metadata = json!({"name": name});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        plane.client().apply(&namespace.to_string()).unwrap();
    }
    // Of a pod, the API server asks whether its account is there.
    let metadata = json!({"name": "tda", "namespace": ITS_NAMESPACE});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    plane.client().apply(&account.to_string()).unwrap();
    for (name, _) in values() {
        let mut kubectl = Command::new(plane.programs().path("kubectl"));
        kubectl.arg("--kubeconfig").arg(plane.kubeconfig());
        // Not `apply`: it would compare with what helm has put there.
        kubectl.args(["create", "--dry-run=server", "--validate=strict", "--filename"]);
        let said = kubectl.arg(golden(&name)).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr);
        let refused = text.lines().filter(|line| !line.contains("already exists"));
        assert_eq!(refused.collect::<Vec<_>>(), [""; 0], "{name}");
    }
}

/// The files of values, and none, each with its name.
fn values() -> Vec<(String, Option<PathBuf>)> {
    let files = fs::read_dir(chart().join("ci")).unwrap().map(|file| file.unwrap().path());
    let named = files.map(|file| {
        let name = file.file_stem().unwrap().to_string_lossy().replace("-values", "");
        (name, Some(file))
    });
    let all: Vec<_> = [("default".to_owned(), None)].into_iter().chain(named).collect();
    assert!(all.len() > 2);
    all
}

fn golden(name: &str) -> PathBuf {
    harness::root().join(format!("tests/goldens/chart/{name}.yaml"))
}
