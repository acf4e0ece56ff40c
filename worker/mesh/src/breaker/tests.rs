use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    failures: 3,
    unacknowledged_ms: 5000,
    brokers_down_ms: 2000,
    dead_letters: DeadLetters { share: 0.5, window_ms: 10_000, least: 100 },
    backoff_ms: 1000,
    backoff_max_ms: 8000,
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Nothing is wrong.
const WELL: Vitals = Vitals {
    failures: 0,
    acknowledged: 0,
    oldest: None,
    down: None,
    judged: 0,
    dead: 0,
    waiting: 0,
};

/// What makes a closed breaker open, and why.
fn symptoms() -> [(Vitals, Cause); 4] {
    [
        (Vitals { failures: 3, ..WELL }, Cause::Failures),
        (Vitals { oldest: Some(ms(5000)), ..WELL }, Cause::Unacknowledged),
        (Vitals { down: Some(ms(2000)), ..WELL }, Cause::BrokersDown),
        (Vitals { judged: 100, dead: 50, ..WELL }, Cause::DeadLetters),
    ]
}

/// What is just short of that.
fn signs() -> [Vitals; 5] {
    [
        Vitals { failures: 2, ..WELL },
        Vitals { oldest: Some(ms(4999)), ..WELL },
        Vitals { down: Some(ms(1999)), ..WELL },
        Vitals { judged: 100, dead: 49, ..WELL },
        Vitals { judged: 99, dead: 99, ..WELL },
    ]
}

fn closed() -> Breaker {
    Breaker::new(LIMITS, 7)
}

/// Open for a cause that has gone again, and the end of its back-off.
fn opened(cause: Cause) -> (Breaker, Duration) {
    let (vitals, _) = *symptoms().iter().find(|(_, c)| *c == cause).unwrap();
    let mut breaker = closed();
    let Some(State::Open { until, .. }) = breaker.observe(ms(100), &vitals) else {
        panic!("{cause} does not open it")
    };
    (breaker, until)
}

fn half_open(cause: Cause) -> (Breaker, Duration) {
    let (mut breaker, until) = opened(cause);
    assert_eq!(breaker.observe(until, &WELL), Some(State::HalfOpen { cause }));
    (breaker, until)
}

fn probing(cause: Cause) -> (Breaker, Duration) {
    let (mut breaker, now) = half_open(cause);
    breaker.probed();
    (breaker, now)
}

#[test]
fn an_idle_input_flows_again_when_what_was_wrong_can_be_seen_to_be_over() {
    for cause in Cause::ALL {
        let (mut breaker, since) = half_open(cause);
        assert_eq!(breaker.observe(since + ms(999), &WELL), None, "{cause}");
        let closes = cause.is_standing().then_some(State::Closed);
        assert_eq!(breaker.observe(since + ms(1000), &WELL), closes, "{cause}");
    }
}

#[test]
fn a_closed_breaker_opens_at_each_limit_and_not_before() {
    for (vitals, cause) in symptoms() {
        let mut breaker = closed();
        assert_eq!(breaker.pace(), Pace::Flow);
        let Some(State::Open { cause: why, .. }) = breaker.observe(ms(100), &vitals) else {
            panic!("{cause}: {:?}", breaker.state())
        };
        assert_eq!((why, breaker.pace()), (cause, Pace::Wait));
    }
    for vitals in signs() {
        let mut breaker = closed();
        assert_eq!(breaker.observe(ms(100), &vitals), None, "{vitals:?}");
        assert_eq!(breaker.pace(), Pace::Flow);
    }
}

#[test]
fn an_open_breaker_waits_for_the_back_off_and_until_nothing_is_wrong() {
    let waiting = Vitals { waiting: 1, ..WELL };
    let standing = [
        Vitals { oldest: Some(ms(5000)), ..WELL },
        Vitals { down: Some(ms(2000)), ..WELL },
        waiting,
    ];
    for cause in Cause::ALL {
        let (mut breaker, until) = opened(cause);
        assert_eq!(breaker.observe(until - ms(1), &WELL), None);
        for vitals in standing {
            assert_eq!(breaker.observe(until + ms(1000), &vitals), None, "{vitals:?}");
            assert_eq!(breaker.pace(), Pace::Wait);
        }
        assert_eq!(breaker.observe(until + ms(1000), &WELL), Some(State::HalfOpen { cause }));
        assert_eq!(breaker.pace(), Pace::Probe);
    }
}

