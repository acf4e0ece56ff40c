//! The ways in which a worker may be a member of its group.

use crate::scene::{Scene, alone};
use harness::kafka::{Kafka, Options};
use std::time::{Duration, Instant};

/// What a worker logs when its partitions change.
const CHANGES: [&str; 2] = ["partitions assigned", "partitions revoked"];

fn changes(scene: &Scene, worker: usize) -> usize {
    let log = scene.workers[worker].1.log();
    log.lines().filter(|line| CHANGES.iter().any(|change| line.contains(change))).count()
}

fn known_as(name: &str) -> String {
    // Longer than it takes a worker to come back, on a machine with other things to do.
    format!("  instance_id: {name}\n  session_timeout_ms: 10000")
}

#[test]
fn a_worker_that_is_known_comes_back_to_its_partitions_and_nobody_else_notices() {
    let _alone = alone();
    let kafka = Kafka::shared().unwrap();
    comes_back(Scene::new(&kafka, "chaos-name"));
    comes_back(Scene::exactly_once(&kafka, "exact-name"));
}

fn comes_back(mut scene: Scene) {
    scene.hire_with(&known_as("left"));
    scene.hire_with(&known_as("right"));
    scene.balance(&[2, 2]);
    scene.feed();
    scene.reach(2);
    let before = changes(&scene, 0);
    scene.workers.remove(1).1.kill().unwrap();
    scene.hire_with(&known_as("right"));
    scene.balance(&[2, 2]);
    scene.serve_all();
    assert_eq!(changes(&scene, 0), before, "{}", scene.workers[0].1.log());
    scene.conclude();
}

#[test]
fn a_group_whose_partitions_the_broker_assigns_moves_them_when_a_worker_dies() {
    let _alone = alone();
    // The least that the broker allows is 45 s and 5 s unless it is told so.
    let properties = "group.consumer.min.session.timeout.ms=6000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=1000
group.consumer.heartbeat.interval.ms=1000
";
    let options = Options { properties: properties.into(), ..Options::default() };
    let kafka = Kafka::with(&options).unwrap();
    for scene in [Scene::new(&kafka, "chaos-kip8"), Scene::exactly_once(&kafka, "exact-kip8")] {
        moves(scene.with("  group_protocol: consumer"));
    }
}

fn moves(mut scene: Scene) {
    scene.hire();
    scene.balance(&[4]);
    scene.hire();
    scene.balance(&[2, 2]);
    scene.feed();
    scene.reach(3);
    scene.workers.remove(0).1.kill().unwrap();
    let killed = Instant::now();
    scene.watch(Duration::from_millis(500));
    scene.serve_all();
    println!("served again after {:?}", killed.elapsed());
    scene.conclude();
}
