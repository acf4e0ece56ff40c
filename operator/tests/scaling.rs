//! Autoscaling of a fleet that is simulated, against what any number of pods would do.
#![allow(clippy::unwrap_used)]

use crds::spec::Autoscaling;
use operator::scaling::{Cause, Decision, Load, Scaler, Sight};
use std::time::Duration;

/// Seconds between looks.
const ROUND: u64 = 10;

fn wanted(least: i32, most: i32) -> Autoscaling {
    Autoscaling {
        min_replicas: least,
        max_replicas: most,
        target_lag_seconds: 30,
        target_busy_percent: 70,
        scale_down_stabilization_seconds: 300,
    }
}

/// SplitMix64.
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 32) as f64 / (1u64 << 32) as f64
    }
}

/// Workers that share partitions evenly; a worker computes one second of records in a second. Records
/// are measured by the time that they cost.
struct Fleet {
    replicas: i32,
    /// Records that wait, for each partition, and since when the oldest is known to.
    waiting: Vec<f64>,
    behind: Vec<f64>,
    /// All that has come.
    came: f64,
    /// Until when the fleet is in motion.
    still: u64,
    time: u64,
    /// For how long pods computed, second by second.
    busy: Vec<f64>,
}

impl Fleet {
    fn new(partitions: usize, replicas: i32) -> Fleet {
        Fleet {
            replicas,
            waiting: vec![0.0; partitions],
            behind: vec![0.0; partitions],
            came: 0.0,
            still: 0,
            time: 0,
            busy: Vec::new(),
        }
    }

    /// Lets a round pass in which so much arrives each second, over all partitions.
    fn pass(&mut self, load: f64) {
        let partitions = self.waiting.len();
        let share = load / partitions as f64;
        for _ in 0..ROUND {
            self.time += 1;
            self.waiting.iter_mut().for_each(|waiting| *waiting += share);
            self.came += load;
            let mut busy = 0.0;
            for pod in 0..self.replicas as usize {
                let mine = || (pod..partitions).step_by(self.replicas as usize);
                let all: f64 = mine().map(|p| self.waiting[p]).sum();
                // Nothing is computed while pods start.
                let done = if self.time < self.still { 0.0 } else { all.min(1.0) };
                mine().for_each(|p| self.waiting[p] *= 1.0 - done / all.max(1e-12));
                busy += done;
            }
            self.busy.push(busy);
            for (waiting, behind) in self.waiting.iter().zip(&mut self.behind) {
                let age = if share > 0.0 { waiting / share } else { *waiting };
                // A worker knows of no record how long it was there before its own time.
                *behind = age.min(*behind + 1.0);
            }
        }
    }

    fn sight(&self, choices: &mut Choices, noise: f64) -> Sight {
        if self.time < self.still {
            return Sight::Blind(Cause::Pods, "pods start".into());
        }
        let mut about = |value: f64| value * (1.0 + noise * (2.0 * choices.share() - 1.0));
        let recent = self.busy.iter().rev().take(15);
        let busy = recent.clone().sum::<f64>() / recent.len() as f64 * 100.0;
        let waiting: f64 = self.waiting.iter().sum();
        Sight::Load(Load {
            partitions: self.waiting.len() as i32,
            busy_percent: about(busy).min(100.0 * f64::from(self.replicas)),
            lag_seconds: self.behind.iter().copied().fold(0.0, f64::max),
            end_offsets: (self.came * 1000.0) as i64,
            next_offsets: ((self.came - waiting) * 1000.0) as i64,
        })
    }

    fn scale(&mut self, replicas: i32) {
        if replicas != self.replicas {
            self.replicas = replicas;
            self.still = self.time + 15;
            // Those that take partitions up begin to count.
            self.behind.iter_mut().for_each(|behind| *behind = 0.0);
        }
    }
}

