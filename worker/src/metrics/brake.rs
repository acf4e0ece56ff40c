use mesh::breaker::{Cause, State};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct For {
    cause: &'static str,
}

/// What is told of the breaker and of the batches.
pub(super) struct Brake {
    state: Gauge,
    openings: Family<For, Counter>,
    waited: Counter<f64, AtomicU64>,
    target: Gauge,
    batch: Histogram,
}

impl Brake {
    pub(super) fn new(batch: Histogram) -> Brake {
        let (state, openings, waited) = Default::default();
        Brake { state, openings, waited, target: Gauge::default(), batch }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let r = registry;
        let help = "Whether the input waits: 0 it flows, 1 one batch is tried, 2 it waits";
        r.register("breaker_state", help, self.state.clone());
        let help = "Times that the input began to wait, by cause";
        r.register("breaker_openings", help, self.openings.clone());
        let help = "Time that the input has waited";
        r.register_with_unit("breaker_open", help, Unit::Seconds, self.waited.clone());
        let help = "Records that a batch may have at most";
        r.register("batch_target_records", help, self.target.clone());
        let help = "Time that a batch took to be computed";
        r.register_with_unit("batch_latency", help, Unit::Seconds, self.batch.clone());
        for cause in Cause::ALL {
            drop(self.openings.get_or_create(&For { cause: cause.name() }));
        }
    }

    pub(super) fn changed(&self, state: &State) {
        let number = match state {
            State::Closed => 0,
            State::HalfOpen { .. } => 1,
            State::Open { cause, .. } => {
                self.openings.get_or_create(&For { cause: cause.name() }).inc();
                2
            }
        };
        self.state.set(number);
    }

    /// Whether the input waits.
    pub(super) fn stands(&self) -> bool {
        self.state.get() != 0
    }

    pub(super) fn waited(&self, time: Duration) {
        self.waited.inc_by(time.as_secs_f64());
    }

    pub(super) fn target(&self, records: usize) {
        self.target.set(records as i64);
    }

    pub(super) fn batch(&self, took: Duration) {
        self.batch.observe(took.as_secs_f64());
    }
}
