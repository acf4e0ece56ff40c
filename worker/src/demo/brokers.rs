//! The broker that the demo goes through: inside the process, or a real one.

use crate::config::Kafka;
use crate::reach::reach;
use anyhow::anyhow;
use mesh::embedded::Broker;
use mesh::schema::Kind;
use mesh::topics::{self, Topic};

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
        names.extend(kafka.dead_letters());
        let checkpoints = kafka.checkpoints();
        let topic = |name, compacted| Topic { name, partitions: 1, compacted, largest: None };
        let mut all: Vec<Topic<'_>> = names.iter().map(|name| topic(name, false)).collect();
        all.push(topic(&checkpoints, true));
        let Some(addresses) = outside else {
            return Ok(Brokers::Embedded(Broker::start(&all)?));
        };
        reach(addresses).map_err(|unreachable| {
            anyhow!(
                "{unreachable}; start one, correct --broker, or leave it out to use the broker \
                 inside this process"
            )
        })?;
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
