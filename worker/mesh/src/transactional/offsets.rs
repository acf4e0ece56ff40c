use crate::onlooker::Onlooker;
use crossbeam_channel::{Receiver, Sender, unbounded};
use rdkafka::TopicPartitionList;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long it may take to add an offset.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much longer until it is clear that the client does not keep to that.
const GRACE: Duration = Duration::from_millis(500);

/// Adds offsets to the transactions of one producer, on a thread that can be left behind.
///
/// The client promises to give up in time, and does not: while it takes a broker for the group's
/// coordinator that is gone, its call lasts until the connection to some other broker changes
/// (librdkafka#5456 and #5511).
pub(super) struct Offsets {
    orders: Sender<TopicPartitionList>,
    answers: Receiver<KafkaResult<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Offsets {
    /// Of what `group` has read.
    pub(super) fn of<C: ProducerContext + 'static>(
        producer: Arc<BaseProducer<C>>,
        group: Arc<Onlooker>,
    ) -> Offsets {
        let (orders, inbox) = unbounded();
        let (outbox, answers) = unbounded();
        let work = move || {
            for list in inbox {
                let added = producer.send_offsets_to_transaction(&list, group.metadata(), PATIENCE);
                if outbox.send(added).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("offsets".into()).spawn(work);
        let thread = Some(thread.expect("the system can start another thread"));
        Offsets { orders, answers, thread }
    }

    /// Adds an offset to the open transaction. `None` when the call does not end: then nothing can
    /// be done with the producer any more but to leave it behind.
    pub(super) fn add(&mut self, offset: TopicPartitionList) -> Option<KafkaResult<()>> {
        let sent = self.orders.send(offset);
        sent.expect("the thread ends after its orders do");
        let answer = self.answers.recv_timeout(PATIENCE + GRACE).ok();
        if answer.is_none() {
            // It ends, and lets go of the producer, when the call does.
            self.thread = None;
        }
        answer
    }
}

impl Drop for Offsets {
    fn drop(&mut self) {
        self.orders = unbounded().0;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