#[test]
fn a_half_open_breaker_waits_for_its_batch_as_long_as_it_takes() {
    for cause in Cause::ALL {
        let (mut breaker, now) = half_open(cause);
        let still = Vitals { down: cause.is_standing().then_some(ms(1)), ..WELL };
        assert_eq!(breaker.observe(now + ms(100_000), &still), None);
        assert_eq!(breaker.pace(), Pace::Probe);
        breaker.probed();
        assert_eq!(breaker.pace(), Pace::Wait, "one batch, not two");
        for under_way in [
            Vitals { waiting: 1, ..WELL },
            Vitals { oldest: Some(ms(1)), ..WELL },
            Vitals { down: Some(ms(1)), waiting: 1, ..WELL },
        ] {
            assert_eq!(breaker.observe(now + ms(100_001), &under_way), None);
            assert_eq!(breaker.pace(), Pace::Wait);
        }
        let arrived = Vitals { acknowledged: 1, judged: 10, dead: 4, ..WELL };
        assert_eq!(breaker.observe(now + ms(100_002), &arrived), Some(State::Closed));
        assert_eq!(breaker.pace(), Pace::Flow);
    }
}

#[test]
fn a_half_open_breaker_opens_again_for_longer_when_its_batch_fails() {
    for before in Cause::ALL {
        for (vitals, cause) in [
            (Vitals { failures: 1, ..WELL }, Cause::Failures),
            (Vitals { oldest: Some(ms(5000)), ..WELL }, Cause::Unacknowledged),
            (Vitals { down: Some(ms(2000)), ..WELL }, Cause::BrokersDown),
            (Vitals { judged: 100, dead: 50, ..WELL }, Cause::DeadLetters),
        ] {
            let (mut breaker, now) = probing(before);
            let Some(State::Open { cause: why, until }) = breaker.observe(now, &vitals) else {
                panic!("{before}, then {cause}: {:?}", breaker.state())
            };
            assert_eq!(why, cause);
            let waited = until - now;
            assert!(ms(1500) <= waited && waited <= ms(2000), "{waited:?}");
        }
    }
}

#[test]
fn after_a_storm_a_small_batch_of_dead_letters_tells_enough() {
    let one = Vitals { judged: 1, dead: 1, ..WELL };
    let (mut breaker, now) = probing(Cause::DeadLetters);
    assert!(matches!(
        breaker.observe(now, &one),
        Some(State::Open { cause: Cause::DeadLetters, .. })
    ));
    let (mut breaker, now) = probing(Cause::BrokersDown);
    assert_eq!(breaker.observe(now, &one), Some(State::Closed));
}

/// Closed again by a batch that arrived, at the end of the back-off; how long that was.
fn relapse(breaker: &mut Breaker, now: Duration, vitals: &Vitals) -> Duration {
    let Some(State::Open { until, .. }) = breaker.observe(now, vitals) else { panic!("open") };
    let well = Vitals { oldest: None, down: None, ..*vitals };
    breaker.observe(until, &well);
    breaker.probed();
    assert_eq!(breaker.observe(until, &well), Some(State::Closed));
    until - now
}

#[test]
fn back_offs_double_up_to_the_longest_and_are_forgotten_in_calm() {
    let (mut breaker, mut now, mut failed) = (closed(), ms(0), WELL);
    for longest in [1000, 2000, 4000, 8000, 8000, 8000] {
        failed.failures += 3;
        let waited = relapse(&mut breaker, now, &failed);
        assert!(ms(longest * 3 / 4) <= waited && waited <= ms(longest), "{waited:?} of {longest}");
        now += waited + ms(10);
    }
    failed.failures += 3;
    assert!(relapse(&mut breaker, now + ms(8000), &failed) <= ms(1000));
}

#[test]
fn what_can_be_seen_to_be_over_waits_no_longer_each_time() {
    let (mut breaker, mut now) = (closed(), ms(0));
    let slow = Vitals { oldest: Some(ms(5000)), ..WELL };
    for _ in 0..5 {
        let waited = relapse(&mut breaker, now, &slow);
        assert!(waited <= ms(1000), "{waited:?}");
        now += waited + ms(10);
    }
}

#[test]
fn the_same_seed_waits_as_long_and_others_do_not() {
    let waits = |seed| (0..6).map(move |before| LIMITS.backoff(before, seed)).collect::<Vec<_>>();
    assert_eq!(waits(1), waits(1));
    let different: std::collections::BTreeSet<_> = (0..50).map(waits).collect();
    assert_eq!(different.len(), 50);
}

#[test]
fn an_acknowledgement_between_failures_ends_their_row() {
    let mut breaker = closed();
    for step in 1..50 {
        let failed = Vitals { failures: 2 * step, acknowledged: step - 1, ..WELL };
        assert_eq!(breaker.observe(ms(step), &failed), None);
        let arrived = Vitals { acknowledged: step, ..failed };
        assert_eq!(breaker.observe(ms(step), &arrived), None);
    }
}

#[test]
fn a_storm_is_one_of_its_window() {
    // Ten records each second, of which every tenth is a dead letter; then nine of ten.
    let mut breaker = closed();
    let mut vitals = WELL;
    for second in 1..=60 {
        vitals = Vitals { judged: vitals.judged + 20, dead: vitals.dead + 2, ..vitals };
        assert_eq!(breaker.observe(ms(1000 * second), &vitals), None);
    }
    let opened = (61..=80).find(|second| {
        vitals = Vitals { judged: vitals.judged + 20, dead: vitals.dead + 18, ..vitals };
        breaker.observe(ms(1000 * second), &vitals).is_some()
    });
    // After n seconds 18 n + 2 (10 - n) of 200 are dead: 100 when n = 5.
    assert_eq!(opened, Some(65));
}

