//! What is fed is read back, in order, from where the reader begins.

use mesh::embedded::Broker;
use mesh::tail::Begin;
use mesh::topics::Topic;
use mesh::{Feed, Tail};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn values(tail: &Tail, count: usize) -> Vec<(String, Vec<u8>)> {
    let mut values = Vec::new();
    while values.len() < count {
        let located = tail.next(PATIENCE).expect("it can be read").expect("in time");
        values.push((located.topic, located.record.value.expect("it has a value").into_vec()));
    }
    values
}

#[test]
fn a_tail_reads_what_a_feed_appends() {
    let topic = |name| Topic { name, partitions: 1, compacted: false, largest: None };
    let broker = Broker::start(&[topic("a"), topic("b")]).unwrap();
    let connection = broker.connection();
    let (a, b) = (Feed::open(&connection, "a").unwrap(), Feed::open(&connection, "b").unwrap());
    for i in 0..100u8 {
        a.append(Some(0), "k", &[i]).unwrap();
    }
    a.finish(PATIENCE).unwrap();
    assert_eq!(a.acknowledged(), 100);
    let late = Tail::open(&connection, &["a", "b"], Begin::End).unwrap();
    b.append(None, "k", b"late").unwrap();
    b.finish(PATIENCE).unwrap();
    assert_eq!(values(&late, 1), [("b".to_owned(), b"late".to_vec())]);
    let whole = Tail::open(&connection, &["a"], Begin::First).unwrap();
    let expected: Vec<_> = (0..100u8).map(|i| ("a".to_owned(), vec![i])).collect();
    assert_eq!(values(&whole, 100), expected);
    assert_eq!(whole.next(Duration::from_millis(300)).unwrap(), None);
}
