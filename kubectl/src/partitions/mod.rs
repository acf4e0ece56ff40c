//! `partitions`: who owns which partition of the input, and how far it is.

mod view;

use crate::cluster::Cluster;
use crate::terminal::{self, Terminal};
use crate::{Exit, Trouble, arguments, worker};
use futures_util::stream::{self, StreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
pub(crate) use view::{Answer, View, lines, view};

/// Workers that are asked at a time.
const AT_ONCE: usize = 16;

/// Asks all workers, and shows what they own.
pub(crate) async fn run(
    cluster: &Cluster,
    partitions: &arguments::Partitions,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let resource = cluster.resource(&partitions.name).await?;
    let pods = cluster.workers(&partitions.name).await?;
    let view = view(&resource, &answers(cluster, &pods).await);
    match partitions.output {
        Some(format) => terminal::put(&format.write(&view)?)?,
        None => terminal.print_cut(&lines(&view))?,
    }
    Ok(exit(&view))
}

/// What each worker says, in the order of the pods.
pub(crate) async fn answers(cluster: &Cluster, pods: &[Pod]) -> Vec<Answer> {
    let ask = async |pod: &Pod| Answer {
        pod: pod.name_any(),
        revision: pod.labels().get(crds::labels::REVISION).cloned(),
        status: worker::status(cluster, pod).await,
    };
    stream::iter(pods).map(ask).buffered(AT_ONCE).collect().await
}

/// What a script is told.
fn exit(view: &View) -> Exit {
    match (view.total, view.unowned.is_empty(), view.silent.is_empty()) {
        _ if !view.twice.is_empty() => Exit::Bad,
        (Some(_), true, _) => Exit::Good,
        // Who did not answer may own them.
        (_, _, false) | (None, _, _) => Exit::NotYet,
        (Some(_), false, true) => Exit::Bad,
    }
}

#[cfg(test)]
mod tests;
