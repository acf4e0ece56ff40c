//! What the chart makes of values: kept in `tests/goldens/chart`, so that a change of a template shows
//! all that it changes. `UPDATE=1` writes them again.

use crate::chart::{ITS_NAMESPACE, RELEASE, chart, helm};
use harness::cluster::{ControlPlane, Programs};
use serde_json::json;
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

/// The API server admits all of it, every field known.
pub(crate) fn all_are_admitted(plane: &ControlPlane) {
    for name in ["red", "blue"] {
        let metadata = json!({"name": name});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        plane.client().apply(&namespace.to_string()).unwrap();
    }
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