/// The least number of pods of which none computes for more than the target of its time.
fn least(partitions: usize, load: f64, wanted: &Autoscaling) -> i32 {
    let target = f64::from(wanted.target_busy_percent) / 100.0;
    let enough = |pods: &i32| {
        let most = partitions.div_ceil(*pods as usize) as f64;
        most * load / partitions as f64 <= target + 1e-9
    };
    let most = wanted.max_replicas.min(partitions as i32).max(wanted.min_replicas);
    (wanted.min_replicas..=most).find(enough).unwrap_or(most)
}

struct Run {
    choices: Choices,
    wanted: Autoscaling,
    fleet: Fleet,
    scaler: Scaler,
    changes: Vec<(u64, i32)>,
}

impl Run {
    fn new(seed: u64, partitions: usize, replicas: i32, wanted: Autoscaling) -> Run {
        let fleet = Fleet::new(partitions, replicas);
        let scaler = Scaler::default();
        Run { choices: Choices(seed), wanted, fleet, scaler, changes: Vec::new() }
    }

    fn pass(&mut self, load: f64, noise: f64) -> Decision {
        self.fleet.pass(load);
        let sight = self.fleet.sight(&mut self.choices, noise);
        let now = Duration::from_secs(self.fleet.time);
        let decision = self.scaler.decide(&self.wanted, self.fleet.replicas, &sight, now);
        if decision.replicas != self.fleet.replicas {
            self.changes.push((self.fleet.time, decision.replicas));
        }
        self.fleet.scale(decision.replicas);
        decision
    }

    fn pass_for(&mut self, seconds: u64, load: f64, noise: f64) {
        for _ in 0..seconds / ROUND {
            self.pass(load, noise);
        }
    }
}

#[test]
fn a_constant_load_ends_at_the_least_number_that_keeps_the_targets_and_stays_there() {
    for seed in 0..400 {
        let mut choices = Choices(seed);
        let partitions = 1 + choices.below(40) as usize;
        let most = 1 + choices.below(30) as i32;
        let least_pods = 1 + choices.below(3.min(most as u64)) as i32;
        let wanted = wanted(least_pods, most.max(least_pods));
        let replicas = least_pods + choices.below((most - least_pods + 1) as u64) as i32;
        // What cannot be done at all is another matter.
        let most_of_one = partitions.div_ceil(most.min(partitions as i32) as usize);
        let load = 0.7 * partitions as f64 / most_of_one as f64 * choices.share();
        let enough = least(partitions, load, &wanted)..=least(partitions, load * 1.05, &wanted);
        let mut run = Run::new(seed, partitions, replicas, wanted);
        run.pass_for(3600, load, 0.0);
        let found = run.fleet.replicas;
        let story = format!("seed {seed}, load {load} on {partitions}: {:?}", run.changes);
        assert!(enough.contains(&found), "{enough:?} would be enough, {story}");
        let changes = run.changes.len();
        run.pass_for(3600, load, 0.0);
        assert_eq!(run.changes.len(), changes, "it does not stay there, {story}");
        assert!(run.fleet.behind.iter().all(|behind| *behind <= 30.0), "{story}");
    }
}

#[test]
fn noise_makes_no_more_than_a_change_or_two() {
    for seed in 0..200 {
        let load = 0.5 + 6.0 * Choices(seed).share();
        let mut run = Run::new(seed, 24, 1, wanted(1, 24));
        run.pass_for(3600, load, 0.03);
        let least = least(24, load * 0.97, &run.wanted)..=least(24, load * 1.09, &run.wanted);
        assert!(least.contains(&run.fleet.replicas), "seed {seed}: {:?}", run.changes);
        let changes = run.changes.len();
        run.pass_for(4 * 3600, load, 0.03);
        assert!(run.changes.len() <= changes + 2, "seed {seed}: {:?}", run.changes);
    }
}

