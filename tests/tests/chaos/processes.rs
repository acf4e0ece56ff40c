//! Workers that die, sleep, come and go.

use crate::both::Both;
use crate::scene::{Scene, alone};
use harness::kafka::Kafka;
use std::time::{Duration, Instant};

/// A session that is over, with time for the group to give the partitions to another.
const LAPSED: Duration = Duration::from_secs(10);

#[test]
fn a_killed_worker_s_partitions_are_served_again_within_ten_seconds() {
    let _alone = alone();
    let kafka = Kafka::shared().unwrap();
    served_again(Scene::new(&kafka, "chaos-kill"));
    served_again(Scene::exactly_once(&kafka, "exact-kill"));
}

fn served_again(mut scene: Scene) {
    scene.hire();
    scene.hire();
    scene.balance(&[2, 2]);
    scene.feed();
    scene.reach(3);
    scene.workers.remove(0).1.kill().unwrap();
    let killed = Instant::now();
    // What the dead worker had sent arrives.
    scene.watch(Duration::from_millis(500));
    scene.serve_all();
    let outage = killed.elapsed();
    println!("served again after {outage:?}");
    assert!(outage < Duration::from_secs(10), "served again only after {outage:?}");
    scene.conclude();
}

#[test]
fn a_worker_that_wakes_up_after_its_session_contradicts_nobody() {
    let _alone = alone();
    let kafka = Kafka::shared().unwrap();
    let mut both = Both::new(&kafka, "stop");
    both.each(|scene| {
        scene.hire();
        scene.hire();
        scene.balance(&[2, 2]);
    });
    both.each(Scene::feed);
    both.each(|scene| scene.reach(3));
    let mut zombies = Vec::new();
    both.each(|scene| {
        scene.workers[0].1.freeze().unwrap();
        zombies.push(scene.workers.remove(0));
    });
    both.watch(LAPSED);
    both.each(|scene| scene.balance(&[4]));
    both.each(|scene| {
        let (setting, zombie) = zombies.remove(0);
        zombie.thaw().unwrap();
        scene.workers.push((setting, zombie));
    });
    both.conclude();
}

#[test]
fn workers_come_and_go_under_load() {
    let _alone = alone();
    let kafka = Kafka::shared().unwrap();
    let mut both = Both::new(&kafka, "size");
    both.each(|scene| {
        scene.hire();
        scene.balance(&[4]);
    });
    both.each(Scene::feed);
    both.each(|scene| scene.reach(1));
    both.each(|scene| {
        scene.hire();
        scene.hire();
    });
    both.each(|scene| scene.reach(5));
    both.each(|scene| {
        for _ in 0..2 {
            scene.workers.remove(0).1.terminate().unwrap();
        }
    });
    both.each(|scene| scene.balance(&[4]));
    both.conclude();
}
