//! Where a control plane runs: on localhost, or in the network of a cluster.

use super::machine::Machine;
use super::network::Addresses;
use super::programs::Programs;
use crate::command::stable_port;
use crate::process::Process;
use anyhow::Result;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// Addresses and ports of a control plane.
pub(super) struct Site {
    /// A command that runs another one there.
    enter: Vec<String>,
    /// Of the API server.
    pub(super) address: Ipv4Addr,
    pub(super) port: u16,
    /// The ports of the store, on the loopback interface there.
    pub(super) etcd: u16,
    pub(super) peers: u16,
    /// The addresses that services get, as a prefix; the first is the API server's.
    pub(super) services: String,
}

impl Site {
    /// Free ports of localhost. What gets an address as a service cannot be reached.
    pub(super) fn local() -> Result<Site> {
        Ok(Site {
            enter: Vec::new(),
            address: Ipv4Addr::LOCALHOST,
            port: stable_port()?,
            etcd: stable_port()?,
            peers: stable_port()?,
            services: "10.0.0.0/24".into(),
        })
    }

    /// The place of the control plane in the network of a cluster.
    pub(super) fn within(network: &Machine, addresses: Addresses) -> Site {
        Site {
            enter: network.enter().into(),
            address: addresses.control_plane(),
            port: 6443,
            etcd: 2379,
            peers: 2380,
            services: addresses.services(),
        }
    }

    /// Starts a program there.
    pub(super) fn start(
        &self,
        programs: &Programs,
        logs: &Path,
        name: &str,
        arguments: Vec<String>,
    ) -> Result<Process> {
        let program = programs.path(name).display().to_string();
        let mut line = self.enter.iter().cloned().chain([program]).chain(arguments);
        let first = line.next().unwrap_or_default();
        Process::with_log(name, logs.join(format!("{name}.log")), first, line)
    }

    /// All that the API server is reached by.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses = vec![self.address.into()];
        addresses.extend(self.first_service().map(IpAddr::from));
        addresses
    }

    /// Who says where the service `kubernetes` leads to; it must not lead to localhost.
    pub(super) fn reconciler(&self) -> &'static str {
        if self.address.is_loopback() { "none" } else { "lease" }
    }

    fn first_service(&self) -> Option<Ipv4Addr> {
        let network: Ipv4Addr = self.services.split('/').next()?.parse().ok()?;
        Some(Ipv4Addr::from_bits(network.to_bits() + 1))
    }
}