#[test]
fn a_curve_is_followed_up_at_once_and_down_after_the_stabilisation() {
    let mut run = Run::new(1, 12, 1, wanted(1, 12));
    let mut plateau = |load: f64, seconds: u64| {
        run.changes.clear();
        let began = run.fleet.time;
        run.pass_for(seconds, load, 0.0);
        assert_eq!(run.fleet.replicas, least(12, load, &run.wanted), "{load}: {:?}", run.changes);
        assert!(run.fleet.behind.iter().all(|behind| *behind <= 5.0));
        let after = run.changes.iter().map(|(time, replicas)| (time - began, *replicas));
        after.collect::<Vec<_>>()
    };
    plateau(0.5, 1800);
    let up = plateau(4.0, 1800);
    assert!(up[0].0 <= 30 && up.last().unwrap().0 < 400, "{up:?}");
    assert!(up.windows(2).all(|pair| pair[1].1 > pair[0].1 && pair[1].1 <= 2 * pair[0].1));
    let down = plateau(1.0, 3600);
    assert!(down[0].0 >= 300, "{down:?}");
    assert!(down.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 300 || pair[1].1 < pair[0].1));
    assert_eq!(plateau(1.0, 3600), []);
    plateau(7.5, 1800);
    plateau(0.0, 7200);
}

/// Pods that are behind after they stood still need no help if they catch up.
#[test]
fn who_catches_up_gets_no_help() {
    let mut run = Run::new(1, 12, 4, wanted(1, 12));
    run.pass_for(1200, 2.0, 0.0);
    let replicas = run.fleet.replicas;
    assert_eq!(replicas, 3);
    run.changes.clear();
    run.fleet.waiting.iter_mut().for_each(|waiting| *waiting += 60.0 / 12.0);
    run.pass_for(600, 2.0, 0.0);
    assert_eq!(run.changes, []);
}

/// Threads that wait for something else are not busy, and the lag says it.
#[test]
fn lag_alone_asks_for_more() {
    let (wanted, mut scaler) = (wanted(1, 12), Scaler::default());
    let mut replicas = 2;
    for round in 0..6 {
        let load = Load {
            partitions: 12,
            busy_percent: 20.0,
            lag_seconds: 10.0 + 10.0 * round as f64,
            end_offsets: 200 * round,
            next_offsets: 150 * round,
        };
        let now = Duration::from_secs(ROUND * round as u64);
        let decision = scaler.decide(&wanted, replicas, &Sight::Load(load), now);
        assert_eq!(decision.replicas, if round < 4 { 2 } else { 3 }, "{}", decision.message);
        if decision.replicas > replicas {
            return;
        }
        replicas = decision.replicas;
    }
    panic!("nothing was done about the lag");
}

/// What is decided about so many pods when each round `behind` records more are behind of `came`, and
/// their lag grows.
fn under_lag(partitions: i32, pods: i32, most: i32, rounds: i64, came: i64, behind: i64) -> i32 {
    let (wanted, mut scaler, mut replicas) = (wanted(1, most), Scaler::default(), pods);
    for round in 0..rounds {
        let load = Load {
            partitions,
            busy_percent: if came > behind { 5.0 * f64::from(replicas) } else { 0.0 },
            lag_seconds: 10.0 * (round + 1) as f64,
            end_offsets: came * round + 1,
            next_offsets: (came - behind) * round,
        };
        let now = Duration::from_secs(ROUND * round as u64);
        replicas = scaler.decide(&wanted, replicas, &Sight::Load(load), now).replicas;
    }
    replicas
}

/// The end of an input that is written by transactions is behind the mark of the last one.
#[test]
fn where_nothing_is_computed_nobody_asks_for_more() {
    assert_eq!(under_lag(12, 2, 12, 200, 0, 0), 2);
    assert_eq!(under_lag(12, 2, 12, 200, 40, 40), 2);
}

#[test]
fn the_lag_asks_for_as_many_as_make_a_difference() {
    let after_one = |pods, most| under_lag(12, pods, most, 5, 100, 30);
    assert_eq!(after_one(6, 12), 12, "with 9 the fullest would have 2 as before");
    assert_eq!(after_one(5, 12), 6, "7 would share them no better");
    assert_eq!(after_one(4, 12), 6);
    assert_eq!(after_one(6, 9), 6, "no number that is possible would do");
    assert_eq!(after_one(12, 12), 12);
}

