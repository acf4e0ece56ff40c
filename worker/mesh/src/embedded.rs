//! A broker inside the process, for demonstrations and tests of one worker.
//!
//! It is librdkafka's mock cluster: it speaks Kafka's protocol on a port of localhost, in memory.
//! A partition keeps its last 5 MiB or 100,000 records, whichever is less; a consumer group has
//! one member; transactions are not isolated. Not for anything that must not be lost.

use crate::topics::Topic;
use crate::{Connection, Error};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A running broker; it stops when dropped.
#[derive(Debug)]
pub struct Broker {
    address: String,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Starts a broker with the given topics, on a free port of localhost.
    ///
    /// # Errors
    /// When a port cannot be opened or a topic cannot be created.
    pub fn start(topics: &[Topic<'_>]) -> Result<Broker, Error> {
        let topics: Vec<_> = topics.iter().map(|t| (t.name.to_owned(), t.partitions)).collect();
        let (stop, stopped) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        // The cluster may not move between threads, so it lives on its own.
        let thread =
            std::thread::Builder::new().name("broker".into()).spawn(move || {
                match cluster(&topics) {
                    Ok(cluster) => {
                        let _ = ready.send(Ok(cluster.bootstrap_servers()));
                        let _ = stopped.recv();
                    }
                    Err(error) => _ = ready.send(Err(error)),
                }
            });
        let thread = thread.expect("the system can start another thread");
        let address = started.recv().expect("the broker's thread answers before it ends");
        let address = address.map_err(Error::kafka("start the embedded broker"))?;
        Ok(Broker { address, stop: Some(stop), thread: Some(thread) })
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How to reach it.
    pub fn connection(&self) -> Connection {
        Connection::to(&self.address)
    }
}

/// Whether a cluster of this id is a broker inside a process: those of Apache Kafka are UUIDs.
pub(crate) fn is_embedded(cluster: &str) -> bool {
    cluster.starts_with("mockCluster")
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn cluster(
    topics: &[(String, i32)],
) -> Result<MockCluster<'static, DefaultProducerContext>, KafkaError> {
    let cluster = MockCluster::new(1)?;
    for (name, partitions) in topics {
        cluster.create_topic(name, *partitions, 1)?;
    }
    Ok(cluster)
}
