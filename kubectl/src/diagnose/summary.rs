//! What looks wrong, in words, and what of the rest is in a report.

use super::around::Around;
use crate::partitions::{self, View as Partitions};
use crate::standing::Standing;
use crate::status::{View, lines};
use crate::text::{Line, printable};
use crate::{Trouble, words};
use k8s_openapi::jiff::Timestamp;

/// The summary of a report.
pub(super) fn text(
    view: &View,
    partitions: &Partitions,
    around: &Around,
    missing: &[(String, Trouble)],
    now: Timestamp,
) -> String {
    let wrong = wrong(view, partitions, around);
    let wrong = match wrong.is_empty() {
        true => vec!["nothing that this program looks for".to_owned()],
        false => wrong,
    };
    let version = around.version.as_deref().unwrap_or("unknown");
    let head = format!(
        "StreamingTDA {}/{} at {}\nKubernetes {version}, kubectl stda {}\n",
        view.namespace,
        view.name,
        now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        env!("CARGO_PKG_VERSION")
    );
    let plain = |lines: &[Line]| lines.iter().map(|line| line.text(false)).collect::<Vec<_>>();
    let missing: Vec<String> = missing.iter().map(|(what, why)| format!("{what}: {why}")).collect();
    let mut text = head;
    text += &section("What looks wrong", &listed(&wrong));
    text += &section("Status", &plain(&lines(view, now)));
    text += &section("Partitions", &plain(&partitions::lines(partitions)));
    text += &section("Around it", &listed(&around_it(around)));
    if !missing.is_empty() {
        text += &section("What could not be had", &listed(&missing));
    }
    text
}

fn section(title: &str, lines: &[String]) -> String {
    let rule = "-".repeat(title.len());
    format!("\n{title}\n{rule}\n{}\n", lines.join("\n"))
}

fn listed(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| format!("- {}", printable(line))).collect()
}

/// What looks wrong, what matters most first.
fn wrong(view: &View, partitions: &Partitions, around: &Around) -> Vec<String> {
    let mut wrong = Vec::new();
    if view.standing != Standing::Ready {
        wrong.push(format!("the resource is {:?}: {}", view.standing, view.message));
    }
    wrong.extend(of_operator(around));
    for pod in view.revisions.iter().flat_map(|revision| &revision.pods) {
        let state = if pod.ready { "is ready, but" } else { "is not ready" };
        if !pod.ready && pod.why.is_empty() {
            wrong.push(format!("pod {} is not ready: {}", pod.name, pod.phase));
        }
        wrong.extend(pod.why.iter().map(|why| format!("pod {} {state}: {why}", pod.name)));
    }
    let numbers =
        |numbers: &[i32]| numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    if !partitions.unowned.is_empty() {
        let sure = partitions.silent.is_empty();
        let who = if sure { "no worker owns" } else { "no worker that answers owns" };
        wrong.push(format!("{who} the partitions {}", numbers(&partitions.unowned)));
    }
    if !partitions.twice.is_empty() {
        wrong.push(format!("two workers own the partitions {}", numbers(&partitions.twice)));
    }
    wrong.extend(
        partitions.silent.iter().map(|s| format!("worker {} does not answer: {}", s.pod, s.why)),
    );
    wrong.extend(view.warnings.iter().map(|warning| {
        let often = words::count(warning.count.max(1) as usize, "time");
        format!("{}: {}: {} ({often})", warning.about, warning.reason, warning.message)
    }));
    for (node, ills) in around.nodes.iter().flatten() {
        wrong.extend(ills.iter().map(|ill| format!("node {node}: {ill}")));
    }
    wrong
}

fn of_operator(around: &Around) -> Vec<String> {
    let Some(operators) = &around.operators else { return Vec::new() };
    if operators.is_empty() {
        return vec!["no operator was found in this cluster that the chart installed".into()];
    }
    let lame = operators.iter().filter(|(_, _, ready, wanted)| ready < wanted);
    lame.map(|(name, _, ready, wanted)| {
        format!("{ready} of {wanted} pods of the operator {name} are ready")
    })
    .collect()
}

fn around_it(around: &Around) -> Vec<String> {
    let operators = around.operators.iter().flatten();
    let operators = operators.map(|(name, image, ready, wanted)| {
        format!("operator {name}: {image}, {ready} of {wanted} pods ready")
    });
    let nodes = around.nodes.as_ref().map(|nodes| words::count(nodes.len(), "node"));
    operators.chain(nodes).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::status::Read;
    use crate::tests::{NOW, documents, golden_text, seen};
    use k8s_openapi::api::core::v1::Pod;
    use kube::ResourceExt;

    #[test]
    fn a_summary_says_first_what_looks_wrong() {
        let now: Timestamp = NOW.parse().unwrap();
        let mut pods: Vec<Pod> = documents("pods");
        pods.retain(|pod| pod.labels()["streamingtda.io/name"] == "stalled");
        let (resource, events) = (seen("stalled"), documents("events"));
        let partitions = partitions::view(&resource, &[]);
        let read = Read { resource, pods, events, unread: Vec::new() };
        let around = Around {
            version: Some("v1.34.1".into()),
            operators: Some(vec![("stda/operator".into(), "operator:1".into(), 0, 1)]),
            nodes: Some(vec![
                ("node-1".into(), vec![]),
                (
                    "node-2".into(),
                    vec!["MemoryPressure is True: kubelet has insufficient memory".into()],
                ),
            ]),
        };
        let missing = [("roles".to_owned(), Trouble("cannot list each Role: you may not".into()))];
        let summary = text(&read.view(now), &partitions, &around, &missing, now);
        golden_text("summary.txt", &summary.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    }
}
