//! What was read of the world, for a plan to be made from.

use crate::build::Remembered;
use crate::child::{Key, Kind};
use crate::fleet::Known;
use crate::names::{self, GENERATION, REVISION};
use crate::revision::{Revision, Settings};
use crds::StreamingTDA;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition};
use kube::ResourceExt;
use serde_json::Value;
use std::collections::BTreeMap;

/// A resource, and all that belongs to it.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource.
    pub resource: StreamingTDA,
    /// What the operator was installed with.
    pub settings: Settings,
    /// The objects that the resource controls.
    pub children: BTreeMap<Key, Value>,
    /// Whether the API server knows ServiceMonitors.
    pub monitors: bool,
    /// What the workers told.
    pub known: Known,
    /// What the API server refused when the plan before was executed.
    pub refusal: Option<Refusal>,
}

/// Something that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, in words.
    pub message: String,
}

/// The pods of a revision, as its Deployment tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workers {
    /// The revision.
    pub revision: Revision,
    /// Their image.
    pub image: String,
    /// Pods that are wanted.
    pub wanted: i32,
    /// Pods that there are.
    pub pods: i32,
    /// Those of them that are as the Deployment now says.
    pub updated: i32,
    /// Those of them that are ready.
    pub ready: i32,
    /// Whether these figures are about what the Deployment now says.
    pub current: bool,
    /// Whether the Deployment goes.
    pub leaving: bool,
    /// What keeps the Deployment from getting on: a reason and a message.
    pub stalled: Option<(String, String)>,
}

impl Workers {
    /// Whether all pods that are wanted, and no others, are as the Deployment says, and ready.
    pub fn complete(&self) -> bool {
        let Workers { wanted, pods, updated, ready, .. } = *self;
        self.current && !self.leaving && [pods, updated, ready] == [wanted; 3]
    }
}

impl Observed {
    /// The name of the resource.
    pub fn name(&self) -> String {
        self.resource.name_any()
    }

    /// The generation of the spec.
    pub fn generation(&self) -> i64 {
        self.resource.metadata.generation.unwrap_or_default()
    }

    /// Whether the resource is being deleted.
    pub fn leaving(&self) -> bool {
        self.resource.metadata.deletion_timestamp.is_some()
    }

    /// The revision that the spec asks for.
    pub fn revision(&self) -> Revision {
        Revision::of(&self.resource, &self.settings)
    }

    /// The pods of every revision that has a Deployment.
    pub fn workers(&self) -> Vec<Workers> {
        let deployments = self.of_kind(Kind::Deployment);
        deployments.filter_map(|(_, deployment)| workers(deployment)).collect()
    }

    /// How many pods there are to be. With autoscaling, that is what it decides; before it has, what was
    /// before, and else the least.
    pub fn replicas(&self) -> i32 {
        let Some(wanted) = &self.resource.spec.autoscaling else {
            return self.resource.spec.replicas;
        };
        let status = self.resource.status.as_ref().and_then(|status| status.autoscaling.as_ref());
        let decided = self.known.decision.as_ref().map(|decision| decision.replicas);
        let running = || self.workers().iter().map(|workers| workers.wanted).max();
        let replicas = decided.or(status.map(|status| status.desired_replicas)).or_else(running);
        replicas.unwrap_or_default().clamp(wanted.min_replicas, wanted.max_replicas)
    }

    /// What is, or is to be, remembered of a revision: its number is the highest of all, since it is
    /// the one that is asked for.
    pub fn remembered(&self, revision: &Revision) -> Remembered {
        let name = names::of_revision(&self.name(), revision);
        let known = self.children.get(&Key::new(Kind::ControllerRevision, &name));
        let known = known.and_then(|known| Some((number(known)?, generation(known)?)));
        let others = self.history().into_iter().filter(|(_, key)| key.name != name);
        let highest = others.map(|(number, _)| number).max().unwrap_or_default();
        match known {
            Some((number, generation)) if number > highest => Remembered { number, generation },
            Some((_, generation)) => Remembered { number: highest + 1, generation },
            None => Remembered { number: highest + 1, generation: self.generation() },
        }
    }

    /// The generation of the spec that a revision was first seen in; that of now while it is not
    /// remembered.
    pub fn generation_of(&self, revision: &Revision) -> i64 {
        let name = names::of_revision(&self.name(), revision);
        let known = self.children.get(&Key::new(Kind::ControllerRevision, name));
        known.and_then(generation).unwrap_or_else(|| self.generation())
    }

    /// The revisions that are remembered, by their numbers, the newest first.
    pub fn history(&self) -> Vec<(i64, &Key)> {
        let revisions = self.of_kind(Kind::ControllerRevision);
        let mut history: Vec<_> =
            revisions.map(|(key, object)| (number(object).unwrap_or_default(), key)).collect();
        history.sort_by(|a, b| b.cmp(a));
        history
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Key, &Value)> {
        self.children.iter().filter(move |(key, _)| key.kind == kind)
    }
}

fn number(controller_revision: &Value) -> Option<i64> {
    controller_revision["revision"].as_i64()
}

fn generation(object: &Value) -> Option<i64> {
    object["metadata"]["annotations"][GENERATION].as_str()?.parse().ok()
}

fn workers(deployment: &Value) -> Option<Workers> {
    let deployment: Deployment = serde_json::from_value(deployment.clone()).ok()?;
    let spec = deployment.spec?;
    let status = deployment.status.unwrap_or_default();
    let container = spec.template.spec.and_then(|pod| pod.containers.into_iter().next());
    Some(Workers {
        revision: deployment.metadata.labels?.get(REVISION)?.as_str().into(),
        image: container.and_then(|container| container.image).unwrap_or_default(),
        wanted: spec.replicas.unwrap_or(1),
        pods: status.replicas.unwrap_or_default(),
        updated: status.updated_replicas.unwrap_or_default(),
        ready: status.ready_replicas.unwrap_or_default(),
        current: status.observed_generation >= deployment.metadata.generation,
        leaving: deployment.metadata.deletion_timestamp.is_some(),
        stalled: status.conditions.unwrap_or_default().into_iter().find_map(stalled),
    })
}

fn stalled(condition: DeploymentCondition) -> Option<(String, String)> {
    let reason = condition.reason.unwrap_or_default();
    let reason = match (condition.type_.as_str(), condition.status.as_str()) {
        ("Progressing", "False") if reason == "ProgressDeadlineExceeded" => reason,
        ("ReplicaFailure", "True") => "PodsRefused".into(),
        _ => return None,
    };
    Some((reason, condition.message.unwrap_or_default()))
}
