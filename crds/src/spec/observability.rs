use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Logs, metrics and traces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Observability {
    /// The port of the pods for `/metrics`, `/status`, `/health/live` and `/health/ready`, from 1024
    /// to 65535. Default: 9464.
    #[schemars(range(min = 1024, max = 65_535))]
    pub port: i32,
    /// What is logged. Default: Info.
    pub log_level: LogLevel,
    /// A ServiceMonitor, for clusters that have the Prometheus operator; `{}` for the defaults.
    /// Default: none.
    pub service_monitor: Option<ServiceMonitor>,
    /// Where traces are sent. Default: nowhere.
    pub tracing: Option<Tracing>,
}

/// What is logged: what is named, and all that is more severe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogLevel {
    /// What a worker cannot go on from.
    Error,
    /// What someone should look at.
    Warn,
    /// What happens once in a while.
    #[default]
    Info,
    /// What is done, step by step.
    Debug,
    /// Everything.
    Trace,
}

/// How Prometheus scrapes the workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceMonitor {
    /// How often, in seconds, up to an hour. Default: 15.
    #[schemars(range(min = 1, max = 3600))]
    pub interval_seconds: i32,
    /// Labels by which a Prometheus finds it, at most 32. Default: none.
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {
        "type": "string", "maxLength": 63
    }))]
    pub labels: BTreeMap<String, String>,
}

/// Where traces are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tracing {
    /// The address of a collector that speaks OTLP, such as `http://collector:4317`.
    #[schemars(length(min = 1, max = 2048))]
    pub otlp_endpoint: String,
}

/// Who may talk to the workers, and whom they may talk to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NetworkPolicy {
    /// Whether there is a NetworkPolicy that admits scrapes of `observability.port` only, and lets
    /// the workers reach nothing but brokers, registry, names and the API server. Default: false.
    pub enabled: bool,
}

impl Default for Observability {
    fn default() -> Observability {
        Observability {
            port: 9464,
            log_level: LogLevel::Info,
            service_monitor: None,
            tracing: None,
        }
    }
}

impl Default for ServiceMonitor {
    fn default() -> ServiceMonitor {
        ServiceMonitor { interval_seconds: 15, labels: BTreeMap::new() }
    }
}
