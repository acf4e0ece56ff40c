//! The process: HTTP, the lease, and the controller while it is held.

use crate::leader::Candidate;
use crate::metrics::Metrics;
use crate::revision::Settings;
use crate::{check, controller, http};
use anyhow::{Context, Result};
use clap::Parser;
use crds::StreamingTDA;
use kube::api::{Api, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DeserializeGuard;
use kube::{Client, Config};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long what is in hand may take when the process is told to end: less than a pod is given.
const FINISHING: Duration = Duration::from_secs(20);
/// How long the API server may take for an answer.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a connection may be silent on which something is expected: longer than a watch is, which
/// notices by itself that it was cut off without a word.
const SILENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether the definitions are there.
const LOOKING: Duration = Duration::from_secs(5);

/// A resource that may have another form than is known here.
pub(crate) type Resource = DeserializeGuard<StreamingTDA>;

/// Keeps a cluster what its StreamingTDA resources say
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// The kubeconfig of the cluster; by default the cluster that this runs in, or else KUBECONFIG
    #[arg(long)]
    pub kubeconfig: Option<PathBuf>,
    /// Namespaces whose resources are worked on, separated by commas; all when none is named
    #[arg(long, value_delimiter = ',', env = "STDA_WATCH_NAMESPACES")]
    pub watch_namespaces: Vec<String>,
    /// Where the workers' image is when a resource does not say so, without a tag
    #[arg(long, default_value = "streaming-tda-worker", env = "STDA_WORKER_REPOSITORY")]
    pub worker_repository: String,
    /// The tag of the workers' image when a resource does not name one
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"), env = "STDA_WORKER_TAG")]
    pub worker_tag: String,
    /// The digest of the workers' image, which decides when a resource names nothing of an image
    #[arg(long, env = "STDA_WORKER_DIGEST")]
    pub worker_digest: Option<String>,
    /// The Lease that says which of several operators acts
    #[arg(long, default_value = "streaming-tda-operator")]
    pub lease: String,
    /// The namespace of that Lease; by default the one that this runs in
    #[arg(long, env = "POD_NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// What this operator is called in the Lease and in events; no other has the same name
    #[arg(long, env = "POD_NAME", default_value_t = somebody())]
    pub identity: String,
    /// Act without a Lease: there is no other operator
    #[arg(long)]
    pub alone: bool,
    /// Instead of acting, see whether an operator with these arguments acts; waits for it for a minute
    #[arg(long)]
    pub check: bool,
    /// The address for /metrics, /health/live and /health/ready
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
}

impl Arguments {
    /// The namespaces that are watched, each once.
    fn namespaces(&self) -> Vec<String> {
        let named = self.watch_namespaces.iter().map(|name| name.trim());
        let named: BTreeSet<&str> = named.filter(|name| !name.is_empty()).collect();
        named.into_iter().map(str::to_owned).collect()
    }
}

/// A name that no other process has: in containers, the numbers of processes are the same.
fn somebody() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{:x}", host.trim(), std::process::id(), since.as_nanos())
}

/// Runs until the process is told to end, or the lease is lost.
///
/// # Errors
/// When the API server cannot be reached, the port cannot be listened on, or the lease is lost.
pub async fn run(arguments: Arguments) -> Result<()> {
    let mut config = cluster(arguments.kubeconfig.as_deref()).await?;
    let namespace = arguments.lease_namespace.clone().unwrap_or(config.default_namespace.clone());
    config.read_timeout.get_or_insert(SILENCE);
    // Nothing is expected on one that waits for its next request.
    config.reset_reader_on_write = true;
    let client = Client::try_from(config)?;
    let leases = Api::namespaced(client.clone(), &namespace);
    if arguments.check {
        return check::run(&arguments, &resources(&arguments, &client), &leases).await;
    }
    let metrics = Arc::new(Metrics::default());
    let listen = arguments.listen;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {listen}"))?;
    let mut end = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(false);
    let told = async {
        tokio::select! {
            _ = end.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to end");
        stop.send_replace(true);
        // The rest ends by itself.
        std::future::pending::<()>().await;
    };
    let candidate = Candidate::new(leases, arguments.lease.clone(), arguments.identity.clone());
    tokio::select! {
        () = told => Ok(()),
        served = http::serve(listener, metrics.clone()) => served.context("serving HTTP"),
        acted = act(&arguments, client, candidate, metrics, stopped) => acted,
    }
}

async fn cluster(kubeconfig: Option<&Path>) -> Result<Config> {
    let Some(path) = kubeconfig else {
        return Config::infer().await.context("there is neither a cluster nor a kubeconfig");
    };
    let file = Kubeconfig::read_from(path)?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    config.with_context(|| format!("cannot use {}", path.display()))
}

async fn act(
    arguments: &Arguments,
    client: Client,
    candidate: Candidate,
    metrics: Arc<Metrics>,
    mut stopped: watch::Receiver<bool>,
) -> Result<()> {
    let renewed = tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => return Ok(()),
        renewed = begin(arguments, &client, &candidate) => renewed,
    };
    tracing::info!(identity = arguments.identity, "acting");
    metrics.leads(true);
    let settings = Settings {
        image_repository: arguments.worker_repository.clone(),
        image_tag: arguments.worker_tag.clone(),
        image_digest: arguments.worker_digest.clone().filter(|digest| !digest.is_empty()),
    };
    let identity = arguments.identity.clone();
    let namespaces = &arguments.namespaces();
    let controller =
        controller::run(client, namespaces, settings, identity, metrics, stopped.clone());
    let finished = async {
        tokio::pin!(controller);
        tokio::select! {
            () = &mut controller => return,
            _ = stopped.wait_for(|stop| *stop) => {}
        }
        if timeout(FINISHING, controller).await.is_err() {
            tracing::warn!("what was in hand took longer than {FINISHING:?}");
        }
    };
    if arguments.alone {
        finished.await;
        return Ok(());
    }
    tokio::select! {
        () = finished => {}
        lost = candidate.keep(renewed) => return Err(lost.into()),
    }
    candidate.release().await;
    Ok(())
}

/// Some of the resources that are worked on: those of one namespace, or all.
fn resources(arguments: &Arguments, client: &Client) -> Api<Resource> {
    match arguments.namespaces().first() {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Waits until the API server knows the resources, and this may act on them; gives a moment before
/// the lease was written.
async fn begin(arguments: &Arguments, client: &Client, candidate: &Candidate) -> Instant {
    let resources = resources(arguments, client);
    loop {
        match timeout(ANSWER, resources.list(&ListParams::default().limit(1))).await {
            Ok(Ok(_)) => break,
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot list StreamingTDAs: are their definitions installed?");
            }
            Err(_) => tracing::warn!("the API server took longer than {ANSWER:?}"),
        }
        sleep(LOOKING).await;
    }
    if arguments.alone {
        return Instant::now();
    }
    tracing::info!("waiting for the lease");
    candidate.acquire().await
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::Parser;

    #[test]
    fn namespaces_are_watched_once_each() {
        let namespaces =
            |text| Arguments::parse_from(["", "--watch-namespaces", text]).namespaces();
        assert_eq!(namespaces("b, a,,b"), ["a", "b"]);
        assert!(namespaces("").is_empty());
    }

    #[test]
    fn no_two_processes_have_the_same_name() {
        assert_ne!(Arguments::parse_from([""]).identity, super::somebody());
    }
}
