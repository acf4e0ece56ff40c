use crate::background::Background;
use anyhow::Result;
use harness::kafka::{self, Kafka};
use std::fs;
use std::net::Ipv4Addr;

/// The file in the folder of a cluster that says where its pods find this host.
pub(crate) const HOST: &str = "host";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The port of localhost where it is
    #[arg(long, default_value_t = 9092)]
    port: u16,
}

impl Options {
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec!["--port".into(), self.port.to_string()]
    }
}

pub(crate) fn start(options: &Options) -> Result<(Kafka, String)> {
    let pods = host_of_cluster();
    let kafka =
        Kafka::with(&kafka::Options { port: Some(options.port), pods, ..Default::default() })?;
    let for_pods = kafka.address_for_pods().unwrap_or_else(|| {
        "not reachable: `make cluster-up` first, then `make kafka-down kafka-up`".into()
    });
    let text = format!(
        "Kafka {} is up, with one broker and no topics. It is at

    {}      here
    {for_pods}      in pods of the cluster

    make kafka-down     # end it, and forget what it has",
        kafka::VERSION,
        kafka.address(),
    );
    Ok((kafka, text))
}

fn host_of_cluster() -> Option<Ipv4Addr> {
    let cluster = Background::of("cluster");
    cluster.is_up().then(|| fs::read_to_string(cluster.folder().join(HOST)).ok()?.parse().ok())?
}
