//! The worker on the broker inside the process.
#![allow(clippy::unwrap_used)]

use mesh::embedded::Broker;
use mesh::tail::{Begin, Located};
use mesh::topics::Topic;
use mesh::{Feed, Tail};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use worker::{Config, Shutdown};

fn topic(name: &str) -> Topic<'_> {
    Topic { name, partitions: 2, compacted: false, largest: None }
}

fn broker() -> Broker {
    let names =
        ["in", "in.diagrams", "in.features", "in.alerts", "in.checkpoints", "in.dead-letters"];
    Broker::start(&names.map(topic)).unwrap()
}

fn config(broker: &Broker) -> Config {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let yaml = format!(
        "
kafka: {{brokers: '{}', input: in, checkpoint_ms: 50}}
scales:
  - {{name: small, window: 20, hop: 5, max_radius: 1.0, embedding: {{delay: 2, copies: 2}}, detection: {{}}}}
http: {{listen: '127.0.0.1:{port}'}}
compute: {{threads: 2}}
",
        broker.address()
    );
    Config::from_yaml(&yaml).unwrap()
}

fn feed(broker: &Broker, samples: std::ops::Range<u32>) {
    let feed = Feed::open(&broker.connection(), "in").unwrap();
    for t in samples {
        for (partition, series) in [(0, "a"), (1, "b")] {
            let value = format!(r#"{{"values": [{}]}}"#, (t as f32 * 0.3).sin());
            let (key, value) = (Some(series.as_bytes()), Some(value.as_bytes()));
            let time = Some(1000 + i64::from(t));
            feed.append_as_is(Some(partition), key, value, time).unwrap();
        }
    }
    feed.finish(Duration::from_secs(10)).unwrap();
}

/// Runs a worker until so many records have come out since the beginning.
fn run_until(broker: &Broker, count: usize) -> Vec<Located> {
    let (config, shutdown) = (config(broker), Shutdown::default());
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| worker::run(&config, &shutdown));
        let topics = ["in.diagrams", "in.features"];
        let tail = Tail::open(&broker.connection(), &topics, Begin::First).unwrap();
        let (mut arrivals, began) = (Vec::new(), Instant::now());
        while arrivals.len() < count && began.elapsed() < Duration::from_secs(30) {
            arrivals.extend(tail.next(Duration::from_millis(100)).unwrap());
        }
        shutdown.trigger();
        worker.join().unwrap().unwrap();
        // What is sent twice or too much would come now.
        while let Some(arrival) = tail.next(Duration::from_millis(300)).unwrap() {
            arrivals.push(arrival);
        }
        arrivals
    })
}

fn ids(arrivals: &[Located]) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    arrivals.iter().for_each(|a| *ids.entry(a.headers["id"].clone()).or_default() += 1);
    ids
}

#[test]
fn a_second_run_goes_on_where_the_first_one_stopped() {
    let broker = broker();
    feed(&broker, 0..100);
    // Two series of 98 points, windows full at 20, then every 5, in two topics.
    let first = run_until(&broker, 2 * 2 * 16);
    assert_eq!(first.len(), 2 * 2 * 16);
    feed(&broker, 100..150);
    let all = run_until(&broker, 2 * 2 * 26);
    let ids = ids(&all);
    assert_eq!((all.len(), ids.len()), (2 * 2 * 26, 2 * 2 * 26), "{ids:#?}");
    let last = all.iter().rfind(|a| a.topic == "in.diagrams" && a.partition == 1).unwrap();
    assert_eq!(last.headers["id"], "in/1/146/diagrams/small");
    assert_eq!(last.headers["source-offset"], "146");
    assert_eq!(last.headers["schema"], "streaming-tda.diagrams/v1");
    assert_eq!((last.record.key.as_deref(), last.record.timestamp), (Some(&b"b"[..]), Some(1146)));
}
