//! `status` as a tree: the resource, its conditions, its revisions, their pods, and warnings.

use super::view::{Revision, Role, View};
use super::{Warning, Worker};
use crate::standing::{Standing, words_of};
use crate::text::{BAD, FAINT, GOOD, Line, PENDING, PLAIN, STRONG};
use crate::words;
use crds::ConditionType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;

/// The lines of the tree.
pub(crate) fn lines(view: &View, now: Timestamp) -> Vec<Line> {
    let mut lines = head(view, now);
    let mut branches: Vec<Vec<Line>> = Vec::new();
    branches.extend(view.revisions.iter().map(|revision| revision_lines(revision, now)));
    branches.extend(view.failed_revisions.iter().map(|failed| {
        let words = format!("failed: {}: {}", failed.reason, failed.message);
        vec![Line::new().and(STRONG, format!("revision {} ", failed.revision)).and(BAD, words)]
    }));
    if branches.is_empty() {
        branches.push(vec![Line::new().and(FAINT, "no revision has pods yet")]);
    }
    lines.extend(under(branches));
    if !view.warnings.is_empty() {
        lines.push(Line::new());
        lines.push(Line::new().and(STRONG, "Warnings of the last hour"));
        lines.extend(view.warnings.iter().map(|warning| warning_line(warning, now)));
    }
    lines
        .extend(view.unread.iter().map(|why| Line::new().and(PENDING, format!("not read: {why}"))));
    lines
}

fn head(view: &View, now: Timestamp) -> Vec<Line> {
    let age = words::age(view.created.as_ref(), now);
    let title = Line::new()
        .and(STRONG, format!("{}/{}", view.namespace, view.name))
        .and(PLAIN, "  ")
        .and(view.standing.style(), format!("{:?}", view.standing))
        .and(PLAIN, format!("  {}", view.message))
        .and(FAINT, format!("  ({age} old, generation {})", view.generation));
    let conditions = view.conditions.iter().map(|c| condition(c, view.generation, now));
    let partitions = view.partitions.map(|partitions| {
        let style = if partitions.owned < partitions.total { BAD } else { PLAIN };
        let owned = format!("{} of {} owned", partitions.owned, partitions.total);
        labelled("Partitions").and(style, owned)
    });
    let scaling = view.autoscaling.as_ref().map(|scaling| {
        let lag = scaling.lag_seconds.map(|lag| format!(", {} behind", words::seconds(lag)));
        let busy = scaling.busy_percent.map(|busy| format!(", {busy:.0} % busy"));
        let wants = words::count(scaling.desired_replicas.max(0) as usize, "pod");
        let seen = [lag, busy].into_iter().flatten().collect::<String>();
        labelled("Autoscaling").and(PLAIN, format!("wants {wants}{seen}: {}", scaling.message))
    });
    [title].into_iter().chain(conditions).chain(partitions).chain(scaling).collect()
}

fn labelled(label: &str) -> Line {
    Line::new().and(FAINT, format!("  {label:<12} "))
}

fn condition(condition: &Condition, generation: i64, now: Timestamp) -> Line {
    let holds = condition.status == "True";
    let wanted = condition.type_ != ConditionType::Stalled.name();
    let style = match (condition.type_.as_str(), holds) {
        ("Progressing", true) => PENDING,
        ("Progressing", false) => PLAIN,
        (_, holds) if holds == wanted => GOOD,
        _ => BAD,
    };
    let older = condition.observed_generation.is_some_and(|of| of < generation);
    let of = if older { ", of an older generation" } else { "" };
    let since = words::age(Some(&condition.last_transition_time), now);
    labelled(&condition.type_)
        .and(style, format!("{:<6}", condition.status))
        .and(PLAIN, words_of(condition))
        .and(FAINT, format!("  (for {since}{of})"))
}