/// A partition that is too much for one pod is so however many there are.
#[test]
fn lag_that_more_pods_do_not_lower_asks_once() {
    assert_eq!(under_lag(24, 2, 24, 400, 100, 30), 3);
}

#[test]
fn what_is_not_known_yet_is_not_said() {
    let (wanted, mut scaler) = (wanted(1, 12), Scaler::default());
    let mut decide = |now| {
        let load = Load {
            partitions: 12,
            busy_percent: 40.0,
            lag_seconds: 0.0,
            end_offsets: now as i64,
            next_offsets: now as i64,
        };
        scaler.decide(&wanted, 8, &Sight::Load(load), Duration::from_secs(now))
    };
    let (first, second, third) = (decide(0), decide(10), decide(20));
    assert!(first.message.contains("not known yet"), "{}", first.message);
    assert!(first.is_like(&second) && !first.is_like(&third));
    assert!(third.message.starts_with("1 would be enough"), "{}", third.message);
}

#[test]
fn whatever_is_seen_the_bounds_are_kept() {
    for seed in 0..2000 {
        let mut choices = Choices(seed);
        let least = 1 + choices.below(5) as i32;
        let mut wanted = wanted(least, least + choices.below(20) as i32);
        wanted.scale_down_stabilization_seconds = choices.below(4) as i32 * 100;
        let window = wanted.scale_down_stabilization_seconds;
        let (mut scaler, mut replicas, mut now) = (Scaler::default(), choices.below(30) as i32, 0);
        let mut blind_at: Option<u64> = None;
        for _ in 0..60 {
            now += 1 + choices.below(20);
            let partitions = choices.below(30) as i32 + 1;
            let sight = match choices.below(4) {
                0 => Sight::Blind(Cause::Silent, "no".into()),
                _ => Sight::Load(Load {
                    partitions,
                    busy_percent: 100.0 * f64::from(replicas) * choices.share(),
                    lag_seconds: 100.0 * choices.share().powi(4),
                    end_offsets: now as i64 * 100 + choices.below(1000) as i64,
                    next_offsets: now as i64 * 90 + choices.below(1000) as i64,
                }),
            };
            let decision = scaler.decide(&wanted, replicas, &sight, Duration::from_secs(now));
            let chosen = decision.replicas;
            assert!((least..=wanted.max_replicas).contains(&chosen), "seed {seed}");
            let within = replicas.clamp(least, wanted.max_replicas);
            match sight {
                Sight::Blind(..) => {
                    assert_eq!(chosen, within, "seed {seed}: it moved without seeing");
                    blind_at = Some(now);
                }
                Sight::Load(_) => {
                    assert!(chosen <= partitions.max(least), "seed {seed}");
                    assert!(chosen <= (2 * replicas).max(least), "seed {seed}");
                    let fell = chosen < within.min(partitions.max(least));
                    let seen = blind_at.is_none_or(|at| now - at >= window as u64);
                    assert!(!fell || seen, "seed {seed}: down {window} s after it saw nothing");
                    assert!(chosen >= (replicas - replicas / 2).min(within).min(partitions));
                }
            }
            replicas = chosen;
        }
    }
}

#[test]
fn after_a_gap_what_was_seen_before_counts_no_more() {
    let (wanted, mut scaler) = (wanted(1, 12), Scaler::default());
    let idle = Load {
        partitions: 12,
        busy_percent: 10.0,
        lag_seconds: 0.0,
        end_offsets: 0,
        next_offsets: 0,
    };
    let mut decide =
        |now: u64| scaler.decide(&wanted, 4, &Sight::Load(idle), Duration::from_secs(now)).replicas;
    assert!((0..290).step_by(10).all(|now| decide(now) == 4));
    assert_eq!(decide(1000), 4);
    // The first two looks only begin to measure.
    assert!((1010..1320).step_by(10).all(|now| decide(now) == 4));
    assert_eq!(decide(1320), 2);
}
