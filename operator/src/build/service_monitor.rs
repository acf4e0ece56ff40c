use super::{Blueprint, PORT};
use crate::child::{Child, Kind};
use crate::names::{REVISION, selector, shared};
use serde_json::json;

/// How Prometheus scrapes the workers, where that is asked for and the API server knows the kind.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Option<Child> {
    let asked = blueprint.resource.spec.observability.service_monitor.as_ref()?;
    if !blueprint.monitors {
        return None;
    }
    let name = shared(&blueprint.name());
    let mut metadata = blueprint.shared();
    // Those by which the operator knows it are not the user's.
    let mut labels = asked.labels.clone();
    labels.extend(metadata.labels.take().unwrap_or_default());
    metadata.labels = Some(labels);
    let monitor = json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata,
        "spec": {
            "selector": {"matchLabels": selector(&blueprint.name())},
            "podTargetLabels": [REVISION],
            "endpoints": [{"port": PORT, "interval": format!("{}s", asked.interval_seconds)}],
        },
    });
    Some(Child::new(Kind::ServiceMonitor, &name, &monitor))
}
