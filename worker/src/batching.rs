//! How many records a batch may have: learnt from what batches take.

use crate::metrics::Metrics;
use mesh::batch::{Batch, Target};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The target of all threads.
pub(crate) struct Batching {
    target: Mutex<Target>,
    metrics: Arc<Metrics>,
}

impl Batching {
    pub(crate) fn new(goal: Duration, metrics: Arc<Metrics>) -> Batching {
        let target = Target::new(goal);
        metrics.batch_target(target.records());
        Batching { target: Mutex::new(target), metrics }
    }

    /// Records that a batch may have.
    pub(crate) fn records(&self) -> usize {
        self.target().records()
    }

    /// A batch was computed.
    pub(crate) fn computed(&self, records: usize, took: Duration) {
        self.metrics.batch(took);
        let changed = self.target().observe(&Batch { records, took });
        if let Some(target) = changed {
            tracing::debug!(target, records, ?took, "batches have another target");
            self.metrics.batch_target(target);
        }
    }

    fn target(&self) -> MutexGuard<'_, Target> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
