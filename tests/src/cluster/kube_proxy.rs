//! kube-proxy, which gives services their addresses: on nodes, and beside the API server for the
//! processes of the host.

use super::network::Addresses;
use serde_json::{Value, json};

/// The configuration of one that takes `node` for its own.
pub(super) fn configuration(addresses: Addresses, kubeconfig: &str, node: &str) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "hostnameOverride": node,
        "bindAddress": "0.0.0.0",
        "clientConnection": {"kubeconfig": kubeconfig},
        "clusterCIDR": addresses.pods(),
        "detectLocalMode": "ClusterCIDR",
        // These are limits of the whole machine.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        "iptables": {"minSyncPeriod": "100ms"},
        "oomScoreAdj": 0,
    })
}
