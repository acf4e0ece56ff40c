//! Partitions and their owners, as a table.

use crate::Trouble;
use crate::cluster::Seen;
use crate::table::{Cell, plain, table};
use crate::text::{BAD, FAINT, GOOD, Line, PENDING, PLAIN, STRONG};
use crate::words;
use crate::worker::{Owned, WorkerStatus};
use kube::ResourceExt;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a worker has said, or why it has not.
pub(crate) struct Answer {
    pub(crate) pod: String,
    /// The revision by its label.
    pub(crate) revision: Option<String>,
    pub(crate) status: Result<WorkerStatus, Trouble>,
}

/// Who owns what.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) topics: Vec<String>,
    /// Partitions of the input; nothing when nobody tells.
    pub(crate) total: Option<i32>,
    pub(crate) partitions: Vec<Row>,
    /// Those that no worker owns.
    pub(crate) unowned: Vec<i32>,
    /// Those that two workers of one group own.
    pub(crate) twice: Vec<i32>,
    /// Workers that did not answer.
    pub(crate) silent: Vec<Silent>,
}

/// A partition, with one of its owners.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) partition: i32,
    pub(crate) pod: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) next_offset: Option<i64>,
    pub(crate) end_offset: Option<i64>,
    pub(crate) lag_records: Option<i64>,
    pub(crate) lag_seconds: Option<f64>,
    pub(crate) series: Option<i64>,
    pub(crate) points_per_second: Option<f64>,
}

/// A worker that did not answer, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Silent {
    pub(crate) pod: String,
    pub(crate) why: String,
}

/// Who owns what, by what the workers say.
pub(crate) fn view(resource: &Seen, answers: &[Answer]) -> View {
    let statuses: Vec<(&Answer, &WorkerStatus)> =
        answers.iter().filter_map(|answer| Some((answer, answer.status.as_ref().ok()?))).collect();
    let known = resource.status.as_ref().and_then(|status| status.partitions);
    let told = statuses
        .iter()
        .filter_map(|(_, status)| status.partitions_total)
        .filter(|total| *total > 0)
        .max();
    let total = told.or(known.map(|partitions| partitions.total));
    let mut rows: Vec<Row> = statuses
        .iter()
        .flat_map(|(answer, status)| {
            status.partitions.iter().map(|owned| row(answer, status, owned))
        })
        .collect();
    let owned = |partition: i32| rows.iter().any(|row| row.partition == partition);
    let unowned: Vec<i32> = (0..total.unwrap_or(0)).filter(|p| !owned(*p)).collect();
    let twice = twice(&rows);
    rows.extend(unowned.iter().map(|partition| nobody(*partition)));
    rows.sort_by(|a, b| (a.partition, &a.pod).cmp(&(b.partition, &b.pod)));
    let mut topics: Vec<String> = statuses.iter().filter_map(|(_, s)| s.topic.clone()).collect();
    topics.sort();
    topics.dedup();
    let silent = answers.iter().filter_map(|answer| {
        let why = answer.status.as_ref().err()?.to_string();
        Some(Silent { pod: answer.pod.clone(), why })
    });
    View {
        namespace: resource.namespace().unwrap_or_default(),
        name: resource.name_any(),
        topics,
        total,
        partitions: rows,
        unowned,
        twice,
        silent: silent.collect(),
    }
}

/// Partitions with several owners in one group. Groups of different revisions each have their owner.
fn twice(rows: &[Row]) -> Vec<i32> {
    let mut owners: BTreeMap<(i32, &Option<String>), usize> = BTreeMap::new();
    for row in rows {
        *owners.entry((row.partition, &row.group)).or_default() += 1;
    }
    let several = owners.into_iter().filter(|(_, owners)| *owners > 1);
    let mut twice: Vec<i32> = several.map(|((partition, _), _)| partition).collect();
    twice.dedup();
    twice
}

