//! The chart on a real API server, and the operator with the rights that it gives, and no others.

use crate::operator::{NAMESPACE, SOON, apply, ecg, resources, run_pods, settle, wait_for};
use crate::rendered;
use harness::cluster::{Asked, Client, ControlPlane, Programs};
use harness::operator::Operator;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(crate) const RELEASE: &str = "streaming-tda";
pub(crate) const ITS_NAMESPACE: &str = "streaming-tda-system";
/// What the chart calls the operator, its account and its lease.
pub(crate) const OPERATOR: &str = "streaming-tda-operator";
/// The kind that comes with the Prometheus operator.
pub(crate) const MONITORS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: servicemonitors.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: ServiceMonitor, plural: servicemonitors, singular: servicemonitor}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
";
/// What the operator may do since it gives it to workers, who do not do it yet.
const FOR_WORKERS: [&str; 2] = ["partitionassignments", "partitionassignments/status"];

/// A group, a resource, a verb.
type Right = (String, String, String);

#[test]
fn the_chart_has_no_fault_whatever_the_values() {
    let programs = Programs::built().unwrap();
    let values = fs::read_dir(chart().join("ci")).unwrap().map(|file| Some(file.unwrap().path()));
    let values: Vec<Option<PathBuf>> = [None].into_iter().chain(values).collect();
    assert!(values.len() > 2);
    for file in values {
        let mut lint = helm(&programs);
        lint.args(["lint", "--strict"]).arg(chart());
        if let Some(file) = &file {
            lint.arg("--values").arg(file);
        }
        let said = lint.output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{file:?}: {text}");
    }
    let mut lint = helm(&programs);
    let said = lint.args(["lint", "--set", "replica=1"]).arg(chart()).output().unwrap();
    assert!(!said.status.success(), "a value that the chart does not know was taken");
}

#[test]
fn the_operator_has_the_rights_that_it_needs_and_no_others() {
    let plane = ControlPlane::start().unwrap();
    let client = plane.client();
    client.apply(MONITORS).unwrap();
    put(&plane, &["install", "--create-namespace"]);
    let served = |client: &Client| Ok(client.get(&resources())?.is_some());
    client.wait_until("resources are served", SOON, served).unwrap();
    rendered::all_are_admitted(&plane);
    let operator = operator(&plane, &[]);
    a_whole_life(client, &operator);
    operator.terminate().unwrap();
    let asked = asked(&plane, ITS_NAMESPACE);
    nothing_is_forbidden(&asked);
    let used = rights_used(&asked);
    let unused: Vec<Right> = rights_granted(client).difference(&used).cloned().collect();
    assert!(unused.is_empty(), "granted, and never used: {unused:?}");

    // The same rights, in one namespace only.
    let only = format!("watchNamespaces={{{NAMESPACE}}}");
    put(&plane, &["upgrade", "--set", &only]);
    let operator = self::operator(&plane, &["--watch-namespaces", NAMESPACE]);
    apply(client, &json!({"image": {"tag": "4.0.0"}}));
    settle(client, &operator);
    operator.terminate().unwrap();
    nothing_is_forbidden(&self::asked(&plane, ITS_NAMESPACE)[asked.len()..]);

    what_people_have_stays_when_the_chart_goes(&plane);
}

/// Everything that an operator does, at least once.
fn a_whole_life(client: &Client, operator: &Operator) {
    let history = json!({"revisionHistoryLimit": 1});
    let watched = json!({"serviceMonitor": {}});
    let guarded = json!({"enabled": true});
    let seen = json!({"rollout": history, "observability": watched, "networkPolicy": guarded});
    apply(client, &seen);
    settle(client, operator);
    for tag in ["2.0.0", "3.0.0"] {
        // Nobody watches them any more, nor guards them.
        apply(client, &json!({"rollout": history, "image": {"tag": tag}}));
        settle(client, operator);
    }
    // The second time, an event is counted and not told again.
    for _ in 0..2 {
        run_pods(client, false);
        wait_for(client, operator, "Serving", "False");
        settle(client, operator);
    }
    let revisions = format!("/apis/apps/v1/namespaces/{NAMESPACE}/controllerrevisions");
    let pruned = |client: &Client| {
        let left = client.get(&revisions)?.unwrap_or_default();
        Ok(left["items"].as_array().map_or(0, Vec::len) == 2)
    };
    client
        .wait_until("only one old revision is remembered", SOON, pruned)
        .unwrap_or_else(|error| panic!("{error:#}\n{}", operator.log()));
}

