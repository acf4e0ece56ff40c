//! `logs --follow`: lines as they are written, by pods as they come.

use super::entry::{Entry, merge};
use super::{CONTAINER, is_asked_for, parameters, shown, unlogged};
use crate::cluster::Cluster;
use crate::terminal::{Terminal, put};
use crate::{Exit, Trouble, arguments};
use crds::labels;
use futures_util::stream::StreamExt;
use futures_util::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, LogParams};
use kube::runtime::watcher::Event;
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
    let mut changes = pin!(changes.default_backoff());
    let (teller, mut troubles) = channel(WAITING);
    let (mut followed, mut told) = (BTreeSet::new(), BTreeSet::new());
    let mut listed = false;
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(Ok(Event::Apply(pod) | Event::InitApply(pod))) => {
                    if is_asked_for(&pod, logs) && followed.insert(pod.uid()) {
                        let pod = Followed::new(cluster.pods(), &pod, parameters(logs));
                        tokio::spawn(pod.follow(sender.clone(), teller.clone()));
                    }
                }
                Some(Ok(Event::InitDone)) => listed = true,
                Some(Err(error)) => match unwatched(&error) {
                    Some(trouble) if !listed => return Err(trouble),
                    // It is tried again.
                    Some(trouble) if told.insert(trouble.to_string()) => eprintln!("{trouble}"),
                    _ => {}
                },
                Some(Ok(_)) | None => {}
            },
            Some(trouble) = troubles.recv() => eprintln!("{trouble}"),
            Some(line) = lines.recv() => {
                let together = together(line, &mut lines).await;
                let text: String =
                    merge(vec![together]).iter().map(|entry| shown(entry, logs, terminal)).collect();
                put(&text)?;
            }
        }
    }
}

/// Why new pods are not seen, where that is not in the nature of a watch, which may be too old.
fn unwatched(error: &watcher::Error) -> Option<Trouble> {
    match error {
        watcher::Error::InitialListFailed(error) => Some(Trouble::asking("list the pods", error)),
        watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            Some(Trouble::asking("watch the pods", error))
        }
        watcher::Error::WatchError(status) if status.code != 410 => {
            Some(Trouble::asking("watch the pods", &Error::Api(status.clone())))
        }
        _ => None,
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
    /// What was told of why it cannot be read.
    told: BTreeSet<String>,
}

impl Followed {
    fn new(pods: Api<Pod>, pod: &Pod, parameters: LogParams) -> Followed {
        let parameters = LogParams { container: Some(CONTAINER.into()), ..parameters };
        let (name, last, told) = (pod.name_any(), Timestamp::UNIX_EPOCH, BTreeSet::new());
        Followed { pods, name, parameters, last, told }
    }

    /// Sends its lines until the pod is gone, over restarts of its container and lost connections, and
    /// each reason once why there are none.
    async fn follow(mut self, lines: Sender<Entry>, troubles: Sender<String>) {
        loop {
            let begun = Instant::now();
            match self.read(&lines).await {
                Err(Error::Api(status)) if status.code == 404 => return,
                _ if lines.is_closed() => return,
                Err(error) => {
                    let trouble = format!("{}: {}", self.name, unlogged(&error));
                    if self.told.insert(trouble.clone()) {
                        _ = troubles.send(trouble).await;
                    }
                    sleep_until(begun + AGAIN).await;
                }
                Ok(()) => sleep_until(begun + AGAIN).await,
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tests::{failure, server};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
    use std::collections::VecDeque;

    #[tokio::test]
    async fn why_a_log_cannot_be_followed_is_told_once() {
        let mut answers: VecDeque<u16> = [403, 403, 500, 403, 404].into();
        let client = server(move |_| failure(answers.pop_front().unwrap())).await;
        let metadata = ObjectMeta { name: Some("ecg-1".into()), ..ObjectMeta::default() };
        let pod = Pod { metadata, ..Pod::default() };
        let pod = Followed::new(Api::namespaced(client, "default"), &pod, LogParams::default());
        let (lines, _lines) = channel(8);
        let (troubles, mut told) = channel(8);
        pod.follow(lines, troubles).await;
        let told: Vec<String> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("ecg-1: cannot read its log: you may not ("), "{told:?}");
        assert!(told[1].contains("the API server says: it answers with 500"), "{told:?}");
    }
}
