//! What is told once, when it happens.

use std::fmt;

/// Why something is told. Programs that watch events know these words, so that they do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The spec asks for a revision that was not known.
    RevisionCreated,
    /// A revision is in force and serves.
    RevisionInForce,
    /// The pods of an old revision go.
    RevisionRetired,
    /// Work towards the spec cannot go on by itself.
    Stalled,
    /// Partitions are served again.
    Serving,
    /// Partitions are not served any more.
    NotServing,
    /// Autoscaling wants another number of pods.
    Scaled,
    /// A ServiceMonitor is asked for, and the API server does not know the kind.
    MonitorsUnknown,
}

impl Reason {
    /// Whether someone should look at it.
    pub fn is_warning(self) -> bool {
        matches!(self, Reason::Stalled | Reason::NotServing | Reason::MonitorsUnknown)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Something that happened to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub reason: Reason,
    /// The same in words.
    pub note: String,
    /// What was done: events of a reason are counted, and not told again, when that is the same.
    pub action: String,
}

impl Event {
    pub(crate) fn new(reason: Reason, note: impl Into<String>) -> Event {
        Event { reason, note: note.into(), action: "Reconcile".into() }
    }

    pub(crate) fn scaled(from: i32, to: i32, why: &str) -> Event {
        let note = format!("from {from} to {to} pods: {why}");
        Event { reason: Reason::Scaled, note, action: format!("ScaleTo{to}") }
    }
}
