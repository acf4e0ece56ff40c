//! The report: `report.json` for programs, `report.html` for people.

use super::assets;
use super::latency::Percentiles;
use super::reference;
use super::story::Story;
use anyhow::Context;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// `report.json`. Every number was measured in this run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// Name and version of this schema.
    pub(super) schema: &'static str,
    /// The version of the engine.
    pub(super) engine: &'static str,
    /// What was played.
    pub(super) input: String,
    /// Times faster than real time; `null` as fast as the worker could follow.
    pub(super) speed: Option<f64>,
    /// Wall seconds of playing.
    pub(super) seconds: f64,
    /// Seconds of signal that were played.
    pub(super) signal_seconds: f64,
    /// Points appended to the input topic, all of which the worker has computed.
    pub(super) points: u64,
    /// `points / seconds`.
    pub(super) points_per_second: f64,
    /// Records read from the diagrams topic, of the first scale.
    pub(super) emissions: u64,
    /// Latencies.
    pub(super) latency_ms: Latency,
    /// Bytes of the window of each scale, at the end.
    pub(super) memory_bytes: BTreeMap<String, u64>,
    /// Records read from the alerts topic, of the first scale.
    pub(super) alerts: u64,
    /// Beats that the rule marked in the signal that was played; `null` without a rule.
    pub(super) reference_marks: Option<u64>,
    /// Those of them played since the first score.
    pub(super) reference_marks_scored: Option<u64>,
    /// Those of the scored ones that have an alert.
    pub(super) reference_marks_alerted: Option<u64>,
    /// Alerts that belong to a marked beat.
    pub(super) matched: Option<u64>,
    /// Alerts that belong to none.
    pub(super) unmatched: Option<u64>,
    /// The median, over the matched alerts, of the signal time from the marked beat to the newest
    /// sample of the alert's window.
    pub(super) median_delay_ms: Option<f64>,
}

/// Percentiles in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Latency {
    /// What the engine took for an emission, interpolated in the worker's own histogram, whose
    /// buckets grow by half.
    pub(super) engine: Option<Percentiles>,
    /// From handing a point to the producer to reading a result that was due with it.
    pub(super) end_to_end: Option<Percentiles>,
}

impl Report {
    /// The report of a story that has ended.
    pub(super) fn of(story: &Story) -> Report {
        let (setup, totals) = (story.setup(), story.totals());
        let (marks, scored) = story.marks();
        let times: Vec<f64> = story.alerts().iter().map(|alert| alert.time).collect();
        let known = |count: u64| setup.reference.then_some(count);
        Report {
            schema: "streaming-tda.demo-report/v1",
            engine: env!("CARGO_PKG_VERSION"),
            input: setup.title.clone(),
            speed: setup.speed,
            seconds: totals.wall,
            signal_seconds: story.at(),
            points: totals.points,
            points_per_second: totals.points_per_second,
            emissions: totals.emissions,
            latency_ms: Latency { engine: totals.engine, end_to_end: totals.end_to_end },
            memory_bytes: story.reading().window_bytes.clone(),
            alerts: totals.alerts,
            reference_marks: known(marks.len() as u64),
            reference_marks_scored: known(scored.len() as u64),
            reference_marks_alerted: known(reference::alerted(scored, &times) as u64),
            matched: known(totals.matched),
            unmatched: known(totals.alerts - totals.matched),
            median_delay_ms: median(story.alerts().iter().filter_map(|a| a.delay_ms).collect()),
        }
    }
}

/// Writes the report of a story that has ended into a folder, which is made if it does not exist.
///
/// # Errors
/// When the folder cannot be written to.
pub(super) fn write(story: &Story, folder: &Path) -> anyhow::Result<()> {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let json = serde_json::to_string_pretty(&Report::of(story))?;
    write("report.json", json + "\n")?;
    write("report.html", assets::html(Some(&story.whole(now()))))
}

/// Makes the folder of the report, so that it is known early when that is not possible.
///
/// # Errors
/// When it cannot be made.
pub(super) fn prepare(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {} for the report", folder.display()))
}

/// The middle value, the mean of the two middle ones.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[half]),
        _ => Some(0.5 * (values[half - 1] + values[half])),
    }
}

/// Milliseconds since the Unix epoch.
fn now() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    1000.0 * now.unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
