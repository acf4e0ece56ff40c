//! Brokers that die and come back.

use crate::both::Both;
use crate::scene::alone;
use harness::kafka::{Kafka, Options};
use std::time::Duration;

#[test]
fn a_broker_that_is_killed_and_comes_back_costs_nothing_but_time() {
    let _alone = alone();
    let kafka = Kafka::start().unwrap();
    let mut both = Both::at_work(&kafka, "back", 3);
    kafka.terminate(0).unwrap();
    both.watch(Duration::from_secs(3));
    kafka.restart(0).unwrap();
    both.conclude();
}

#[test]
fn a_broker_of_three_may_be_lost_and_leaders_may_move() {
    let _alone = alone();
    let kafka = Kafka::with(&Options { brokers: 3, ..Options::default() }).unwrap();
    let mut both = Both::at_work(&kafka, "lost", 2);
    kafka.kill(0);
    both.each(|scene| scene.reach(5));
    kafka.restart(0).unwrap();
    both.watch(Duration::from_secs(2));
    kafka.move_leaders_home().unwrap();
    both.conclude();
}
