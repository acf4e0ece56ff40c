use anyhow::Result;
use harness::cache;
use harness::cluster::Cluster;
use std::fs;
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many nodes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: u8,
}

impl Options {
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec!["--nodes".into(), self.nodes.to_string()]
    }
}

pub(crate) fn start(folder: &Path, options: &Options) -> Result<(Cluster, String)> {
    let cluster = Cluster::start_in(&folder.join("machines"), options.nodes)?;
    let kubeconfig = folder.join("kubeconfig");
    fs::copy(cluster.kubeconfig(), &kubeconfig)?;
    if let Some(host) = cluster.host() {
        fs::write(folder.join(super::kafka::HOST), host.to_string())?;
    }
    let text = format!(
        "The cluster is up, with {} node(s). To use it:

    export KUBECONFIG={}
    export PATH={}:$PATH      # kubectl and helm of its version
    kubectl get pods --all-namespaces

    make kafka-up       # a Kafka that its pods can reach
    make cluster-down   # end it, and remove all that it kept

Its logs are in {}.",
        options.nodes,
        kubeconfig.display(),
        cache().join("cluster/bin").display(),
        folder.join("machines").display(),
    );
    Ok((cluster, text))
}
