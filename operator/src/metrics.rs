//! What the operator counts, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::time::Duration;

const SECONDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Written {
    kind: &'static str,
    verb: &'static str,
}

/// The metrics of an operator.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Outcome, Counter>,
    duration: Histogram,
    writes: Family<Written, Counter>,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::with_prefix("stda_operator");
        let metrics = Metrics {
            reconciles: Family::default(),
            duration: Histogram::new(SECONDS),
            writes: Family::default(),
            leader: Gauge::default(),
            registry: Registry::default(),
        };
        let Metrics { reconciles, duration, writes, leader, .. } = &metrics;
        registry.register("reconciles", "Resources that were looked at", reconciles.clone());
        let help = "How long it took to look at one, and to do what was to be done";
        registry.register_with_unit("reconcile_duration", help, Unit::Seconds, duration.clone());
        registry.register("writes", "Writes to the API server, leases left out", writes.clone());
        registry.register("leader", "Whether this operator is the one that acts", leader.clone());
        Metrics { registry, ..metrics }
    }
}

impl Metrics {
    /// A resource was looked at.
    pub fn reconciled(&self, well: bool, duration: Duration) {
        let outcome = if well { "ok" } else { "error" };
        self.reconciles.get_or_create(&Outcome { outcome }).inc();
        self.duration.observe(duration.as_secs_f64());
    }

    /// Something was written.
    pub fn wrote(&self, kind: &'static str, verb: &'static str) {
        self.writes.get_or_create(&Written { kind, verb }).inc();
    }

    /// Whether this operator is the one that acts.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// In the text format of OpenMetrics.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
