//! What the workers say that they do. It is asked beside the work on resources, so that no worker
//! that does not answer holds a resource up, and a resource is looked at again only when
//! something has changed that its status says.

mod ask;
mod look;
mod pods;
mod report;

pub use look::{Look, sight};
pub(crate) use pods::watch;
pub use report::{OfPartition, Report, State, Worker};

use crate::observed::Observed;
use crate::scaling::{Decision, Scaler};
use crds::spec::Autoscaling;
use kube::ResourceExt;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A namespace, and a name in it.
pub(crate) type Place = (String, String);

/// What is known of a resource's workers beside what the API server tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// What they told; nothing before they were asked.
    pub look: Option<Look>,
    /// How many pods there should be; nothing before they were asked, and without autoscaling.
    pub decision: Option<Decision>,
}

/// The workers of all resources.
#[derive(Debug)]
pub(crate) struct Fleet {
    began: Instant,
    crews: Mutex<HashMap<Place, Crew>>,
}

/// The workers of a resource.
#[derive(Debug, Default)]
struct Crew {
    /// The unique id of the resource.
    uid: Option<String>,
    revision: String,
    replicas: i32,
    autoscaling: Option<Autoscaling>,
    scaler: Scaler,
    known: Known,
    /// What was seen last, if it was worse than what is known: it may be a moment of change.
    doubted: bool,
}

impl Default for Fleet {
    fn default() -> Fleet {
        Fleet { began: Instant::now(), crews: Mutex::default() }
    }
}

impl Fleet {
    /// What is known of the workers of a resource, which is as it was observed.
    pub(crate) fn known(&self, observed: &Observed) -> Known {
        let resource = &observed.resource;
        let place = (resource.namespace().unwrap_or_default(), resource.name_any());
        let mut crews = self.crews();
        let crew = crews.entry(place).or_default();
        if crew.uid != resource.metadata.uid {
            *crew = Crew { uid: resource.metadata.uid.clone(), ..Crew::default() };
        }
        crew.revision = observed.revision().to_string();
        let current = |w: &crate::observed::Workers| w.revision.as_str() == crew.revision;
        let workers = observed.workers();
        crew.replicas = workers.iter().find(|w| current(w)).map_or(0, |workers| workers.wanted);
        if crew.autoscaling != resource.spec.autoscaling {
            crew.autoscaling = resource.spec.autoscaling.clone();
            crew.scaler = Scaler::default();
            crew.known.decision = None;
        }
        crew.known.clone()
    }

    /// A resource has gone.
    pub(crate) fn forget(&self, place: &Place) {
        self.crews().remove(place);
    }

    /// The resources that are known, in a namespace or in all.
    fn places(&self, namespace: Option<&str>) -> Vec<Place> {
        let crews = self.crews();
        let here = |place: &&Place| namespace.is_none_or(|namespace| place.0 == namespace);
        crews.keys().filter(here).cloned().collect()
    }

    /// These are the workers of a resource now. Gives whether something has changed that is said of
    /// it.
    fn saw(&self, place: &Place, workers: &[Worker]) -> bool {
        let now = self.began.elapsed();
        self.crews().get_mut(place).is_some_and(|crew| crew.saw(workers, now))
    }

    fn crews(&self) -> MutexGuard<'_, HashMap<Place, Crew>> {
        self.crews.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crew {
    fn saw(&mut self, workers: &[Worker], now: Duration) -> bool {
        let before = self.known.clone();
        let look = Look::at(workers);
        let worse = before.look.as_ref().is_some_and(|known| look.is_worse_than(known));
        // While partitions change hands, some are nobody's for a moment.
        if !worse || std::mem::replace(&mut self.doubted, true) {
            self.known.look = Some(look);
            self.doubted = false;
        }
        if let Some(wanted) = &self.autoscaling {
            let sight = sight(workers, &self.revision, self.replicas);
            let decision = self.scaler.decide(wanted, self.replicas, &sight, now);
            let same = before.decision.as_ref().is_some_and(|known| known.is_like(&decision));
            if !same {
                self.known.decision = Some(decision);
            }
        }
        self.known != before
    }
}
