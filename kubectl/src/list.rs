//! `list`: the resources, and which of them are not ready.

use crate::arguments;
use crate::cluster::{Cluster, Seen};
use crate::standing::{Standing, standing};
use crate::table::{Cell, plain, table};
use crate::terminal::{self, Terminal};
use crate::text::{Line, PLAIN};
use crate::{Exit, Trouble, words};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde::Serialize;

/// Lists them; that some are not ready is no error of the list.
pub(crate) async fn run(
    cluster: &Cluster,
    list: &arguments::List,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let now = Timestamp::now();
    let mut rows: Vec<Row> =
        cluster.list(list.all_namespaces).await?.iter().map(|seen| row(seen, now)).collect();
    rows.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    match list.output {
        Some(format) => terminal::put(&format.write(&Items { items: rows })?)?,
        None if rows.is_empty() => terminal.print(&[none(cluster, list.all_namespaces)])?,
        None => terminal.print_cut(&lines(&rows, list.all_namespaces, now))?,
    }
    Ok(Exit::Good)
}

fn none(cluster: &Cluster, everywhere: bool) -> Line {
    Line::new().and(
        PLAIN,
        match everywhere {
            true => "There is no StreamingTDA in this cluster.".into(),
            false => format!("There is no StreamingTDA in the namespace {}.", cluster.namespace),
        },
    )
}

#[derive(Debug, Serialize)]
struct Items {
    items: Vec<Row>,
}

/// What is said of a resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    namespace: String,
    name: String,
    standing: Standing,
    message: String,
    pods_ready: i32,
    pods_wanted: i32,
    revision: Option<String>,
    candidate: Option<String>,
    partitions_owned: Option<i32>,
    partitions_total: Option<i32>,
    lag_seconds: Option<f64>,
    created: Option<Time>,
}

fn row(resource: &Seen, now: Timestamp) -> Row {
    let status = resource.status.clone().unwrap_or_default();
    let (standing, message) = standing(resource, now);
    Row {
        namespace: resource.namespace().unwrap_or_default(),
        name: resource.name_any(),
        standing,
        message,
        pods_ready: status.ready_replicas.unwrap_or_default(),
        pods_wanted: wanted(resource),
        revision: status.stable_revision,
        candidate: status.candidate_revision,
        partitions_owned: status.partitions.map(|partitions| partitions.owned),
        partitions_total: status.partitions.map(|partitions| partitions.total),
        lag_seconds: status.autoscaling.and_then(|autoscaling| autoscaling.lag_seconds),
        created: resource.metadata.creation_timestamp.clone(),
    }
}

/// Worker pods that are wanted: what the operator's autoscaling wants, or the spec.
pub(crate) fn wanted(resource: &Seen) -> i32 {
    let scales = resource.spec.autoscaling.is_some();
    let scaled = resource.status.as_ref().filter(|_| scales).and_then(|s| s.autoscaling.as_ref());
    scaled.map_or(resource.spec.replicas.unwrap_or(1), |scaled| scaled.desired_replicas)
}

const COLUMNS: [&str; 9] =
    ["NAMESPACE", "NAME", "STANDING", "PODS", "REVISION", "PARTITIONS", "LAG", "AGE", "WHY"];

fn lines(rows: &[Row], with_namespace: bool, now: Timestamp) -> Vec<Line> {
    let cells = |row: &Row| -> Vec<Cell> {
        let partitions = row.partitions_owned.zip(row.partitions_total);
        let revision = [&row.revision, &row.candidate].map(|name| name.clone().unwrap_or_default());
        let revision = match revision.each_ref().map(String::as_str) {
            [stable, ""] => stable.to_owned(),
            ["", candidate] => format!("→{candidate}"),
            [stable, candidate] => format!("{stable}→{candidate}"),
        };
        let ready = row.standing == Standing::Ready;
        vec![
            plain(if with_namespace { row.namespace.as_str() } else { "" }),
            plain(&row.name),
            (format!("{:?}", row.standing), row.standing.style()),
            plain(format!("{}/{}", row.pods_ready, row.pods_wanted)),
            plain(revision),
            plain(partitions.map_or(String::new(), |(owned, total)| format!("{owned}/{total}"))),
            plain(row.lag_seconds.map_or(String::new(), words::seconds)),
            plain(words::age(row.created.as_ref(), now)),
            plain(if ready { "" } else { row.message.as_str() }),
        ]
    };
    table(&COLUMNS, &rows.iter().map(cells).collect::<Vec<_>>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tests::{NOW, golden, seen};

    #[test]
    fn resources_are_listed_with_why_they_are_not_ready() {
        let now: Timestamp = NOW.parse().unwrap();
        let rows: Vec<Row> = ["ready", "rolling", "stalled", "unseen", "abandoned", "leaving"]
            .iter()
            .map(|name| row(&seen(name), now))
            .collect();
        golden("list.txt", &lines(&rows, false, now));
        golden("list-all.txt", &lines(&rows, true, now));
        let json: serde_json::Value = serde_json::to_value(&rows[2]).unwrap();
        assert_eq!((&json["standing"], &json["podsWanted"]), (&"Stalled".into(), &3.into()));
    }
}
