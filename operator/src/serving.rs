//! Whether the partitions are served, which is apart from how far a spec has come into force.

use crate::conditions::Standing;
use crate::fleet::Look;
use crds::ConditionType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// What is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Whether they are.
    pub holds: bool,
    /// Why, in one word.
    pub reason: String,
    /// Why, in words and numbers.
    pub message: String,
}

const ALL_OWNED: &str = "AllPartitionsOwned";
const UNOWNED: &str = "PartitionsUnowned";
const WAITING: &str = "PartitionsWaiting";

/// By what the workers told, where they did; else by whether pods are ready, which they are when they
/// have had partitions assigned.
pub fn serving(
    standing: &Standing,
    ready: i32,
    look: Option<&Look>,
    before: &[Condition],
) -> Serving {
    if ready == 0 {
        return match standing {
            Standing::Zero => said(false, "ScaledToZero", "no pod is wanted"),
            _ => said(false, "NoPodReady", "no pod is ready"),
        };
    }
    match look {
        Some(look) => by_look(look),
        // An operator that has just begun to act has not asked yet.
        None => by_partitions(before).unwrap_or_else(unseen),
    }
}

/// The same words before workers were asked and when they do not answer: nothing else has happened.
fn unseen() -> Serving {
    let seen = "a pod is ready; which partitions are owned cannot be seen as long as not all ready \
                workers have answered at /status: if they never do, look for NetworkPolicies between \
                the operator and the workers";
    said(true, "PodsReady", seen)
}

fn by_look(look: &Look) -> Serving {
    let Look { partitions: Some(partitions), waiting, .. } = look else { return unseen() };
    let (owned, total) = (partitions.owned, partitions.total);
    if owned < total {
        let message = format!("{owned} of {total} partitions are owned by a ready worker");
        return said(false, UNOWNED, &message);
    }
    if *waiting > 0 {
        let message = format!(
            "{waiting} of {total} partitions wait for a schema, or for results to be delivered: the \
             logs of their workers say which"
        );
        return said(false, WAITING, &message);
    }
    said(true, ALL_OWNED, &format!("all {total} partitions are owned by a ready worker, and move"))
}

/// What was said before, if workers had told it.
fn by_partitions(before: &[Condition]) -> Option<Serving> {
    let before = before.iter().find(|c| c.type_ == ConditionType::Serving.name())?;
    let told = [ALL_OWNED, UNOWNED, WAITING].contains(&before.reason.as_str());
    told.then(|| said(before.status == "True", &before.reason, &before.message))
}

fn said(holds: bool, reason: &str, message: &str) -> Serving {
    Serving { holds, reason: reason.into(), message: message.into() }
}
