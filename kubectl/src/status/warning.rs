//! Events that tell of something that went wrong.

use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde::Serialize;

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Warning {
    /// What it is about, such as `Pod/ecg-5d0c1f2a3b-x7k2p`.
    pub(crate) about: String,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// How often it was seen.
    pub(crate) count: i32,
    /// When it was seen last.
    pub(crate) last: Option<Time>,
}

/// How many are shown.
const SHOWN: usize = 5;
/// For how long they are shown, in seconds.
const RECENT: i64 = 3600;

/// The last ones of a resource and of its revisions, the latest first; each reason once for each object.
pub(crate) fn warnings(
    events: &[Event],
    resource: &str,
    revisions: &[String],
    now: Timestamp,
) -> Vec<Warning> {
    let names: Vec<String> = revisions
        .iter()
        .map(|revision| format!("{resource}-{revision}"))
        .chain([resource.to_owned(), format!("{resource}-workers")])
        .collect();
    let mut warnings: Vec<Warning> = events
        .iter()
        .filter(|event| event.type_.as_deref() == Some("Warning"))
        .filter(|event| names.iter().any(|name| concerns(event, name, resource)))
        .map(warning)
        .filter(|warning| {
            let age = |last: &Time| now.duration_since(last.0).as_secs();
            warning.last.as_ref().is_none_or(|last| age(last) <= RECENT)
        })
        .collect();
    warnings.sort_by_key(|warning| std::cmp::Reverse(warning.last.clone()));
    let mut shown: Vec<Warning> = Vec::new();
    for warning in warnings {
        let again = |w: &Warning| w.about == warning.about && w.reason == warning.reason;
        if !shown.iter().any(again) {
            shown.push(warning);
        }
    }
    shown.truncate(SHOWN);
    shown
}

/// Whether it is about something of this name, or made from it: pods have a suffix.
pub(crate) fn concerns(event: &Event, name: &str, resource: &str) -> bool {
    let about = event.involved_object.name.as_deref().unwrap_or_default();
    match about.strip_prefix(name) {
        Some("") => true,
        // Another resource may have a name that begins with this one's.
        Some(rest) => name != resource && rest.starts_with('-'),
        None => false,
    }
}

fn warning(event: &Event) -> Warning {
    let about = &event.involved_object;
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let series = event.series.as_ref();
    let last = series.and_then(|series| series.last_observed_time.clone());
    let last = last.or_else(|| event.event_time.clone()).map(|time| Time(time.0));
    Warning {
        about: format!("{}/{}", name(&about.kind), name(&about.name)),
        reason: name(&event.reason),
        message: name(&event.message),
        count: series.and_then(|series| series.count).or(event.count).unwrap_or(1),
        last: event
            .last_timestamp
            .clone()
            .or(last)
            .or_else(|| event.metadata.creation_timestamp.clone()),
    }
}
