//! `logs`: the logs of all workers in one.

mod entry;
mod follow;

use crate::cluster::Cluster;
use crate::terminal::{Terminal, put};
use crate::{Exit, Trouble, arguments};
use anstyle::AnsiColor;
use crds::labels;
use entry::{Entry, merge};
use futures_util::stream::{self, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::LogParams;
use kube::{Error, ResourceExt};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Logs that are read at a time.
const AT_ONCE: usize = 8;

/// Prints them; with `--follow` until it is interrupted.
pub(crate) async fn run(
    cluster: &Cluster,
    logs: &arguments::Logs,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    cluster.resource(&logs.name).await?;
    if logs.follow {
        return follow::run(cluster, logs, terminal).await;
    }
    let mut pods = cluster.workers(&logs.name).await?;
    pods.retain(|pod| is_asked_for(pod, logs));
    if pods.is_empty() {
        eprintln!("there is no such worker pod");
        return Ok(Exit::NotYet);
    }
    let read = async |pod: &Pod| (pod.name_any(), read(cluster, pod, logs).await);
    let read: Vec<_> = stream::iter(&pods).map(read).buffered(AT_ONCE).collect().await;
    let mut told = Vec::new();
    let mut none = 0;
    for (pod, log) in read {
        match log {
            Ok(log) => told.push(log),
            Err(trouble) => {
                none += 1;
                eprintln!("{pod}: {trouble}");
            }
        }
    }
    let text: String = merge(told).iter().map(|entry| shown(entry, logs, terminal)).collect();
    put(&text)?;
    Ok(if none == pods.len() { Exit::NotYet } else { Exit::Good })
}

/// Whether a pod is one whose log is asked for.
fn is_asked_for(pod: &Pod, logs: &arguments::Logs) -> bool {
    let revision = pod.labels().get(labels::REVISION);
    logs.revision.as_ref().is_none_or(|wanted| Some(wanted) == revision)
        && logs.pod.as_ref().is_none_or(|wanted| *wanted == pod.name_any())
}

/// What is asked for of each log.
fn parameters(logs: &arguments::Logs) -> LogParams {
    LogParams {
        container: Some(CONTAINER.into()),
        follow: logs.follow,
        previous: logs.previous,
        since_seconds: logs.since.map(|since| since.as_secs().max(1) as i64),
        tail_lines: logs.tail,
        timestamps: true,
        ..LogParams::default()
    }
}

/// The container of the worker: others may be put beside it.
pub(crate) const CONTAINER: &str = "worker";

async fn read(cluster: &Cluster, pod: &Pod, logs: &arguments::Logs) -> Result<Vec<Entry>, Trouble> {
    let name = pod.name_any();
    let what = "read its log";
    let parameters = parameters(logs);
    let asked = async { Ok(cluster.pods().logs(&name, &parameters).await) };
    let text = match cluster.ask(what, asked).await? {
        Ok(text) => text,
        Err(error) => return Err(unlogged(&error)),
    };
    let mut before = Timestamp::UNIX_EPOCH;
    let entry = |line: &str| {
        let entry = Entry::read(&name, line, before);
        before = entry.time;
        entry
    };
    Ok(text.lines().map(entry).collect())
}

/// Why there is no log.
pub(crate) fn unlogged(error: &Error) -> Trouble {
    match error {
        // The container waits to start, or there was none before it.
        Error::Api(status) if status.code == 400 => {
            Trouble(format!("there is no log: {}", status.message.trim()))
        }
        other => Trouble::asking("read its log", other),
    }
}

/// The colours of pods.
const COLOURS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Yellow,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
];

/// A line as it is printed, with its pod before it.
fn shown(entry: &Entry, logs: &arguments::Logs, terminal: &Terminal) -> String {
    let Entry { time, pod, text } = entry;
    let time = if logs.timestamps { format!("{time} ") } else { String::new() };
    let mut hash = DefaultHasher::new();
    pod.hash(&mut hash);
    let colour = COLOURS[(hash.finish() % COLOURS.len() as u64) as usize].on_default();
    match terminal.colour {
        true => format!("{colour}{pod}{colour:#}  {time}{text}\n"),
        false => format!("{pod}  {time}{text}\n"),
    }
}
