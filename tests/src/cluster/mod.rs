//! Kubernetes as its users run it, built from its Go modules and kept under `target/cluster`: a
//! [`ControlPlane`] alone, which starts in seconds and needs no privileges, or a whole
//! [`Cluster`] with nodes that run containers.

mod audit;
mod cgroups;
mod claim;
mod client;
mod control_plane;
mod credentials;
pub mod detour;
mod folder;
mod kube_proxy;
mod machine;
mod network;
mod node;
mod nodes;
mod programs;
mod requirements;
mod site;

pub use audit::Asked;
pub use client::Client;
pub use control_plane::ControlPlane;
pub use programs::Programs;

use crate::image::Image;
use anyhow::{Context, Result, bail};
use nodes::Machines;
use std::env;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tempfile::TempDir;

/// The variable that names the kubeconfig of a cluster to be used instead of one of our own.
pub const KUBECONFIG: &str = "STDA_TEST_KUBECONFIG";

/// The variable that names the address of this machine where pods of that cluster reach it.
pub const HOST: &str = "STDA_TEST_HOST";

/// A cluster on which pods run. One that was started here ends when it is dropped, and when this
/// process ends.
pub struct Cluster {
    inner: Inner,
}

enum Inner {
    Started { machines: Box<Machines>, _folder: Option<TempDir> },
    Named { kubeconfig: PathBuf, client: Client, host: Option<Ipv4Addr> },
}

impl Cluster {
    /// The cluster that all tests of this process share while one of them needs it: the one that
    /// [`KUBECONFIG`] names, or one that is started, with two nodes.
    ///
    /// # Errors
    /// When it cannot be reached or started; says what is missing.
    pub fn shared() -> Result<Arc<Cluster>> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return Ok(cluster);
        }
        let cluster = match env::var_os(KUBECONFIG) {
            Some(kubeconfig) => Cluster::named(Path::new(&kubeconfig)),
            None => Cluster::start(2),
        };
        let cluster = Arc::new(cluster?);
        *shared = Arc::downgrade(&cluster);
        Ok(cluster)
    }

    /// What keeps this machine from having nodes, where it is nothing that can be installed: the
    /// rights of root, or namespaces, mounts and control groups.
    pub fn impossible() -> Option<String> {
        requirements::rights().err().map(|missing| format!("{missing:#}"))
    }

    /// Builds what is missing, so that starting a cluster takes seconds.
    ///
    /// # Errors
    /// When this machine can have no nodes, or the programs cannot be built; says what is missing.
    pub fn prepare() -> Result<()> {
        requirements::check()?;
        Programs::built().map(drop)
    }

    /// Starts a cluster of so many nodes, and waits until pods can run.
    ///
    /// # Errors
    /// When it cannot be built or started; says what is missing.
    pub fn start(nodes: u8) -> Result<Cluster> {
        let folder = tempfile::tempdir().context("cannot make a folder for a cluster")?;
        let machines = Box::new(Machines::start(nodes, folder.path())?);
        Ok(Cluster { inner: Inner::Started { machines, _folder: Some(folder) } })
    }

    /// Starts a cluster whose files are in a folder, and stay there.
    ///
    /// # Errors
    /// When it cannot be built or started; says what is missing.
    pub fn start_in(folder: &Path, nodes: u8) -> Result<Cluster> {
        let machines = Box::new(Machines::start(nodes, folder)?);
        Ok(Cluster { inner: Inner::Started { machines, _folder: None } })
    }

    /// A cluster that runs elsewhere.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used, or the cluster does not answer.
    pub fn named(kubeconfig: &Path) -> Result<Cluster> {
        let client = Client::of(kubeconfig)?;
        client
            .text("/version")
            .with_context(|| format!("{} leads nowhere", kubeconfig.display()))?;
        let host = env::var(HOST).ok().map(|host| host.parse().context(host)).transpose();
        let host = host.with_context(|| format!("{HOST} is no IPv4 address"))?;
        Ok(Cluster { inner: Inner::Named { kubeconfig: kubeconfig.into(), client, host } })
    }

    /// A client that may do what the kubeconfig allows.
    pub fn client(&self) -> &Client {
        match &self.inner {
            Inner::Started { machines, .. } => machines.plane.client(),
            Inner::Named { client, .. } => client,
        }
    }

    /// The file by which others reach it.
    pub fn kubeconfig(&self) -> &Path {
        match &self.inner {
            Inner::Started { machines, .. } => machines.plane.kubeconfig(),
            Inner::Named { kubeconfig, .. } => kubeconfig,
        }
    }

    /// Where its pods reach processes of the host, when that is known.
    pub fn host(&self) -> Option<Ipv4Addr> {
        match &self.inner {
            Inner::Started { machines, .. } => Some(machines.host()),
            Inner::Named { host, .. } => *host,
        }
    }

    /// Whether it was started here, so that all that is on it is known.
    pub fn is_ours(&self) -> bool {
        matches!(self.inner, Inner::Started { .. })
    }

    /// Puts an image on every node, for pods that never pull.
    ///
    /// # Errors
    /// When a node refuses it, or the cluster runs elsewhere.
    pub fn load(&self, image: &Image) -> Result<()> {
        match &self.inner {
            Inner::Started { machines, .. } => machines.load(image),
            Inner::Named { kubeconfig, .. } => bail!(
                "the image {} must be put by hand on the nodes of the cluster that {} names",
                image.name(),
                kubeconfig.display(),
            ),
        }
    }
}
