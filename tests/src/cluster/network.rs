//! The network of a cluster: a switch in a namespace of its own, where the control plane is, and
//! a cable to each node and to the host, whose processes so reach pods and services.
//!
//! ```text
//! host: stda3 10.243.0.1      routes: services by the control plane, pods by their nodes
//!   └─ control plane: the bridge `nodes` 10.243.0.10
//!        ├─ node1: eth0 10.243.0.11, pods 10.243.129.0/24
//!        └─ node2: eth0 10.243.0.12, pods 10.243.130.0/24
//! ```
//!
//! Nothing leads out of it. All interfaces belong to a namespace, or to a pair whose other end
//! does: the kernel removes them with the last process inside, however that ended.

use super::machine::Machine;
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

const NO_IP: &str = "it comes with iproute2; make installs it";

/// The addresses of a cluster: all that begin with 10 and another number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    second: u8,
}

impl Addresses {
    /// Those of the cluster of this number, one of [`super::claim::NUMBERS`].
    pub(super) fn of(number: u8) -> Addresses {
        Addresses { second: 240 + number }
    }

    fn at(self, third: u8, fourth: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.second, third, fourth)
    }

    pub(super) fn all(self) -> String {
        format!("{}/16", self.at(0, 0))
    }

    pub(super) fn host(self) -> Ipv4Addr {
        self.at(0, 1)
    }

    pub(super) fn control_plane(self) -> Ipv4Addr {
        self.at(0, 10)
    }

    /// Nodes are counted from 1.
    pub(super) fn node(self, node: u8) -> Ipv4Addr {
        self.at(0, 10 + node)
    }

    pub(super) fn services(self) -> String {
        format!("{}/18", self.at(64, 0))
    }

    pub(super) fn dns(self) -> Ipv4Addr {
        self.at(64, 10)
    }

    /// Of all pods. No node and no host is among them: kube-proxy takes who is for a pod.
    pub(super) fn pods(self) -> String {
        format!("{}/17", self.at(128, 0))
    }

    pub(super) fn pods_of(self, node: u8) -> String {
        format!("{}/24", self.at(128 + node, 0))
    }
}

/// Lays the cable between host and control plane, where `interface` is the host's end.
pub(super) fn connect_host(
    addresses: Addresses,
    interface: &str,
    plane: &Machine,
    nodes: u8,
) -> Result<()> {
    let mut inside = format!(
        "link add nodes type bridge\naddress add {}/24 dev nodes\nlink set lo up\n\
         link set nodes up\nroute add default via {}\n",
        addresses.control_plane(),
        addresses.host(),
    );
    let pid = plane.pid();
    let mut outside = format!(
        "link add {interface} type veth peer name host netns {pid}\n\
         address add {}/24 dev {interface}\nlink set {interface} up\n\
         route add {} via {}\n",
        addresses.host(),
        addresses.services(),
        addresses.control_plane(),
    );
    for node in 1..=nodes {
        let route = pod_route(addresses, node);
        inside += &route;
        outside += &route;
    }
    ip(Some(plane), &inside)?;
    ip(None, &outside)?;
    ip(Some(plane), "link set host master nodes up\n")?;
    forward(plane, addresses)
}

/// Lays the cable between a node and the control plane.
pub(super) fn connect_node(
    addresses: Addresses,
    node: u8,
    machine: &Machine,
    plane: &Machine,
    nodes: u8,
) -> Result<()> {
    let port = format!("node{node}");
    let ends = format!(
        "link add eth0 netns {} type veth peer name {port} netns {}\n",
        machine.pid(),
        plane.pid(),
    );
    ip(None, &ends)?;
    ip(Some(plane), &format!("link set {port} master nodes up\n"))?;
    let mut inside = format!(
        "link set lo up\naddress add {}/24 dev eth0\nlink set eth0 up\nroute add default via {}\n",
        addresses.node(node),
        addresses.host(),
    );
    for other in (1..=nodes).filter(|other| *other != node) {
        inside += &pod_route(addresses, other);
    }
    ip(Some(machine), &inside)?;
    forward(machine, addresses)
}

fn pod_route(addresses: Addresses, node: u8) -> String {
    let mut line = String::new();
    let (pods, address) = (addresses.pods_of(node), addresses.node(node));
    let _ = writeln!(line, "route add {pods} via {address}");
    line
}

/// Lets packets pass through, but none to a service that kube-proxy has not yet translated: its
/// sender would wait for half a minute, and is better told to try again. A connection whose process
/// was killed gives up at once where the other end is gone too: until then, it would keep the network
/// and its interfaces.
fn forward(machine: &Machine, addresses: Addresses) -> Result<()> {
    let services = addresses.services();
    let script = format!(
        "echo 1 >/proc/sys/net/ipv4/ip_forward
         echo 1 >/proc/sys/net/ipv4/tcp_orphan_retries
         for name in all default; do echo 0 >/proc/sys/net/ipv4/conf/$name/rp_filter; done
         iptables -w -A FORWARD -d {services} -j REJECT
         iptables -w -A OUTPUT -d {services} -j REJECT"
    );
    machine.run("sh", &["-ec", &script]).context("cannot make a machine forward packets")
}

/// Cuts the cable to the host where it is still there: the kernel removes the network of a process
/// that has ended when it finds the time.
pub(super) fn remove(interface: &str) {
    let _ = Command::new("ip").args(["link", "delete", interface]).output();
}

/// Whether some interface or route of the host has to do with these addresses.
pub(super) fn in_use(addresses: Addresses) -> Result<bool> {
    let output = Command::new("ip").args(["route", "show", "root", &addresses.all()]).output();
    Ok(!output.with_context(|| format!("cannot run ip: {NO_IP}"))?.stdout.is_empty())
}

/// Runs commands of `ip`, one a line, in the network of a machine or in the host's.
fn ip(machine: Option<&Machine>, lines: &str) -> Result<()> {
    let mut command = match machine {
        Some(machine) => machine.command("ip"),
        None => Command::new("ip"),
    };
    command.args(["-batch", "-"]).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run ip: {NO_IP}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(lines.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "ip failed with {}:\n{lines}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_parts_of_a_cluster_share_an_address() {
        let addresses = Addresses::of(3);
        assert_eq!(addresses.node(2), Ipv4Addr::new(10, 243, 0, 12));
        assert_eq!(addresses.services(), "10.243.64.0/18");
        assert_eq!(addresses.dns(), Ipv4Addr::new(10, 243, 64, 10));
        assert_eq!(addresses.pods(), "10.243.128.0/17");
        assert_eq!(addresses.pods_of(2), "10.243.130.0/24");
    }
}
