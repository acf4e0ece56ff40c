//! What the workers say that they do. It is asked beside the work on resources, so that no worker
//! that does not answer holds a resource up, and a resource is looked at again only when
//! something has changed that its status says.

mod ask;
mod crew;
mod look;
mod pods;
mod report;

pub use look::{Look, sight};
pub(crate) use pods::watch;
pub use report::{OfPartition, Report, State, Worker};

use crate::observed::Observed;
use crate::scaling::Decision;
use crew::Crew;
use kube::ResourceExt;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
        crew.observe(observed);
        crew.known().clone()
    }

    /// A resource has gone.
    pub(crate) fn forget(&self, place: &Place) {
        self.crews().remove(place);
    }

    /// In a namespace, or in all, there are only these resources.
    fn keep(&self, namespace: Option<&str>, there: &HashSet<Place>) {
        let elsewhere = |place: &Place| namespace.is_some_and(|namespace| place.0 != namespace);
        self.crews().retain(|place, _| elsewhere(place) || there.contains(place));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_resources_that_have_gone() {
        let place = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
        let fleet = Fleet::default();
        for of in [place("a", "1"), place("a", "2"), place("b", "1")] {
            fleet.crews().insert(of, Crew::default());
        }
        fleet.keep(Some("a"), &HashSet::from([place("a", "2")]));
        let mut left = fleet.places(None);
        left.sort();
        assert_eq!(left, [place("a", "2"), place("b", "1")]);
        fleet.keep(None, &HashSet::new());
        assert!(fleet.places(None).is_empty());
    }
}
