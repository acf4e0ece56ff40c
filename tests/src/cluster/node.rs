//! A node: containerd, the kubelet and kube-proxy on a machine of its own.

use super::claim::Claim;
use super::control_plane::ControlPlane;
use super::machine::Machine;
use super::network::{self, Addresses};
use super::programs::Programs;
use super::{cgroups, kube_proxy};
use crate::command::root;
use crate::image::Image;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// How many lines of each log are shown when a node is not ready in time.
const LINES: usize = 15;

/// A running node.
pub(super) struct Node {
    number: u8,
    machine: Machine,
    folder: PathBuf,
}

impl Node {
    /// Starts its machine and containerd, and takes in the images that every node needs.
    pub(super) fn start(
        number: u8,
        claim: &Claim,
        programs: &Programs,
        plugins: &Path,
        folder: &Path,
    ) -> Result<Node> {
        let name = name(number);
        let folder = folder.join(&name);
        fs::create_dir_all(folder.join("cni"))?;
        let sources = root().join("tests/cluster");
        let containerd = fs::read_to_string(sources.join("containerd.toml"))?;
        let containerd = containerd.replace("CNI_PLUGINS", &plugins.display().to_string());
        fs::write(folder.join("containerd.toml"), containerd)?;
        let cni = cni(claim.addresses(), number);
        fs::write(folder.join("cni/10-streaming-tda.conflist"), cni.to_string())?;
        cgroups::make(&claim.group(number))?;
        let address = claim.addresses().node(number).to_string();
        let first = [
            sources.join("node.sh").into_os_string(),
            name.clone().into(),
            address.into(),
            folder.clone().into(),
            programs.folder().into(),
        ];
        let machine = Machine::with_all(&name, &folder.join("machine.log"), first)?;
        Ok(Node { number, machine, folder })
    }

    /// Connects it to a control plane that runs, and has it join.
    pub(super) fn join(
        &self,
        claim: &Claim,
        plane: &ControlPlane,
        network: &Machine,
        nodes: u8,
    ) -> Result<()> {
        let addresses = claim.addresses();
        let name = name(self.number);
        network::connect_node(addresses, self.number, &self.machine, network, nodes)
            .with_context(|| format!("cannot connect {name}"))?;
        let credentials = &plane.credentials;
        let (kubeconfig, signed) = credentials.node(&name, addresses.node(self.number).into())?;
        let at = |file: &str| self.folder.join(file);
        fs::copy(&credentials.authority.certificate, at("ca.pem"))?;
        fs::copy(&signed.certificate, at("node.pem"))?;
        fs::copy(&signed.key, at("node.key"))?;
        fs::copy(kubeconfig, at("kubeconfig"))?;
        fs::copy(credentials.path_of("kube-proxy"), at("proxy.kubeconfig"))?;
        fs::write(at("resolv.conf"), format!("nameserver {}\n", addresses.host()))?;
        let kubelet = kubelet(addresses, &claim.group(self.number));
        fs::write(at("kubelet.json"), kubelet.to_string())?;
        let proxy = kube_proxy::configuration(addresses, "/mnt/node/proxy.kubeconfig", &name);
        fs::write(at("proxy.json"), proxy.to_string())?;
        File::create(at("connected"))?;
        Ok(())
    }

    /// Takes in an image.
    pub(super) fn load(&self, image: &Image) -> Result<()> {
        let archive = self.folder.join("image.tar");
        image.write(&archive)?;
        let import = ["-n", "k8s.io", "images", "import", "/mnt/node/image.tar"];
        self.machine.run_inside("ctr", &import)?;
        Ok(fs::remove_file(archive)?)
    }

    /// Whether its machine still runs.
    pub(super) fn check(&mut self) -> Result<()> {
        self.machine.check()
    }

    /// The last lines of what its programs have logged.
    pub(super) fn log(&self) -> String {
        let mut last = String::new();
        for name in ["containerd", "kubelet", "kube-proxy"] {
            let log = fs::read(self.folder.join("logs").join(format!("{name}.log")));
            let log = log.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let log = log.unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(LINES).collect();
            let lines = lines.into_iter().rev().map(|line| format!("{name}: {line}\n"));
            last.extend(lines);
        }
        last
    }
}

/// What a node is called.
pub(super) fn name(number: u8) -> String {
    format!("node{number}")
}

fn cni(addresses: Addresses, node: u8) -> Value {
    // Of point-to-point links, so that no packet passes a bridge on its way to its own pod.
    json!({
        "cniVersion": "0.4.0",
        "name": "streaming-tda",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "mtu": 1500,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni",
                    "ranges": [[{"subnet": addresses.pods_of(node)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true},
        ],
    })
}

fn kubelet(addresses: Addresses, group: &str) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": "/mnt/node/ca.pem"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": "/mnt/node/node.pem",
        "tlsPrivateKeyFile": "/mnt/node/node.key",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{group}"),
        "clusterDNS": [addresses.dns()],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "resolvConf": "/mnt/node/resolv.conf",
        "failSwapOn": false,
        "nodeStatusUpdateFrequency": "4s",
        "serializeImagePulls": false,
        // A full disk of the developer is no reason to throw tests out.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
        // Other values need a capability that root may lack.
        "oomScoreAdj": 0,
    })
}
