//! A network that is slow, that cuts connections, and that forgets them.

use crate::both::Both;
use crate::scene::alone;
use harness::kafka::{Kafka, Options};
use harness::proxy::{Fate, Network};
use std::time::Duration;

#[test]
fn a_bad_network_costs_nothing_but_time() {
    let _alone = alone();
    let kafka = Kafka::with(&Options { proxied: true, ..Options::default() }).unwrap();
    let network = &kafka.proxies()[0];
    let mut both = Both::at_work(&kafka, "slow", 1);
    network.set(Network { latency: Duration::from_millis(100), ..Network::default() });
    both.watch(Duration::from_secs(2));
    network.set(Network { piece: Some(100), bandwidth: Some(500_000), ..Network::default() });
    both.watch(Duration::from_secs(2));
    network.heal();
    for _ in 0..5 {
        network.cut();
        both.watch(Duration::from_millis(300));
    }
    network.set(Network { fate: Fate::Reset, ..Network::default() });
    both.watch(Duration::from_secs(2));
    network.heal();
    assert!(network.accepted() > 10, "the worker goes past the proxy");
    both.conclude();
}

#[test]
fn half_open_connections_cost_nothing_but_time() {
    let _alone = alone();
    let kafka = Kafka::with(&Options { proxied: true, ..Options::default() }).unwrap();
    let network = &kafka.proxies()[0];
    let mut both = Both::at_work(&kafka, "half", 3);
    // Longer than the session: the group gives the partitions up meanwhile.
    network.set(Network { fate: Fate::Vanish, ..Network::default() });
    both.watch(Duration::from_secs(9));
    network.heal();
    both.conclude();
}

#[test]
fn brokers_out_of_reach_make_the_input_wait_and_cost_nothing_but_time() {
    let _alone = alone();
    let kafka = Kafka::with(&Options { proxied: true, ..Options::default() }).unwrap();
    let network = &kafka.proxies()[0];
    let mut both = Both::at_work(&kafka, "away", 1);
    network.set(Network { fate: Fate::Reset, ..Network::default() });
    both.each(|scene| scene.brake("brokers_down"));
    network.heal();
    both.conclude();
}
