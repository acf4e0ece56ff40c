//! The broker that the demo goes through: inside the process, or a real one.

use crate::config::Kafka;
use anyhow::{Context, bail};
use mesh::embedded::Broker;
use mesh::schema::Kind;
use mesh::topics::{self, Topic};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The broker that the demo goes through.
#[derive(Debug)]
pub(super) enum Brokers {
    /// In this process; it ends when dropped.
    Embedded(Broker),
    /// `host:port` of real ones, separated by commas.
    Outside(String),
}

impl Brokers {
    /// Reaches the brokers at `outside`, or starts one, and makes the topics.
    ///
    /// # Errors
    /// When they cannot be reached or refuse.
    pub(super) fn open(outside: Option<&str>, kafka: &Kafka) -> anyhow::Result<Brokers> {
        let mut names: Vec<String> = Kind::ALL.map(|kind| kafka.output(kind)).into();
        names.push(kafka.input.clone());
        let checkpoints = kafka.checkpoints();
        let topic = |name, compacted| Topic { name, partitions: 1, compacted };
        let mut all: Vec<Topic<'_>> = names.iter().map(|name| topic(name, false)).collect();
        all.push(topic(&checkpoints, true));
        let Some(addresses) = outside else {
            return Ok(Brokers::Embedded(Broker::start(&all)?));
        };
        reach(addresses)?;
        let connection = mesh::Connection { brokers: addresses.into(), ..kafka.connection() };
        topics::create(&connection, &all)?;
        Ok(Brokers::Outside(addresses.into()))
    }

    /// `host:port`.
    pub(super) fn addresses(&self) -> &str {
        match self {
            Brokers::Embedded(broker) => broker.address(),
            Brokers::Outside(addresses) => addresses,
        }
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        match self {
            Brokers::Embedded(broker) => format!("{}, inside this process", broker.address()),
            Brokers::Outside(addresses) => addresses.clone(),
        }
    }
}

/// Fails soon, and in plain words, where librdkafka would go on trying.
fn reach(addresses: &str) -> anyhow::Result<()> {
    let mut reasons = Vec::new();
    for address in addresses.split(',').map(str::trim) {
        match knock(address) {
            Ok(()) => return Ok(()),
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    bail!(
        "no broker can be reached: {}; start one, correct --broker, or leave it out to use the \
         broker inside this process",
        reasons.join("; ")
    )
}

fn knock(address: &str) -> anyhow::Result<()> {
    let named = || address.to_owned();
    let mut found = address.to_socket_addrs().with_context(named)?;
    let first = found.next().with_context(named)?;
    let timeout = Duration::from_secs(3);
    let answers =
        std::iter::once(first).chain(found).map(|a| TcpStream::connect_timeout(&a, timeout));
    let mut last = None;
    for answer in answers {
        match answer {
            Ok(_) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    last.map_or(Ok(()), |error| Err(error).with_context(named))
}

#[cfg(test)]
mod tests {
    use super::reach;

    #[test]
    fn a_broker_that_is_not_there_is_told_soon() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for wrong in [closed.to_string(), "localhost".into(), String::new()] {
            let error = reach(&wrong).unwrap_err().to_string();
            assert!(error.contains("correct --broker") && error.contains(&wrong), "{error}");
        }
    }

    #[test]
    fn one_broker_of_several_is_enough() {
        let open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        reach(&format!("nowhere, {}", open.local_addr().unwrap())).unwrap();
    }
}
