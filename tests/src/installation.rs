//! The product on a cluster, as its users put it there: by its chart.

use crate::binary::kubectl_stda;
use crate::cluster::{Cluster, Programs};
use crate::command::{output, root, run};
use anyhow::{Context, Result};
use serde_json::json;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the release is called.
pub const RELEASE: &str = "streaming-tda";
/// The namespace of the operator.
pub const NAMESPACE: &str = "streaming-tda-system";

/// A release of the chart, with the values that it has by itself.
pub struct Installation<'a> {
    cluster: &'a Cluster,
    programs: Programs,
    plugin: PathBuf,
}

impl Installation<'_> {
    /// Installs the chart, and waits until its operators are ready. Their image must be on the
    /// nodes, or be found by its name.
    ///
    /// # Errors
    /// When helm refuses, or they are not ready in time.
    pub fn put(cluster: &Cluster) -> Result<Installation<'_>> {
        let (programs, plugin) = (Programs::built()?, kubectl_stda()?);
        let installation = Installation { cluster, programs, plugin };
        let mut helm = installation.helm("upgrade");
        helm.args(["--install", RELEASE]).arg(root().join("charts/streaming-tda"));
        helm.args(["--create-namespace", "--wait", "--timeout", "3m"]);
        run(&mut helm, "it is built with Kubernetes").context("cannot install the chart")?;
        Ok(installation)
    }

    /// Runs the tests of the chart.
    ///
    /// # Errors
    /// When one fails; shows its log.
    pub fn test(&self) -> Result<()> {
        let mut helm = self.helm("test");
        helm.args([RELEASE, "--logs", "--timeout", "2m"]);
        run(&mut helm, "it is built with Kubernetes").context("the installed chart has a fault")
    }

    /// Uninstalls it.
    ///
    /// # Errors
    /// When helm refuses.
    pub fn remove(&self) -> Result<()> {
        let mut helm = self.helm("uninstall");
        helm.args([RELEASE, "--wait", "--timeout", "2m"]);
        run(&mut helm, "it is built with Kubernetes").context("cannot uninstall the chart")
    }

    /// Runs kubectl in the root of the repository; gives what it has printed.
    ///
    /// # Errors
    /// When it fails; says what it has said.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let mut kubectl = self.kubectl_command();
        output(kubectl.args(arguments).current_dir(root()), "it is built with Kubernetes")
    }

    /// The folders of `kubectl`, `helm` and `kubectl-stda`, as a `PATH`.
    pub fn path(&self) -> String {
        let plugin = self.plugin.parent().unwrap_or(Path::new("."));
        format!("{}:{}", self.programs.folder().display(), plugin.display())
    }

    /// `kubectl` for this cluster, which finds its plugin `stda`.
    pub fn kubectl_command(&self) -> Command {
        let rest = env::var("PATH").unwrap_or_default();
        let mut kubectl = self.command("kubectl");
        kubectl.env("PATH", format!("{}:{rest}", self.path()));
        kubectl
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.path(program));
        command.env("KUBECONFIG", self.cluster.kubeconfig());
        command
    }

    fn helm(&self, what: &str) -> Command {
        let mut helm = self.command("helm");
        helm.args([what, "--namespace", NAMESPACE]);
        helm
    }
}

/// A service `kafka:9092` that leads to brokers outside the cluster, at `HOST:PORT`.
///
/// # Errors
/// When that is no such address.
pub fn kafka_service(namespace: &str, brokers: &str) -> Result<String> {
    let what = || format!("{brokers} is not the HOST:PORT of one broker");
    let (host, port) = brokers.split_once(':').with_context(what)?;
    let port: u16 = port.parse().with_context(what)?;
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kafka", "namespace": namespace},
        "spec": {"ports": [{"name": "kafka", "port": 9092, "targetPort": port}]},
    });
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kafka",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": "kafka"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "kafka", "port": port}],
        "endpoints": [{"addresses": [host]}],
    });
    Ok(format!("{service}\n---\n{slice}\n"))
}