#[test]
fn limits_that_make_no_sense_are_named() {
    assert_eq!(Limits::default().problems(), []);
    let limits = Limits {
        failures: 0,
        backoff_ms: 100,
        backoff_max_ms: 99,
        dead_letters: DeadLetters { share: f64::NAN, window_ms: 0, least: 0 },
        ..LIMITS
    };
    let problems = limits.problems();
    let paths: Vec<&str> = problems.iter().map(|(path, _)| *path).collect();
    let expected = [
        "failures",
        "dead_letters.window_ms",
        "dead_letters.least",
        "backoff_max_ms",
        "dead_letters.share",
    ];
    assert_eq!(paths, expected);
}

/// What may happen between two looks.
#[derive(Clone, Debug)]
struct Step {
    time: u64,
    vitals: Vitals,
    probed: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let age = || prop::option::weighted(0.3, (0..8000u64).prop_map(ms));
    let step = (
        (0..3000u64, 0..2u64, 0..3u64, age(), age()),
        (0..200u64, 0.0..1.0f64, prop::bool::weighted(0.2), any::<bool>()),
    );
    prop::collection::vec(step, 1..300).prop_map(|steps| {
        let mut total = WELL;
        let each = steps.into_iter().map(|((time, failed, arrived, oldest, down), rest)| {
            let (judged, dead, waiting, probed) = rest;
            total.failures += failed;
            total.acknowledged += arrived;
            total.judged += judged;
            total.dead += (judged as f64 * dead) as u64;
            let waiting = usize::from(waiting);
            Step { time, vitals: Vitals { oldest, down, waiting, ..total }, probed }
        });
        each.collect()
    })
}

proptest! {
    #[test]
    fn only_a_batch_that_arrived_closes_it(steps in steps(), seed: u64) {
        let mut breaker = Breaker::new(LIMITS, seed);
        let (mut now, mut opened, mut tries, mut probed) = (ms(0), ms(0), ms(0), false);
        for step in steps {
            now += ms(step.time);
            let before = breaker.state();
            let changed = breaker.observe(now, &step.vitals);
            prop_assert_eq!(changed.unwrap_or(before), breaker.state());
            let wrong = step.vitals.down >= Some(ms(2000)) || step.vitals.oldest >= Some(ms(5000));
            match (before, changed) {
                (State::Closed, None) => prop_assert!(!wrong),
                (State::Closed | State::HalfOpen { .. }, Some(State::Open { until, .. })) => {
                    prop_assert!(now + ms(750) <= until && until <= now + ms(8000));
                    opened = now;
                }
                (State::Open { until, cause }, Some(State::HalfOpen { cause: same })) => {
                    prop_assert!(now >= until && !wrong && step.vitals.waiting == 0);
                    prop_assert!(cause == same && now - opened >= ms(750));
                    (tries, probed) = (now, false);
                }
                (State::HalfOpen { cause }, Some(State::Closed)) => {
                    let idle = cause.is_standing() && now - tries >= ms(LIMITS.backoff_ms);
                    prop_assert!(probed || idle && step.vitals.down.is_none());
                    prop_assert!(step.vitals.waiting == 0 && step.vitals.oldest.is_none());
                }
                (State::HalfOpen { .. } | State::Open { .. }, None) => {}
                (before, after) => prop_assert!(false, "from {:?} to {:?}", before, after),
            }
            prop_assert_eq!(breaker.pace() == Pace::Flow, breaker.state() == State::Closed);
            if step.probed && breaker.pace() == Pace::Probe {
                breaker.probed();
                probed = true;
                prop_assert_eq!(breaker.pace(), Pace::Wait);
            }
        }
    }

    #[test]
    fn it_closes_soon_after_all_is_well(steps in steps(), seed: u64) {
        let mut breaker = Breaker::new(LIMITS, seed);
        let (mut now, mut last) = (ms(0), WELL);
        for step in steps {
            now += ms(step.time);
            breaker.observe(now, &step.vitals);
            if step.probed {
                breaker.probed();
            }
            last = step.vitals;
        }
        let well = Vitals { oldest: None, down: None, waiting: 0, ..last };
        // At most a back-off, a probe that its last failures condemn, and another back-off.
        let end = now + ms(2 * 8000 + 300);
        while now < end && breaker.pace() != Pace::Flow {
            now += ms(100);
            breaker.observe(now, &well);
            breaker.probed();
        }
        breaker.observe(now, &well);
        prop_assert_eq!(breaker.pace(), Pace::Flow);
    }
}