fn row(answer: &Answer, status: &WorkerStatus, owned: &Owned) -> Row {
    Row {
        partition: owned.partition,
        pod: Some(answer.pod.clone()),
        revision: status.revision.clone().or_else(|| answer.revision.clone()),
        group: status.group.clone(),
        state: owned.state.clone(),
        next_offset: owned.next_offset,
        end_offset: owned.end_offset,
        lag_records: owned.lag_records,
        lag_seconds: owned.lag_seconds,
        series: owned.series,
        points_per_second: owned.points_per_second,
    }
}

fn nobody(partition: i32) -> Row {
    Row {
        partition,
        pod: None,
        revision: None,
        group: None,
        state: None,
        next_offset: None,
        end_offset: None,
        lag_records: None,
        lag_seconds: None,
        series: None,
        points_per_second: None,
    }
}

const COLUMNS: [&str; 10] = [
    "PARTITION",
    "STATE",
    "OWNER",
    "REVISION",
    "NEXT",
    "END",
    "LAG",
    "BEHIND",
    "SERIES",
    "POINTS/S",
];

/// The table, and what is wrong below it.
pub(crate) fn lines(view: &View) -> Vec<Line> {
    let rows: Vec<Vec<Cell>> = view.partitions.iter().map(|row| cells(row, view)).collect();
    let mut lines = if rows.is_empty() { Vec::new() } else { table(&COLUMNS, &rows) };
    lines.extend(view.silent.iter().map(|silent| {
        let pod = format!("{} did not answer: ", silent.pod);
        Line::new().and(STRONG, pod).and(PENDING, &silent.why)
    }));
    lines.push(summary(view));
    lines
}

fn cells(row: &Row, view: &View) -> Vec<Cell> {
    fn shown<T: ToString>(value: &Option<T>) -> Cell {
        plain(value.as_ref().map_or(String::new(), ToString::to_string))
    }
    let state = match (&row.pod, &row.state) {
        (None, _) if view.silent.is_empty() => ("unowned".to_owned(), BAD),
        (None, _) => ("unknown".to_owned(), PENDING),
        (Some(_), state) => {
            let state = state.clone().unwrap_or_default();
            let style = if state == "Running" { GOOD } else { PENDING };
            (state, style)
        }
    };
    let owner = match view.twice.contains(&row.partition) {
        true => (format!("{} (owned twice)", row.pod.clone().unwrap_or_default()), BAD),
        false => shown(&row.pod),
    };
    let rate = row.points_per_second.map(|rate| format!("{rate:.0}"));
    vec![
        plain(row.partition.to_string()),
        state,
        owner,
        shown(&row.revision),
        shown(&row.next_offset),
        shown(&row.end_offset),
        shown(&row.lag_records),
        shown(&row.lag_seconds.map(words::seconds)),
        shown(&row.series),
        shown(&rate),
    ]
}

fn summary(view: &View) -> Line {
    let topic = match view.topics.as_slice() {
        [] => String::new(),
        topics => format!(" of {}", topics.join(", ")),
    };
    let Some(total) = view.total else {
        let why =
            if view.silent.is_empty() { "there is no worker pod" } else { "no worker answers" };
        return Line::new()
            .and(PENDING, format!("{why}, so that nothing is known of the partitions"));
    };
    let owned = total - view.unowned.len() as i32;
    let listed =
        |partitions: &[i32]| partitions.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    let line = Line::new().and(FAINT, format!("{owned} of {total} partitions{topic} are owned"));
    let line = match (view.unowned.as_slice(), view.silent.is_empty()) {
        ([], _) => line,
        (unowned, true) => line.and(BAD, format!("; unowned: {}", listed(unowned))),
        (unowned, false) => {
            let words = format!("; nothing is known of {}", listed(unowned));
            line.and(PENDING, words)
        }
    };
    match view.twice.as_slice() {
        [] => line,
        twice => line.and(PLAIN, "; ").and(BAD, format!("owned twice: {}", listed(twice))),
    }
}
