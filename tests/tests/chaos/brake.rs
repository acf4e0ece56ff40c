//! Outputs that do not arrive, and records that are all wrong: the input waits, and nothing else
//! happens.

use crate::scene::alone;
use harness::audit::Audit;
use harness::kafka::{Kafka, Options};
use harness::points::Points;
use harness::proxy::{Fate, Network};
use harness::setting::{Setting, count, diagrams, expected};
use harness::worker::{Worker, get};
use mesh::Feed;
use std::time::{Duration, Instant};

const MINUTES: Duration = Duration::from_secs(240);
const QUIET: Duration = Duration::from_secs(2);

/// A backlog of which neither the records nor the results would fit into the bounds below.
const BACKLOG: Points = Points { partitions: 4, series: 4, length: 50_000 };

/// What may wait, in the order in which it does: fetched ahead, read and not taken, for two
/// threads, with what is in work besides, and results.
const BOUND: usize = (8 + 2 + 2 * (4 + 1) + 32) << 20;
/// Between what is counted (bytes of records) and what is used: headers, allocations, and a
/// response of the broker while it is taken apart.
const SLACK: usize = 64 << 20;

#[test]
fn memory_stays_flat_while_outputs_are_not_taken_and_nothing_is_lost_or_doubled() {
    let _alone = alone();
    let kafka = Kafka::with(&Options { proxied: true, ..Options::default() }).unwrap();
    let network = &kafka.proxies()[0];
    kafka.create_topics("stall", &["stall-out"], BACKLOG.partitions).unwrap();
    let mut setting = Setting::new(&kafka, "stall", "stall-out").unwrap();
    // A worker that does not poll would be out of the group after eight seconds. Requests are not
    // given up while they are held: what is sent again is the subject of other tests.
    setting.kafka = "  breaker: {unacknowledged_ms: 3000, backoff_ms: 500, backoff_max_ms: 1000}
  properties: {max.poll.interval.ms: '8000'}"
        .into();
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    let ready = || matches!(get(setting.port, "/health/ready"), Ok((200, _)));
    worker.wait_until("it is ready", MINUTES, ready).unwrap();
    let idle = worker.resident_bytes().unwrap();
    network.set(Network { fate: Fate::HoldAppends, ..Network::default() });
    BACKLOG.feed(&kafka.connection(), "stall", 0..BACKLOG.length).unwrap();
    let acknowledged = || setting.metric("streaming_tda_outputs_total{").iter().sum::<f64>();
    let is = |state| setting.metric("streaming_tda_breaker_state") == [state];
    worker.wait_until("the input waits", MINUTES, || is(2.0)).unwrap();

    let mut resident = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_secs(1));
        worker.check().unwrap();
        resident.push(worker.resident_bytes().unwrap());
    }
    let mib = |bytes: usize| bytes >> 20;
    let (first, most) = (resident[10], *resident.iter().max().unwrap());
    println!("{} MiB at rest, {} to {} while it waits", mib(idle), mib(first), mib(most));
    assert!(most < idle + BOUND + SLACK, "{} MiB", mib(most));
    assert!(resident[10..].iter().all(|&now| now < first + (4 << 20)), "{resident:?}");
    assert_eq!(acknowledged(), 0.0, "no output is taken");
    let lag: f64 = setting.metric("streaming_tda_lag{").iter().sum();
    println!("{lag} of {} points are left", BACKLOG.count());
    assert!(lag > 0.25 * BACKLOG.count() as f64, "most of the backlog waits in Kafka");
    assert!(is(2.0), "the input waits: {}", worker.log());
    assert!(ready(), "the worker is ready");
    assert!(setting.metric("streaming_tda_breaker_open_seconds_total")[0] > 50.0);
    assert!(worker.log().contains("min.insync.replicas"), "{}", worker.log());

    network.heal();
    let mut audit = Audit::of(&kafka.connection(), "stall-out").unwrap();
    audit.read_until(count(&BACKLOG), MINUTES, &mut worker).unwrap();
    audit.read_rest(QUIET).unwrap();
    println!("{} MiB when all is done", mib(worker.resident_bytes().unwrap()));
    assert!(worker.resident_bytes().unwrap() < idle + BOUND + SLACK);
    worker.wait_until("the input flows", MINUTES, || is(0.0)).unwrap();
    assert!(worker.log().contains("the input flows again"));
    assert!(!worker.log().contains("partitions revoked"), "{}", worker.log());
    worker.terminate().unwrap();
    assert_eq!(audit.repeated, 0);
    assert!(
        diagrams(&audit).unwrap() == expected(&BACKLOG, "stall").unwrap(),
        "not what the engine alone computes"
    );
}

const POINTS: Points = Points { partitions: 1, series: 1, length: 2000 };

#[test]
fn a_storm_of_bad_records_makes_the_input_wait_and_passes_by() {
    let _alone = alone();
    let kafka = Kafka::shared().unwrap();
    let connection = kafka.connection();
    kafka.create_topics("storm", &["storm-out"], 1).unwrap();
    let mut setting = Setting::new(&kafka, "storm", "storm-out").unwrap();
    let dead_letters = "{least: 50, window_ms: 2000}";
    setting.kafka = format!(
        "  breaker: {{dead_letters: {dead_letters}, backoff_ms: 10000, backoff_max_ms: 10000}}"
    );
    let mut worker = Worker::start(&setting.yaml()).unwrap();
    POINTS.feed(&connection, "storm", 0..1000).unwrap();
    let lag = || setting.metric("streaming_tda_lag{").iter().sum::<f64>();
    let points = || setting.metric("streaming_tda_points_total").iter().sum::<f64>();
    worker.wait_until("the first points are computed", MINUTES, || points() == 1000.0).unwrap();
    std::thread::sleep(Duration::from_secs(3));

    let feed = Feed::open(&connection, "storm").unwrap();
    for _ in 0..1000 {
        feed.append(Some(0), "s", b"no point").unwrap();
    }
    feed.finish(MINUTES).unwrap();
    let openings =
        || setting.metric("streaming_tda_breaker_openings_total{cause=\"dead_letters\"}");
    worker.wait_until("the input waits", MINUTES, || openings()[0] >= 1.0).unwrap();
    POINTS.feed(&connection, "storm", 1000..POINTS.length).unwrap();
    worker.wait_until("records wait", MINUTES, || lag() >= 900.0).unwrap();
    assert!(worker.log().contains("roll back"), "{}", worker.log());

    let done = || points() == 2000.0 && lag() == 0.0;
    worker.wait_until("all is read", MINUTES, done).unwrap();
    let skipped = setting.metric("streaming_tda_records_skipped_total{code=\"decode.json\"}");
    assert_eq!(skipped, [1000.0], "every record was judged");
    let flows = || setting.metric("streaming_tda_breaker_state") == [0.0];
    worker.wait_until("the input flows", MINUTES, flows).unwrap();
    let mut audit = Audit::of(&connection, "storm-out").unwrap();
    audit.read_until(count(&POINTS), MINUTES, &mut worker).unwrap();
    worker.terminate().unwrap();
}
