//! What happens to resources while things go wrong.

use super::stage::{PATIENCE, Stage, items};
use anyhow::Result;
use serde_json::{Value, json};

/// Something that users do, and what there was before.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// What is in force when it begins.
    pub(super) before: fn(&Stage) -> Result<()>,
    pub(super) happens: fn(&Stage) -> Result<()>,
}

pub(super) const SCENARIOS: [Scenario; 7] = [
    Scenario { name: "created", before: nothing, happens: |stage| stage.apply("ecg", &json!({})) },
    Scenario { name: "changed", before: guarded, happens: changed },
    Scenario {
        name: "scaled",
        before: one,
        happens: |stage| stage.apply("ecg", &json!({"replicas": 3})),
    },
    Scenario { name: "deleted", before: guarded, happens: deleted },
    Scenario { name: "remade", before: one, happens: remade },
    Scenario { name: "taken", before: nothing, happens: taken },
    Scenario { name: "two", before: nothing, happens: two },
];

fn nothing(_: &Stage) -> Result<()> {
    Ok(())
}

fn one(stage: &Stage) -> Result<()> {
    stage.apply("ecg", &json!({}))
}

fn guarded(stage: &Stage) -> Result<()> {
    stage.apply("ecg", &json!({"networkPolicy": {"enabled": true}}))
}

/// A new revision, which has one child less, and more pods.
fn changed(stage: &Stage) -> Result<()> {
    let unguarded = json!({"enabled": false});
    stage.apply("ecg", &json!({"image": {"tag": "2"}, "replicas": 2, "networkPolicy": unguarded}))
}

fn deleted(stage: &Stage) -> Result<()> {
    stage.delete(GROUP, "streamingtdas/ecg")
}

/// Its children are still there when another one comes that has their names.
fn remade(stage: &Stage) -> Result<()> {
    deleted(stage)?;
    stage.apply("ecg", &json!({"replicas": 2}))
}

/// A name of a child is that of something else, which goes away.
fn taken(stage: &Stage) -> Result<()> {
    let metadata = json!({"name": "ecg-workers", "namespace": stage.namespace});
    let stranger = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    stage.persist(&stranger)?;
    stage.apply("ecg", &json!({}))?;
    stage.client.wait_until("it is said that the name is taken", PATIENCE, |client| {
        let path = format!("/{GROUP}/namespaces/{}/streamingtdas", stage.namespace);
        let resources = items(&client.get(&path)?.unwrap_or_default());
        let said = |c: &Value| c["type"] == "Stalled" && c["reason"] == "NameTaken";
        let conditions = |r: &Value| r["status"]["conditions"].as_array().cloned();
        Ok(resources.iter().filter_map(conditions).flatten().any(|c| said(&c)))
    })?;
    stage.delete("api/v1", "serviceaccounts/ecg-workers")
}

fn two(stage: &Stage) -> Result<()> {
    stage.apply("ecg", &json!({}))?;
    stage.apply("ppg", &json!({"replicas": 2}))
}

const GROUP: &str = "apis/streamingtda.io/v1alpha1";
