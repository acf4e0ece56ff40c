//! What accounts of pods have asked the API server, as it has logged.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// Such as `system:serviceaccount:default:default`.
    pub user: String,
    /// The group of what was asked for; empty for the first one.
    pub group: String,
    /// Such as `deployments` or `deployments/status`.
    pub resource: String,
    /// Such as `list`.
    pub verb: String,
    /// The answer, by HTTP.
    pub code: u64,
}

/// The log of an API server.
pub(super) struct Audit {
    pub(super) policy: PathBuf,
    pub(super) log: PathBuf,
}

impl Audit {
    /// Says what is logged: who asked for what, of accounts of pods.
    pub(super) fn prepare(folder: &Path) -> Result<Audit> {
        let policy = json!({
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [
                // The controllers of the control plane.
                {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
                {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
                {"level": "None"},
            ],
        });
        let audit =
            Audit { policy: folder.join("audit-policy.json"), log: folder.join("audit.log") };
        fs::write(&audit.policy, policy.to_string())?;
        Ok(audit)
    }

    /// What was logged until now.
    pub(super) fn read(&self) -> Result<Vec<Asked>> {
        let log = fs::read_to_string(&self.log);
        let log = log.with_context(|| format!("cannot read {}", self.log.display()))?;
        log.lines().map(|line| Ok(asked(&serde_json::from_str(line)?))).collect()
    }
}

fn asked(event: &Value) -> Asked {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let about = &event["objectRef"];
    let resource = match about["subresource"].as_str() {
        Some(part) => format!("{}/{part}", text(&about["resource"])),
        None => text(&about["resource"]),
    };
    Asked {
        user: text(&event["user"]["username"]),
        group: text(&about["apiGroup"]),
        resource,
        verb: text(&event["verb"]),
        code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
    }
}
