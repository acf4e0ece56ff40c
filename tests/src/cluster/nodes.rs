//! A control plane with nodes.

use super::claim::Claim;
use super::client::Client;
use super::control_plane::ControlPlane;
use super::machine::Machine;
use super::network;
use super::node::{self, Node};
use super::programs::Programs;
use super::site::Site;
use super::{kube_proxy, requirements};
use crate::command::root;
use crate::image::Image;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// What runs; the parts are ended in this order.
pub(super) struct Machines {
    nodes: Vec<Node>,
    pub(super) plane: ControlPlane,
    _network: Machine,
    claim: Claim,
}

impl Machines {
    /// Starts `count` nodes and what they need, with all files in `folder`, and waits until pods
    /// can run.
    pub(super) fn start(count: u8, folder: &Path) -> Result<Machines> {
        let plugins = requirements::check()?;
        let programs = Programs::built()?;
        let claim = Claim::take(folder)?;
        let addresses = claim.addresses();
        let own = folder.join("control-plane");
        fs::create_dir_all(&own)?;
        let network = Machine::with_network("the network", &own.join("network.log"))?;
        network::connect_host(addresses, &claim.interface(), &network, count)?;
        // They take in images while the control plane starts.
        let node = |number| Node::start(number, &claim, &programs, &plugins, folder);
        let nodes = (1..=count).map(node).collect::<Result<Vec<_>>>()?;
        let mut plane = ControlPlane::at(Site::within(&network, addresses), &own)?;
        start_scheduler(&mut plane)?;
        start_proxy(&mut plane, &claim, &own)?;
        nodes.iter().try_for_each(|node| node.join(&claim, &plane, &network, count))?;
        let mut machines = Machines { nodes, plane, _network: network, claim };
        machines.wait_until_ready()?;
        Ok(machines)
    }

    /// Where pods reach processes of the host.
    pub(super) fn host(&self) -> Ipv4Addr {
        self.claim.addresses().host()
    }

    pub(super) fn load(&self, image: &Image) -> Result<()> {
        let load = |node: &Node| node.load(image);
        let loaded = self.nodes.iter().try_for_each(load);
        loaded.with_context(|| format!("cannot load the image {}", image.name()))
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let dns = fs::read_to_string(root().join("tests/cluster/dns.yaml"))?;
        let address = self.claim.addresses().dns().to_string();
        self.plane.client().apply(&dns.replace("DNS_ADDRESS", &address))?;
        let Machines { nodes, plane, .. } = self;
        for (number, node) in (1..).zip(nodes) {
            let name = node::name(number);
            let path = format!("/api/v1/nodes/{name}");
            let ready =
                plane.client().wait_until(&format!("{name} is ready"), PATIENCE, |client| {
                    node.check()?;
                    is(client, &path, "Ready")
                });
            ready.with_context(|| format!("the last of its logs:\n{}", node.log()))?;
        }
        let path = "/apis/apps/v1/namespaces/kube-system/deployments/coredns";
        let what = "names are answered";
        plane.client().wait_until(what, PATIENCE, |client| is(client, path, "Available"))
    }
}

fn start_scheduler(plane: &mut ControlPlane) -> Result<()> {
    let kubeconfig = plane.credentials.system("kube-scheduler")?;
    let flag = format!("--kubeconfig={}", kubeconfig.display());
    let others = ["--leader-elect=false", "--secure-port=0"].map(String::from);
    plane.run("kube-scheduler", [flag].into_iter().chain(others).collect())
}

/// It takes the first node for its own: without a node it would wait for one.
fn start_proxy(plane: &mut ControlPlane, claim: &Claim, folder: &Path) -> Result<()> {
    let kubeconfig = plane.credentials.system("kube-proxy")?;
    let kubeconfig = kubeconfig.display().to_string();
    let file = folder.join("proxy.json");
    let configuration = kube_proxy::configuration(claim.addresses(), &kubeconfig, &node::name(1));
    fs::write(&file, configuration.to_string())?;
    plane.run("kube-proxy", vec![format!("--config={}", file.display())])
}

/// Whether the object at a path has a condition that is true.
fn is(client: &Client, path: &str, condition: &str) -> Result<bool> {
    let object = client.get(path)?.unwrap_or_default();
    let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    Ok(conditions.any(|c: &Value| c["type"] == condition && c["status"] == "True"))
}
