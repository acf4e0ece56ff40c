use super::broker::Ports;
use crate::certificates::Certificates;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the listener of the workers asks of them.
#[derive(Clone, Debug, Default)]
pub enum Security {
    /// Nothing.
    #[default]
    None,
    /// TLS, by which the broker shows who it is.
    Tls(Certificates),
    /// TLS, by which both show who they are.
    MutualTls(Certificates),
    /// TLS, and a name and password by SCRAM-SHA-512.
    Scram {
        /// Of the broker.
        certificates: Certificates,
        /// The one user.
        user: String,
        /// The password of the user.
        password: String,
    },
}

/// What the brokers are like.
#[derive(Clone, Debug)]
pub struct Options {
    /// One, or three with each record on all of them.
    pub brokers: usize,
    /// Whether workers reach them through a [`Proxy`](crate::proxy::Proxy) each.
    pub proxied: bool,
    /// What workers must show.
    pub security: Security,
    /// Where the one broker keeps its log; in a folder of its own otherwise.
    pub log: Option<PathBuf>,
    /// Whether they start quickly rather than run fast.
    pub quick: bool,
    /// The port of its clients, where there is one broker; a free one otherwise.
    pub port: Option<u16>,
    /// Another address of this host, where the pods of a cluster reach the brokers.
    pub pods: Option<Ipv4Addr>,
    /// More lines of `server.properties`.
    pub properties: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            brokers: 1,
            proxied: false,
            security: Security::None,
            log: None,
            quick: true,
            port: None,
            pods: None,
            properties: String::new(),
        }
    }
}

impl Options {
    /// Adds the users to the command that formats the log.
    pub(super) fn users(&self, format: &mut Command) {
        if let Security::Scram { user, password, .. } = &self.security {
            format.arg("--add-scram");
            format.arg(format!("SCRAM-SHA-512=[name={user},password={password}]"));
        }
    }

    /// Records are kept for ever: the points of the tests are older than a default retention.
    pub(super) fn server_properties(&self, index: usize, ports: &[Ports], log: &Path) -> String {
        let voters: Vec<_> = (1..)
            .zip(ports)
            .map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.controller))
            .collect();
        let Ports { direct, clients, advertised, controller, pods } = ports[index];
        let for_pods = match self.pods {
            Some(host) => format!(",PODS://{host}:{pods}"),
            None => String::new(),
        };
        let (replicas, in_sync) = if self.brokers < 3 { (1, 1) } else { (3, 2) };
        format!(
            "process.roles=broker,controller
node.id={}
controller.quorum.voters={}
listeners=DIRECT://127.0.0.1:{direct},CLIENTS://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}{for_pods}
advertised.listeners=DIRECT://127.0.0.1:{direct},CLIENTS://127.0.0.1:{advertised}{for_pods}
listener.security.protocol.map=DIRECT:PLAINTEXT,CLIENTS:{},CONTROLLER:PLAINTEXT,PODS:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=DIRECT
log.dirs={}
offsets.topic.num.partitions=4
offsets.topic.replication.factor={replicas}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
default.replication.factor={replicas}
min.insync.replicas={in_sync}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.retention.ms=-1
{}{}",
            index + 1,
            voters.join(","),
            self.protocol(),
            log.display(),
            self.secured(),
            self.properties,
        )
    }

    fn protocol(&self) -> &'static str {
        match self.security {
            Security::None => "PLAINTEXT",
            Security::Tls(_) | Security::MutualTls(_) => "SSL",
            Security::Scram { .. } => "SASL_SSL",
        }
    }

    fn secured(&self) -> String {
        let mut lines = String::new();
        let (certificates, client) = match &self.security {
            Security::None => return lines,
            Security::Tls(certificates) => (certificates, "none"),
            Security::MutualTls(certificates) => (certificates, "required"),
            Security::Scram { certificates, .. } => {
                let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
                lines += "listener.name.clients.sasl.enabled.mechanisms=SCRAM-SHA-512\n";
                let name = "listener.name.clients.scram-sha-512.sasl.jaas.config";
                let _ = writeln!(lines, "{name}={module} required;");
                (certificates, "none")
            }
        };
        for (name, value) in [
            ("keystore.type", "PEM".into()),
            ("keystore.location", certificates.broker.display().to_string()),
            ("truststore.type", "PEM".into()),
            ("truststore.location", certificates.authority.display().to_string()),
            ("client.auth", client.into()),
        ] {
            let _ = writeln!(lines, "listener.name.clients.ssl.{name}={value}");
        }
        lines
    }
}
