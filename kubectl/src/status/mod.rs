//! `status`: one resource, its revisions and pods, and what goes wrong with them.

mod pod;
mod tree;
mod view;
mod warning;
mod watch;

use pod::{Worker, worker};
pub(crate) use tree::lines;
pub(crate) use view::View;
use view::view;
use warning::{Warning, warnings};

use crate::cluster::{Cluster, Seen};
use crate::standing::Standing;
use crate::terminal::{self, Terminal};
use crate::{Exit, Trouble, arguments};
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Api, ListParams};

/// Shows it, once or until it is in force or stalled.
pub(crate) async fn run(
    cluster: &Cluster,
    status: &arguments::Status,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    if status.watch {
        return watch::run(cluster, &status.name, status.timeout, terminal).await;
    }
    let now = Timestamp::now();
    let view = Read::of(cluster, &status.name).await?.view(now);
    match status.output {
        Some(format) => terminal::put(&format.write(&view)?)?,
        None => terminal.print(&tree::lines(&view, now))?,
    }
    Ok(exit(view.standing))
}

/// What a script is told.
fn exit(standing: Standing) -> Exit {
    match standing {
        Standing::Ready => Exit::Good,
        Standing::Stalled => Exit::Bad,
        Standing::Progressing | Standing::Unseen | Standing::Leaving => Exit::NotYet,
    }
}

/// What was read of a resource.
pub(crate) struct Read {
    pub(crate) resource: Seen,
    pub(crate) pods: Vec<Pod>,
    pub(crate) events: Vec<Event>,
    /// What could not be read, and why.
    pub(crate) unread: Vec<Trouble>,
}

impl Read {
    /// Reads it. Only the resource itself must be readable.
    pub(crate) async fn of(cluster: &Cluster, name: &str) -> Result<Read, Trouble> {
        Ok(Read::around(cluster, cluster.resource(name).await?).await)
    }

    /// Reads what is around it.
    async fn around(cluster: &Cluster, resource: Seen) -> Read {
        let mut unread = Vec::new();
        let pods = cluster.workers(&resource.name_any()).await.unwrap_or_else(|trouble| {
            unread.push(trouble);
            Vec::new()
        });
        let events = warning_events(cluster).await.unwrap_or_else(|trouble| {
            unread.push(trouble);
            Vec::new()
        });
        Read { resource, pods, events, unread }
    }

    /// What is said of it.
    pub(crate) fn view(&self, now: Timestamp) -> View {
        view(self, now)
    }
}

/// The most warnings of a namespace that are looked through.
const EVENTS: u32 = 2000;

async fn warning_events(cluster: &Cluster) -> Result<Vec<Event>, Trouble> {
    let api: Api<Event> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let warnings = ListParams::default().fields("type=Warning").limit(EVENTS);
    Ok(cluster.ask("list the events", api.list(&warnings)).await?.items)
}
