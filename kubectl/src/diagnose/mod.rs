//! `diagnose`: all that a report about a resource needs, without secrets.

mod archive;
mod around;
mod collect;
mod redact;
mod summary;

use crate::cluster::Cluster;
use crate::partitions;
use crate::status::Read;
use crate::terminal::put;
use crate::{Exit, Trouble, arguments};
use archive::{Report, SUMMARY};
use k8s_openapi::jiff::Timestamp;
use std::path::PathBuf;

/// Collects it into an archive.
pub(crate) async fn run(
    cluster: &Cluster,
    diagnose: &arguments::Diagnose,
) -> Result<Exit, Trouble> {
    let now = Timestamp::now();
    let name = &diagnose.name;
    let folder = format!("stda-{name}-{}", now.strftime("%Y%m%d-%H%M%S"));
    let archive =
        diagnose.output.clone().unwrap_or_else(|| PathBuf::from(format!("{folder}.tar.gz")));
    let read = Read::of(cluster, name).await?;
    let mut report = Report::default();
    collect::of_resource(cluster, name, &mut report).await;
    let answers = partitions::answers(cluster, &read.pods).await;
    collect::of_workers(cluster, &read.pods, &mut report).await;
    let around = around::around(cluster, &mut report).await;
    let partitions = partitions::view(&read.resource, &answers);
    let summary = summary::text(&read.view(now), &partitions, &around, &report.missing, now);
    report.text(SUMMARY, &summary);
    let shown = archive.display();
    let time = now.as_second().max(0) as u64;
    report.write(&folder, &archive, time).map_err(|error| {
        Trouble(format!("cannot write {shown}: {error}; name another file with -o"))
    })?;
    put(&format!(
        "{}\nAll of it is in {shown}. Secrets were taken out; have a look before you send it.\n",
        redact::text(&summary).trim_end()
    ))?;
    Ok(Exit::Good)
}
