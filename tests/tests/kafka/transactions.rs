//! `exactly_once` below the worker: what a partition's transactions do on real brokers.

use harness::kafka::Kafka;
use mesh::checkpoint::{Past, Reader};
use mesh::dead_letters::{Letter, Postmark};
use mesh::delivery::{Guarantee, Lease};
use mesh::tail::{Begin, Located};
use mesh::topics::{self, Topic};
use mesh::{Acknowledged, Batch, Connection, Delivery, Kind, Observer, Outgoing, Refused};
use mesh::{Tail, Target, Topics};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Ids of records that were refused.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn acknowledged(&self, _: Acknowledged) {}
    fn refused(&self, output: Refused<'_>) {
        self.0.lock().unwrap().push(output.id.into());
    }
    fn saved(&self, _: i32, _: i64) {}
}

/// An input of one partition, of which everything else is named after it.
struct Place {
    kafka: Arc<Kafka>,
    input: &'static str,
    heard: Arc<Heard>,
}

impl Place {
    fn new(input: &'static str) -> Place {
        Place::with_limit(input, None)
    }

    /// One whose results have so many bytes at most.
    fn with_limit(input: &'static str, limit: Option<usize>) -> Place {
        let kafka = Kafka::shared().unwrap();
        let names = ["", ".diagrams", ".dead", ".checkpoints"].map(|end| format!("{input}{end}"));
        let topics = names.each_ref().map(|name| {
            let largest = limit.filter(|_| name.ends_with(".diagrams"));
            Topic { name, partitions: 1, compacted: false, largest }
        });
        topics::create(&kafka.connection(), &topics).unwrap();
        Place { kafka, input, heard: Arc::default() }
    }

    fn delivery(&self) -> Delivery {
        self.delivery_over(&self.kafka.connection(), Guarantee::ExactlyOnce)
    }

    fn delivery_over(&self, connection: &Connection, guarantee: Guarantee) -> Delivery {
        let (topic, pipeline) = (self.input.into(), self.input.into());
        let postmark = Postmark { topic, pipeline, dialects: Vec::new() };
        let topics = Topics {
            outputs: vec![(Kind::Diagrams, format!("{}.diagrams", self.input))],
            dead_letters: Some((format!("{}.dead", self.input), postmark)),
            checkpoints: format!("{}.checkpoints", self.input),
        };
        let names = (self.input, self.input);
        Delivery::start(connection, names, &topics, guarantee, self.heard.clone()).unwrap()
    }

    /// The offset that the group has committed, and a lease from there on.
    fn take(&self, delivery: &Delivery) -> (Option<i64>, Lease) {
        delivery.claim(&[0]).unwrap();
        let committed = self.committed();
        (committed, delivery.lease(0, Default::default(), committed))
    }

    fn committed(&self) -> Option<i64> {
        let topic = format!("{}.checkpoints", self.input);
        let reader = Reader::new(&self.kafka.connection(), self.input, &topic).unwrap();
        reader.committed(self.input, &[0]).unwrap().get(&0).copied()
    }

    /// Ids of the committed outputs.
    fn seen(&self) -> Vec<String> {
        let read = self.read("diagrams").into_iter();
        read.map(|located| located.headers["id"].clone()).collect()
    }

    /// What is committed in the topic with this end to its name.
    fn read(&self, end: &str) -> Vec<Located> {
        let topic = format!("{}.{end}", self.input);
        let tail = Tail::open(&self.kafka.connection(), &[&topic], Begin::First).unwrap();
        let next = || tail.next(Duration::from_secs(1)).unwrap();
        std::iter::from_fn(next).collect()
    }
}

fn batch(offset: i64, bytes: usize) -> Batch {
    let id = offset.to_string();
    // Noise (SplitMix64), which cannot be compressed.
    let noise = |i: usize| {
        let x = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).to_le_bytes()[7]
    };
    let output = Outgoing {
        to: Target::Output(Kind::Diagrams),
        headers: vec![("id".into(), Some(id.clone().into_bytes()))],
        id,
        key: Some(b"s".to_vec()),
        payload: Some((0..bytes).map(noise).collect()),
        timestamp: Some(7),
    };
    Batch { records: vec![output], next: offset + 1, snapshot: None, waits: None }
}

fn wait(delivery: &Delivery) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while delivery.in_flight() > 0 {
        assert!(Instant::now() < deadline, "{:?}", delivery.failure());
        std::thread::sleep(Duration::from_micros(100));
    }
}

