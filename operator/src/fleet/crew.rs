//! The workers of one resource: what counts as seen, and what is decided by it.

use super::{Known, Look, Worker, sight};
use crate::observed::Observed;
use crate::scaling::{Decision, Scaler};
use crds::spec::Autoscaling;
use std::time::Duration;

/// The workers of a resource.
#[derive(Debug, Default)]
pub(super) struct Crew {
    /// The unique id of the resource.
    uid: Option<String>,
    revision: String,
    /// How many pods there are to be until there is a decision.
    replicas: i32,
    /// Whether there is a Deployment of the revision.
    deployed: bool,
    autoscaling: Option<Autoscaling>,
    scaler: Scaler,
    known: Known,
    /// What was seen last, if it was no better than what is known: it may be a moment of change.
    doubted: Option<Look>,
    /// What was decided last, if it says something else than what is known.
    proposed: Option<Decision>,
}

impl Crew {
    /// The resource is so now.
    pub(super) fn observe(&mut self, observed: &Observed) {
        let metadata = &observed.resource.metadata;
        if self.uid != metadata.uid {
            *self = Crew { uid: metadata.uid.clone(), ..Crew::default() };
        }
        let revision = observed.revision();
        self.deployed = observed.workers().iter().any(|workers| workers.revision == revision);
        self.revision = revision.to_string();
        self.replicas = observed.replicas();
        let wanted = &observed.resource.spec.autoscaling;
        if self.autoscaling != *wanted {
            self.autoscaling = wanted.clone();
            self.scaler = Scaler::default();
            self.known.decision = None;
            self.proposed = None;
        }
    }

    /// What is known of them.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// These are the workers now. Gives whether something has changed that is said of them.
    pub(super) fn saw(&mut self, workers: &[Worker], now: Duration) -> bool {
        let before = self.known.clone();
        self.look(Look::at(workers));
        // A decision is about the pods of a revision, and there may be none of this one yet.
        if let Some(wanted) = self.autoscaling.clone().filter(|_| self.deployed) {
            let last = self.known.decision.as_ref();
            // What the Deployment says may be older, or what somebody else has written into it.
            let replicas = last.map_or(self.replicas, |last| last.replicas);
            let sight = sight(workers, &self.revision, replicas);
            let decision = self.scaler.decide(&wanted, replicas, &sight, now);
            self.decide(decision);
        }
        self.known != before
    }

    /// While partitions change hands, some are nobody's for a moment.
    fn look(&mut self, look: Look) {
        let Some(known) = self.known.look.as_ref().filter(|known| !look.is_better_than(known))
        else {
            self.known.look = Some(look);
            self.doubted = None;
            return;
        };
        let again = |doubted: Look| doubted == look || known.is_better_than(&look);
        let certain = self.doubted.take().is_some_and(again);
        match certain || look == *known {
            true => self.known.look = Some(look),
            false => self.doubted = Some(look),
        }
    }

    /// That something can be seen no more, or again, counts when it is so at two looks.
    fn decide(&mut self, decision: Decision) {
        let again = self.proposed.take().is_some_and(|before| before.is_like(&decision));
        match &self.known.decision {
            Some(known) if known.is_like(&decision) => {}
            Some(known) if known.replicas == decision.replicas && !again => {
                self.proposed = Some(decision);
            }
            _ => self.known.decision = Some(decision),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{OfPartition, Report, State};

    /// A crew of so many pods, of a revision that has a Deployment.
    fn crew(replicas: i32) -> Crew {
        let wanted = r#"{"minReplicas": 1, "maxReplicas": 12}"#;
        Crew {
            revision: "a".into(),
            replicas,
            deployed: true,
            autoscaling: Some(serde_json::from_str(wanted).unwrap()),
            ..Crew::default()
        }
    }

    /// Pods of a revision, the first so many of which answer; each has a partition.
    fn workers(revision: &str, pods: i32, answer: i32) -> Vec<Worker> {
        let report = |partition| Report {
            partitions_total: pods,
            busy_percent: 50.0,
            partitions: vec![OfPartition {
                partition,
                state: State::Running,
                next_offset: 5,
                end_offset: 5,
                lag_seconds: Some(0.0),
            }],
        };
        let worker = |number| Worker {
            revision: revision.into(),
            report: (number < answer).then(|| report(number)),
        };
        (0..pods).map(worker).collect()
    }

    fn decided(crew: &Crew) -> Option<i32> {
        crew.known.decision.as_ref().map(|decision| decision.replicas)
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_revision_without_a_deployment_changes_no_number() {
        let (mut crew, pods) = (crew(8), workers("a", 8, 8));
        crew.saw(&pods, at(0));
        assert_eq!(decided(&crew), Some(8));
        (crew.revision, crew.deployed, crew.replicas) = ("b".into(), false, 1);
        (1..9).for_each(|round| _ = crew.saw(&pods, at(10 * round)));
        assert_eq!(decided(&crew), Some(8));
        // The new pods come up beside the old ones.
        crew.deployed = true;
        let both = [pods, workers("b", 3, 3)].concat();
        (9..19).for_each(|round| _ = crew.saw(&both, at(10 * round)));
        assert_eq!(decided(&crew), Some(8));
    }

    #[test]
    fn before_a_decision_what_the_status_says_is_held() {
        let mut crew = crew(8);
        crew.deployed = false;
        assert!(crew.saw(&workers("b", 2, 2), at(0)));
        assert_eq!(decided(&crew), None);
        crew.deployed = true;
        crew.saw(&workers("a", 2, 2), at(10));
        assert_eq!(decided(&crew), Some(8));
    }

    #[test]
    fn what_comes_and_goes_is_said_once() {
        let mut crew = crew(3);
        let (all, some) = (workers("a", 3, 3), workers("a", 3, 2));
        for round in 0..4 {
            crew.saw(&all, at(10 * round));
        }
        for round in 4..40 {
            let seen = if round % 2 == 0 { &some } else { &all };
            assert!(!crew.saw(seen, at(10 * round)), "round {round}");
        }
        assert!(!crew.saw(&some, at(400)) && crew.saw(&some, at(410)));
        assert!(crew.known.decision.as_ref().unwrap().blind.is_some());
        // With one that never answers, another that does so now and then is no news either.
        let fewer = workers("a", 3, 1);
        for round in 42..80 {
            let seen = if round % 2 == 0 { &fewer } else { &some };
            assert!(!crew.saw(seen, at(10 * round)), "round {round}");
        }
    }
}
