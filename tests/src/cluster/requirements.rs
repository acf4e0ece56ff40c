//! What a machine must have for nodes to run on it.

use super::cgroups;
use crate::command::run;
use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAMS: [&str; 9] =
    ["containerd", "ctr", "runc", "iptables", "conntrack", "ip", "mount", "nsenter", "unshare"];
/// Where distributions put the plugins for networks of containers.
const PLUGINS: [&str; 4] =
    ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni", "/usr/lib/containernetworking/plugins"];

/// Tells what no installation brings: the rights that a node needs of this machine.
pub(super) fn rights() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!(
            "a node needs root, for namespaces, mounts and control groups: run it with sudo, or \
             name a cluster that is there by {}=<path of its kubeconfig>",
            super::KUBECONFIG,
        );
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "--pid", "--fork", "--mount-proc"]);
    run(unshare.args(["mount", "-t", "tmpfs", "stda", "/mnt"]), "it comes with util-linux")
        .context("a node needs namespaces and mounts, which this machine refuses")?;
    cgroups::check()
}

/// Tells all that is missing at once; gives the folder of the plugins for networks.
pub(super) fn check() -> Result<PathBuf> {
    rights()?;
    let mut missing: Vec<_> = PROGRAMS.into_iter().filter(|name| !is_in_path(name)).collect();
    let plugins = PLUGINS.iter().map(Path::new).find(|folder| folder.join("ptp").exists());
    if plugins.is_none() {
        missing.push("the plugins of CNI");
    }
    match plugins {
        Some(folder) if missing.is_empty() => Ok(folder.into()),
        _ => bail!("a node needs {}: run `scripts/setup cluster`", missing.join(", ")),
    }
}

fn is_in_path(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).exists())
}
