//! `status --watch`: until the spec is in force or stalled.

use super::view::View;
use super::{Read, exit, tree};
use crate::cluster::{self, Cluster};
use crate::standing::Standing;
use crate::terminal::{Terminal, put};
use crate::text::{FAINT, Line, PENDING, PLAIN};
use crate::{Exit, Trouble};
use crds::labels;
use futures_util::stream::{Stream, StreamExt, select};
use k8s_openapi::jiff::Timestamp;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long what is shown may be old: ages go on, and a watch may be broken.
const REFRESH: Duration = Duration::from_secs(5);
/// Several changes in a row are shown as one.
const SETTLED: Duration = Duration::from_millis(200);

/// Follows it; ends with what it has come to. Once it was seen, an API server that gives no answer for a
/// while ends nothing.
pub(crate) async fn run(
    cluster: &Cluster,
    name: &str,
    time: Option<Duration>,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    // Far enough away to be never.
    let deadline = Instant::now() + time.unwrap_or(Duration::from_secs(86_400 * 3650));
    let mut screen = Screen::new(terminal);
    let mut changes = pin!(changes(cluster, name));
    let mut view = Read::of(cluster, name).await?.view(Timestamp::now());
    let mut trouble = None;
    loop {
        screen.show(&view, Timestamp::now())?;
        if matches!(view.standing, Standing::Ready | Standing::Stalled) {
            return Ok(exit(view.standing));
        }
        if Instant::now() >= deadline {
            let late = time.unwrap_or_default().as_secs_f64();
            let why = trouble.map_or(String::new(), |why| format!("; not read since: {why}"));
            let late = format!("not in force after {late} s: {}{why}", view.message);
            terminal.print(&[Line::new().and(PENDING, late)])?;
            return Ok(Exit::NotYet);
        }
        let next = deadline.min(Instant::now() + REFRESH);
        if let Ok(Some(())) = timeout_at(next, changes.next()).await {
            sleep_until(deadline.min(Instant::now() + SETTLED)).await;
        }
        match timeout_at(deadline, look(cluster, name)).await {
            Ok(Ok(Some(read))) => (view, trouble) = (read.view(Timestamp::now()), None),
            Ok(Ok(None)) => return Err(cluster.missing(name).await?),
            Ok(Err(why)) => {
                view.unread = vec![why.to_string()];
                trouble = Some(why);
            }
            // Too late to be shown.
            Err(_) => {}
        }
    }
}

/// The resource, if it is there, and what is around it.
async fn look(cluster: &Cluster, name: &str) -> Result<Option<Read>, Trouble> {
    match cluster.find(name).await? {
        Some(resource) => Ok(Some(Read::around(cluster, resource).await)),
        None => Ok(None),
    }
}

/// Something for each change of the resource or of its pods. Never ends.
fn changes(cluster: &Cluster, name: &str) -> impl Stream<Item = ()> + use<> {
    let resource = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let pods = watcher::Config::default().labels(&format!("{}={name}", labels::NAME));
    let kind = cluster::kind();
    let resources = kube::Api::<kube::api::DynamicObject>::namespaced_with(
        cluster.client.clone(),
        &cluster.namespace,
        &kind,
    );
    // What cannot be watched is looked at now and then all the same.
    let resource = watcher(resources, resource).default_backoff();
    let pods = watcher(cluster.pods(), pods).default_backoff();
    let resource = resource.filter_map(async |change| change.ok().map(drop));
    let pods = pods.filter_map(async |change| change.ok().map(drop));
    select(resource.boxed(), pods.boxed())
}

/// What has been shown so far.
struct Screen<'a> {
    terminal: &'a Terminal,
    /// The lines that are on the terminal.
    drawn: usize,
    /// What has been told, where it is not drawn.
    told: BTreeMap<String, Line>,
}

impl Screen<'_> {
    fn new(terminal: &Terminal) -> Screen<'_> {
        Screen { terminal, drawn: 0, told: BTreeMap::new() }
    }

    fn show(&mut self, view: &View, now: Timestamp) -> Result<(), Trouble> {
        match self.terminal.size {
            Some((_, rows)) => self.draw(tree::lines(view, now), rows),
            None => self.tell(view, now),
        }
    }

    /// Writes over what is there, in one piece, so that nothing flickers.
    fn draw(&mut self, lines: Vec<Line>, rows: usize) -> Result<(), Trouble> {
        let lines = fitting(lines, rows.saturating_sub(1).max(1));
        let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        let text: String =
            lines.iter().map(|line| format!("\r{}\x1b[K\n", self.terminal.cut(line))).collect();
        self.drawn = lines.len();
        Ok(put(&format!("{up}{text}\x1b[J"))?)
    }

    /// A line for each thing that has changed.
    fn tell(&mut self, view: &View, now: Timestamp) -> Result<(), Trouble> {
        let facts: BTreeMap<String, Line> = tree::facts(view).into_iter().collect();
        let time = now.strftime("%H:%M:%SZ ").to_string();
        let at = |line: &Line| line.clone().behind(&time);
        let order = tree::facts(view);
        let new = order.iter().filter(|(about, line)| self.told.get(about) != Some(line));
        let mut lines: Vec<Line> = new.map(|(_, line)| at(line)).collect();
        let gone = self.told.keys().filter(|about| !facts.contains_key(*about));
        let gone = gone.filter(|about| about.starts_with("pod ") || about.starts_with("revision "));
        lines.extend(gone.map(|about| at(&Line::new().and(PLAIN, format!("{about}  is gone")))));
        self.told = facts;
        Ok(self.terminal.print(&lines)?)
    }
}

/// As many of the lines as there is room for.
fn fitting(mut lines: Vec<Line>, room: usize) -> Vec<Line> {
    if lines.len() > room {
        let left = lines.len() - room + 1;
        lines.truncate(room - 1);
        lines
            .push(Line::new().and(FAINT, format!("… and {left} lines for which there is no room")));
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tests::{failure, seen, server};

    /// Follows a resource that is in force at its third look; what the second gives is said.
    async fn watch(second: u16, seconds: f64) -> Result<Exit, Trouble> {
        let mut looks = 0;
        let client = server(move |path| {
            if !path.contains("streamingtdas/ecg") {
                return failure(403);
            }
            looks += 1;
            let name = if looks < 3 { "rolling" } else { "ready" };
            match looks {
                2 => failure(second),
                _ => (200, serde_json::to_string(&seen(name)).unwrap()),
            }
        });
        let cluster = Cluster::of_test(client.await);
        let terminal = Terminal { colour: false, size: None };
        run(&cluster, "ecg", Some(Duration::from_secs_f64(seconds)), &terminal).await
    }

    #[tokio::test]
    async fn an_api_server_that_is_away_for_a_while_ends_nothing() {
        assert_eq!(watch(500, 60.0).await, Ok(Exit::Good));
        assert_eq!(watch(500, 0.1).await, Ok(Exit::NotYet));
        let gone = watch(404, 60.0).await.unwrap_err().to_string();
        assert!(gone.contains("cannot list StreamingTDA resources"), "{gone}");
    }
}
