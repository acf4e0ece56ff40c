//! `logs --follow`: lines as they are written, by pods as they come.

use super::entry::{Entry, merge};
use super::{CONTAINER, is_asked_for, parameters, shown};
use crate::cluster::Cluster;
use crate::terminal::{Terminal, put};
use crate::{Exit, Trouble, arguments};
use crds::labels;
use futures_util::stream::StreamExt;
use futures_util::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, LogParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Error, ResourceExt};
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, sleep_until};

/// Lines of several pods that arrive within this time are put into the order of theirs.
const TOGETHER: Duration = Duration::from_millis(300);
/// How long until a log is asked for again that has ended or is not there yet.
const AGAIN: Duration = Duration::from_secs(1);
/// Lines that wait to be printed.
const WAITING: usize = 4096;

/// Prints them until it is interrupted.
pub(super) async fn run(
    cluster: &Cluster,
    logs: &arguments::Logs,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let (sender, mut lines) = channel(WAITING);
    let selector = format!("{}={}", labels::NAME, logs.name);
    let changes = watcher(cluster.pods(), watcher::Config::default().labels(&selector));
    let mut changes = pin!(changes.default_backoff().applied_objects());
    let mut followed = BTreeSet::new();
    loop {
        tokio::select! {
            pod = changes.next() => match pod {
                Some(Ok(pod)) => {
                    if is_asked_for(&pod, logs) && followed.insert(pod.uid()) {
                        let pod = Followed::new(cluster.pods(), &pod, parameters(logs));
                        tokio::spawn(pod.follow(sender.clone()));
                    }
                }
                Some(Err(watcher::Error::InitialListFailed(error))) => {
                    return Err(Trouble::asking("list the pods", &error));
                }
                // It is tried again.
                Some(Err(_)) | None => {}
            },
            Some(line) = lines.recv() => {
                let together = together(line, &mut lines).await;
                let text: String =
                    merge(vec![together]).iter().map(|entry| shown(entry, logs, terminal)).collect();
                put(&text)?;
            }
        }
    }
}

/// A line, and those that arrive within a short time after it.
async fn together(line: Entry, lines: &mut Receiver<Entry>) -> Vec<Entry> {
    sleep(TOGETHER).await;
    let mut together = vec![line];
    while let Ok(line) = lines.try_recv() {
        together.push(line);
    }
    together
}

/// A pod whose log is followed.
struct Followed {
    pods: Api<Pod>,
    name: String,
    parameters: LogParams,
    /// The time of the last line.
    last: Timestamp,
}

impl Followed {
    fn new(pods: Api<Pod>, pod: &Pod, parameters: LogParams) -> Followed {
        let parameters = LogParams { container: Some(CONTAINER.into()), ..parameters };
        Followed { pods, name: pod.name_any(), parameters, last: Timestamp::UNIX_EPOCH }
    }

    /// Sends its lines until the pod is gone, over restarts of its container and lost connections.
    async fn follow(mut self, lines: Sender<Entry>) {
        loop {
            let begun = Instant::now();
            match self.read(&lines).await {
                Err(Error::Api(status)) if status.code == 404 => return,
                _ if lines.is_closed() => return,
                _ => sleep_until(begun + AGAIN).await,
            }
            if self.last > Timestamp::UNIX_EPOCH {
                self.parameters.tail_lines = None;
                self.parameters.since_seconds = None;
                self.parameters.since_time = Some(self.last);
            }
        }
    }

    async fn read(&mut self, lines: &Sender<Entry>) -> Result<(), Error> {
        let log = self.pods.log_stream(&self.name, &self.parameters).await?;
        // The API server counts in seconds: what was told of that second is not told again.
        let told = self.last;
        let mut log = pin!(log.lines());
        while let Some(line) = log.try_next().await.map_err(Error::ReadEvents)? {
            let entry = Entry::read(&self.name, &line, self.last);
            self.last = entry.time;
            if entry.time > told && lines.send(entry).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}