fn revision_lines(revision: &Revision, now: Timestamp) -> Vec<Line> {
    let ready = revision.pods.iter().filter(|pod| pod.ready).count();
    let style = match revision.role {
        Role::Stable => GOOD,
        Role::Candidate => PENDING,
        Role::Old | Role::Unknown => FAINT,
    };
    let name = if revision.name.is_empty() { "pods without a revision" } else { &revision.name };
    let kind = if revision.name.is_empty() { "" } else { "revision " };
    let image = revision.image.as_ref().map_or(String::new(), |image| format!("  {image}"));
    let head = Line::new()
        .and(STRONG, format!("{kind}{name}"))
        .and(style, format!("  {}", revision.role.name()))
        .and(PLAIN, format!("  {ready} of {} ready", words::count(revision.pods.len(), "pod")))
        .and(FAINT, image);
    let width = revision.pods.iter().map(|pod| pod.name.len()).max().unwrap_or_default();
    let pods = revision.pods.iter().map(|pod| pod_lines(pod, width, now)).collect();
    [head].into_iter().chain(under(pods)).collect()
}

fn pod_lines(pod: &Worker, width: usize, now: Timestamp) -> Vec<Line> {
    let failing =
        !pod.ready && !["Pending", "Running", "Terminating"].contains(&pod.phase.as_str());
    let (style, ready) = match (pod.ready, failing) {
        (true, _) => (GOOD, "ready"),
        (false, true) => (BAD, "not ready"),
        (false, false) => (PENDING, "not ready"),
    };
    let restarts = match pod.restarts {
        0 => Line::new(),
        restarts => Line::new().and(PENDING, words::count(restarts as usize, "restart")),
    };
    let restarts = restarts.text(false);
    let node = pod.node.as_ref().map_or(String::new(), |node| format!("on {node}"));
    let age = words::age(pod.created.as_ref(), now);
    let mut head = Line::new()
        .and(PLAIN, format!("{:<width$}  ", pod.name))
        .and(style, format!("{ready:<9}  {}", pod.phase));
    for (style, words) in [(PENDING, restarts), (PLAIN, node), (FAINT, age)] {
        if !words.is_empty() {
            head = head.and(PLAIN, "  ").and(style, words);
        }
    }
    let why = if pod.ready { PENDING } else { BAD };
    let why = pod.why.iter().map(|words| vec![Line::new().and(why, words)]).collect();
    [head].into_iter().chain(under(why)).collect()
}

/// Branches below a line, each with its own lines.
fn under(branches: Vec<Vec<Line>>) -> Vec<Line> {
    let last = branches.len().saturating_sub(1);
    let branch = |(index, lines): (usize, Vec<Line>)| {
        let (first, rest) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let behind =
            move |(line, words): (usize, Line)| words.behind(if line == 0 { first } else { rest });
        lines.into_iter().enumerate().map(behind).collect::<Vec<_>>()
    };
    branches.into_iter().enumerate().flat_map(branch).collect()
}

fn warning_line(warning: &Warning, now: Timestamp) -> Line {
    let last = words::age(warning.last.as_ref(), now);
    let often =
        if warning.count > 1 { format!(" ({} times)", warning.count) } else { String::new() };
    Line::new()
        .and(FAINT, format!("  {last:<6} "))
        .and(PLAIN, format!("{}  ", warning.about))
        .and(PENDING, format!("{}  ", warning.reason))
        .and(PLAIN, format!("{}{often}", warning.message))
}

/// Each thing that may change, with what is said of it now.
pub(crate) fn facts(view: &View) -> Vec<(String, Line)> {
    let fact = |about: String, style, words: String| {
        (about.clone(), Line::new().and(STRONG, about).and(PLAIN, "  ").and(style, words))
    };
    let standing = match view.standing {
        Standing::Ready | Standing::Stalled => view.message.clone(),
        // The rest of the message is told by the conditions and the pods.
        standing => format!("{standing:?}: {}", view.message),
    };
    let mut facts = vec![fact(view.name.clone(), view.standing.style(), standing)];
    for revision in &view.revisions {
        facts.push(fact(
            format!("revision {}", revision.name),
            PLAIN,
            revision.role.name().to_owned(),
        ));
        facts.extend(revision.pods.iter().map(|pod| {
            let ready = if pod.ready { "ready" } else { "not ready" };
            // What it says of times changes all the time.
            let restarts = words::count(pod.restarts as usize, "restart");
            let words = format!("{}, {ready}, {restarts}", pod.phase);
            fact(format!("pod {}", pod.name), if pod.ready { GOOD } else { PENDING }, words)
        }));
    }
    facts.extend(view.warnings.iter().map(|warning| {
        let words = format!("{}: {}", warning.reason, warning.message);
        fact(warning.about.clone() + " " + &warning.reason, PENDING, words)
    }));
    facts
}

#[cfg(test)]
mod tests;