fn operator(plane: &ControlPlane, arguments: &[&str]) -> Operator {
    let kubeconfig = plane.kubeconfig_of(ITS_NAMESPACE, OPERATOR).unwrap();
    let all = [&["--lease-namespace", ITS_NAMESPACE], arguments].concat();
    Operator::start_with(&kubeconfig, "operator", &all).unwrap()
}

pub(crate) fn helm(programs: &Programs) -> Command {
    Command::new(programs.path("helm"))
}

pub(crate) fn chart() -> PathBuf {
    harness::root().join("charts/streaming-tda")
}

/// Installs or upgrades the chart.
fn put(plane: &ControlPlane, arguments: &[&str]) {
    let mut helm = helm(plane.programs());
    helm.args(&arguments[..1]).arg(RELEASE).arg(chart());
    ran(plane, helm.args(&arguments[1..]));
}

fn ran(plane: &ControlPlane, helm: &mut Command) {
    let helm = helm.args(["--namespace", ITS_NAMESPACE, "--kubeconfig"]).arg(plane.kubeconfig());
    let done = helm.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// What the operator in a namespace has asked for.
pub(crate) fn asked(plane: &ControlPlane, namespace: &str) -> Vec<Asked> {
    let me = format!("system:serviceaccount:{namespace}:{OPERATOR}");
    let mut asked = plane.asked().unwrap();
    asked.retain(|asked| asked.user == me);
    asked
}

pub(crate) fn nothing_is_forbidden(asked: &[Asked]) {
    let forbidden: BTreeSet<&Asked> = asked.iter().filter(|asked| asked.code == 403).collect();
    assert!(!asked.is_empty() && forbidden.is_empty(), "{forbidden:?}");
}

fn rights_used(asked: &[Asked]) -> BTreeSet<Right> {
    let used =
        |asked: &Asked, verb: &str| (asked.group.clone(), asked.resource.clone(), verb.into());
    let rights = asked.iter().flat_map(|asked| {
        // To apply what is not there is to create it, too.
        let created = asked.verb == "patch" && asked.code == 201;
        [Some(used(asked, &asked.verb)), created.then(|| used(asked, "create"))]
    });
    rights.flatten().collect()
}

/// By the roles of the operator, but for what is the workers'.
fn rights_granted(client: &Client) -> BTreeSet<Right> {
    let roles = "/apis/rbac.authorization.k8s.io/v1";
    let roles = [
        format!("{roles}/clusterroles/{ITS_NAMESPACE}:{OPERATOR}"),
        format!("{roles}/namespaces/{ITS_NAMESPACE}/roles/{OPERATOR}-lease"),
    ];
    let rules = roles.iter().flat_map(|role| {
        let role = client.get(role).unwrap().unwrap();
        role["rules"].as_array().cloned().unwrap_or_default()
    });
    let words = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in rules {
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                for verb in words(&rule["verbs"]) {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    assert!(rights.len() > 40, "{rights:?}");
    rights.retain(|(_, resource, _)| !FOR_WORKERS.contains(&resource.as_str()));
    rights
}

fn what_people_have_stays_when_the_chart_goes(plane: &ControlPlane) {
    let before = ecg(plane.client());
    ran(plane, helm(plane.programs()).args(["uninstall", RELEASE]));
    let after = ecg(plane.client());
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    let deployment = format!("/apis/apps/v1/namespaces/{ITS_NAMESPACE}/deployments/{OPERATOR}");
    assert_eq!(plane.client().get(&deployment).unwrap(), None);
}