fn release(lease: Lease, next: i64) {
    let (done, finished) = crossbeam_channel::unbounded();
    lease.release(next, None, done);
    finished.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[test]
fn whoever_takes_a_partition_over_ends_what_the_former_owner_does() {
    let place = Place::new("fence");
    let (first, second) = (place.delivery(), place.delivery());
    let (committed, zombie) = place.take(&first);
    assert_eq!(committed, None);
    zombie.deliver(batch(0, 10));
    wait(&first);
    let (committed, lease) = place.take(&second);
    assert_eq!(committed, Some(1));

    zombie.deliver(batch(1, 10));
    let deadline = Instant::now() + Duration::from_secs(60);
    while first.estranged() != [0] {
        assert!(Instant::now() < deadline, "the zombie is not told");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(zombie.revocation().load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(place.seen(), ["0"], "what the zombie sent is not to be seen");
    lease.deliver(batch(1, 10));
    release(lease, 2);
    assert_eq!((place.seen(), place.committed()), (vec!["0".into(), "1".into()], Some(2)));
    assert!(first.failure().is_none() && second.failure().is_none());
}

#[test]
fn a_transaction_takes_milliseconds() {
    let place = Place::new("quick");
    let delivery = place.delivery();
    let (_, lease) = place.take(&delivery);
    let mut times: Vec<Duration> = (0..100)
        .map(|offset| {
            let began = Instant::now();
            lease.deliver(batch(offset, 1000));
            wait(&delivery);
            began.elapsed()
        })
        .collect();
    release(lease, 100);
    assert_eq!((place.seen().len(), place.committed()), (100, Some(100)));
    times.sort_unstable();
    println!("transactions took {:?} to {:?} (p50) and {:?} (p95)", times[0], times[50], times[95]);
    // A tenth of a second is what a careless flush, or the client's usual pause, costs each.
    assert!(times[0] < Duration::from_millis(50), "the quickest took {:?}", times[0]);
}

/// Results of which the third is too large for their topic. They come together, so that the
/// others are sent with it if that can be.
fn refuses_one(place: &Place, guarantee: Guarantee) {
    let delivery = place.delivery_over(&place.kafka.connection(), guarantee);
    let (_, lease) = place.take(&delivery);
    let sizes = [10, 60_000, 200_000, 60_000, 10, 60_000];
    let batches = sizes.iter().zip(0..).map(|(&bytes, offset)| batch(offset, bytes));
    let records = batches.flat_map(|batch| batch.records).collect();
    lease.deliver(Batch { records, next: 6, snapshot: None, waits: None });
    release(lease, 6);
    let committed = || delivery.commits().get(&0).copied().or_else(|| place.committed());
    let deadline = Instant::now() + Duration::from_secs(60);
    while committed() != Some(6) {
        assert!(Instant::now() < deadline, "the offset is not committed");
    }
    assert!(delivery.failure().is_none());

    assert_eq!(place.seen(), ["0", "1", "3", "4", "5"]);
    assert_eq!(*place.heard.0.lock().unwrap(), ["2"]);
    let letters = place.read("dead");
    let [letter] = &letters[..] else { panic!("{} dead letters", letters.len()) };
    let letter = Letter::read(letter).unwrap();
    assert_eq!((letter.stage.as_str(), letter.code.as_str()), ("deliver", "deliver.refused"));
    assert_eq!((letter.left_out, letter.is_whole()), (Some(200_000), false));
    assert!(letter.message.starts_with("2: "), "{}", letter.message);
}

#[test]
fn a_result_that_is_too_large_harms_no_other_at_least_once() {
    refuses_one(&Place::with_limit("heavy", Some(100_000)), Guarantee::AtLeastOnce);
}

#[test]
fn a_result_that_is_too_large_harms_no_other_exactly_once() {
    refuses_one(&Place::with_limit("bulky", Some(100_000)), Guarantee::ExactlyOnce);
}

#[test]
fn a_record_that_is_refused_while_others_are_still_sent_is_left_out_and_told() {
    let place = Place::new("first");
    let mut connection = place.kafka.connection();
    // The others find room only when the first is answered.
    connection.properties.insert("queue.buffering.max.messages".into(), "3".into());
    let delivery = place.delivery_over(&connection, Guarantee::ExactlyOnce);
    let (_, lease) = place.take(&delivery);
    let batches = (0..20).map(|n| batch(n, if n == 0 { 3 << 20 } else { 10 }));
    let records = batches.flat_map(|batch| batch.records).collect();
    lease.deliver(Batch { records, ..batch(0, 0) });
    release(lease, 1);
    assert!(delivery.estranged().is_empty(), "nobody else has taken it over");
    let others: Vec<String> = (1..20).map(|n| n.to_string()).collect();
    assert_eq!((place.seen(), place.committed()), (others, Some(1)));
    assert_eq!(*place.heard.0.lock().unwrap(), ["0"]);
}
