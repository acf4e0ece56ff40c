//! How many pods there should be. What is decided is a function of what was seen: no I/O, no clock.
//!
//! - **Busy time** says how many are enough: the least number with which the pod that has the most
//!   partitions would compute for no more than the target of its time, if all partitions cost the same.
//!   It is first made what it would be if as much were computed as comes in: who catches up is
//!   busier than that, and who falls behind should be.
//! - **Lag** beyond its target asks for half as many more, unless it will be gone soon by itself. Where
//!   records are behind, there are never fewer.
//! - There are more at once, at most twice as many; fewer when fewer would have been enough for the
//!   whole of the stabilisation, also for a twentieth more load, and at most half as many less.
//! - Where not all is seen, nothing changes, and the stabilisation begins anew.

use crds::spec::Autoscaling;
use std::collections::VecDeque;
use std::time::Duration;

/// What can be seen of the load.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// Not enough.
    Blind(Cause, String),
    /// All of it.
    Load(Load),
}

/// Why the load cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Pods come or go.
    Pods,
    /// Workers do not answer.
    Silent,
    /// Partitions are on their way from one worker to another.
    Moving,
    /// Windows are rebuilt.
    Replaying,
    /// Records wait for something that more pods would not bring.
    Waiting,
    /// The brokers do not tell how far it is to the end.
    Lag,
}

/// What workers carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Partitions of the input.
    pub partitions: i32,
    /// The shares of their time for which workers have computed, added up, in percent.
    pub busy_percent: f64,
    /// How far the partition that is furthest behind is behind, in seconds.
    pub lag_seconds: f64,
    /// The offsets after the last record of each partition, added up.
    pub end_offsets: i64,
    /// The offsets of the next record to be computed of each, added up.
    pub next_offsets: i64,
}

/// What is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// How many pods.
    pub replicas: i32,
    /// The greatest lag, in seconds; nothing when not all was seen.
    pub lag_seconds: Option<f64>,
    /// The mean busy time, in percent; nothing when not all was seen.
    pub busy_percent: Option<f64>,
    /// Why not all was seen; nothing when it was.
    pub blind: Option<Cause>,
    /// Why, in words and numbers.
    pub message: String,
}

impl Decision {
    /// Whether another one says the same, but for its figures.
    pub fn is_like(&self, other: &Decision) -> bool {
        (self.replicas, self.blind) == (other.replicas, other.blind)
    }
}

/// What was seen before. Times are since a beginning that does not matter.
#[derive(Clone, Debug, Default)]
pub struct Scaler {
    /// Loads of late, with as many pods as now.
    loads: VecDeque<(Duration, Load)>,
    /// With how many pods that was.
    replicas: i32,
    /// How many would have been enough at the last of them.
    last: Option<i32>,
    /// How many would have been enough, from before the stabilisation began.
    enough: VecDeque<(Duration, i32)>,
}

/// For how long loads are kept, and how long ago one is that another is compared with: what workers call
/// busy is about this time.
const KEPT: Duration = Duration::from_secs(60);
const MEASURED: Duration = Duration::from_secs(15);
/// What comes in is taken for no more times what is computed: first, there are twice as many pods.
const MOST_AHEAD: f64 = 4.0;
/// What is behind by less, in seconds, is what workers happen to have in hand: they look once a second.
const IN_HAND: f64 = 5.0;
/// How long it may take to catch up, in seconds, if the target is not longer.
const CATCH_UP: f64 = 120.0;
/// How much more load fewer pods must carry, so that noise moves nothing.
const MARGIN: f64 = 0.05;
/// For how long nothing may have been seen until what was seen before counts no more.
const GAP: Duration = Duration::from_secs(60);

impl Scaler {
    /// What is to be, when there are so many pods now, and this is seen.
    pub fn decide(
        &mut self,
        wanted: &Autoscaling,
        replicas: i32,
        sight: &Sight,
        now: Duration,
    ) -> Decision {
        let last = self.enough.back().map(|(at, _)| *at);
        if last.is_some_and(|last| now.saturating_sub(last) > GAP) {
            *self = Scaler::default();
        }
        match sight {
            Sight::Blind(cause, why) => self.hold(wanted, replicas, (*cause, why), now),
            Sight::Load(load) => self.weigh(wanted, replicas, load, now),
        }
    }

    fn hold(
        &mut self,
        wanted: &Autoscaling,
        replicas: i32,
        (cause, why): (Cause, &str),
        now: Duration,
    ) -> Decision {
        self.loads.clear();
        self.last = None;
        self.enough.clear();
        self.enough.push_back((now, replicas));
        let held = replicas.clamp(wanted.min_replicas, wanted.max_replicas);
        let message = format!("held at {held}, since the load cannot be seen: {why}");
        let blind = Some(cause);
        Decision { replicas: held, lag_seconds: None, busy_percent: None, blind, message }
    }

    fn weigh(
        &mut self,
        wanted: &Autoscaling,
        replicas: i32,
        load: &Load,
        now: Duration,
    ) -> Decision {
        if self.replicas != replicas {
            self.loads.clear();
            self.last = None;
            self.replicas = replicas;
        }
        let most = wanted.max_replicas.min(load.partitions).max(wanted.min_replicas);
        let enough = self.enough(wanted, replicas, load, now).clamp(wanted.min_replicas, most);
        self.remember(wanted, load, enough, now);
        // Twice, since what is measured at a moment of change is half of one and half of the other.
        let more = self.last.replace(enough).map_or(replicas, |last| last.min(enough));
        let chosen = match more > replicas {
            true => more.min(replicas.saturating_mul(2)),
            false => self.fewer(wanted, replicas, now),
        };
        let chosen = chosen.clamp(wanted.min_replicas, most);
        let busy = load.busy_percent / f64::from(replicas.max(1));
        let message = format!(
            "{enough} would be enough: {replicas} pods compute for {busy:.0} % of their time (target \
             {} %), and are up to {:.0} s behind (target {} s) on {} partitions",
            wanted.target_busy_percent,
            load.lag_seconds,
            wanted.target_lag_seconds,
            load.partitions
        );
        Decision {
            replicas: chosen,
            lag_seconds: Some(load.lag_seconds.round()),
            busy_percent: Some(busy.round()),
            blind: None,
            message,
        }
    }

    /// How many pods would be enough for this load.
    fn enough(&self, wanted: &Autoscaling, replicas: i32, load: &Load, now: Duration) -> i32 {
        let long_ago = |at: &Duration| now.saturating_sub(*at) >= MEASURED;
        let before = self.loads.iter().rev().find(|(at, _)| long_ago(at));
        // While they settle down, nobody knows.
        let Some((at, before)) = before else { return replicas };
        let Some(demand) = load.demand(before) else { return replicas };
        let by_busy = |demand| by_busy(load.partitions, demand, wanted.target_busy_percent);
        // Fewer must be enough for a little more than there is.
        let by_busy = by_busy(demand).max(by_busy(demand * (1.0 + MARGIN)).min(replicas));
        let target = f64::from(wanted.target_lag_seconds);
        if load.lag_seconds < IN_HAND.min(target) {
            return by_busy;
        }
        if load.lag_seconds <= target || load.catches_up(before, now - *at, target) {
            return by_busy.max(replicas);
        }
        by_busy.max(replicas.saturating_add((replicas / 2).max(1)))
    }

    fn remember(&mut self, wanted: &Autoscaling, load: &Load, enough: i32, now: Duration) {
        self.loads.push_back((now, *load));
        while self.loads.front().is_some_and(|(at, _)| now.saturating_sub(*at) > KEPT) {
            self.loads.pop_front();
        }
        self.enough.push_back((now, enough));
        // The first one shows that the whole of the stabilisation was seen.
        let window = stabilisation(wanted);
        while self.enough.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= window) {
            self.enough.pop_front();
        }
    }

    /// As many as were enough at every moment of the stabilisation, if that is fewer than now.
    fn fewer(&self, wanted: &Autoscaling, replicas: i32, now: Duration) -> i32 {
        let since = self.enough.front().map_or(now, |(at, _)| *at);
        if now.saturating_sub(since) < stabilisation(wanted) {
            return replicas;
        }
        let most = self.enough.iter().map(|(_, enough)| *enough).max().unwrap_or(replicas);
        most.max(replicas - replicas / 2).min(replicas)
    }
}

fn stabilisation(wanted: &Autoscaling) -> Duration {
    Duration::from_secs(wanted.scale_down_stabilization_seconds.unsigned_abs().into())
}

/// The least number with which no pod has so many partitions that it computes for more of its time, when
/// all that comes in takes so many percent of the time of one.
fn by_busy(partitions: i32, demand: f64, target: i32) -> i32 {
    let all = f64::from(partitions);
    if demand <= 0.0 {
        return 1;
    }
    let of_one = (f64::from(target) * all / demand + 1e-9).floor();
    if of_one < 1.0 {
        return partitions;
    }
    (all / of_one).ceil() as i32
}

impl Load {
    fn lag_records(&self) -> i64 {
        self.end_offsets.saturating_sub(self.next_offsets)
    }

    /// The busy time that would be if as much were computed as comes in, in percent; nothing when that
    /// cannot be told from what was before.
    fn demand(&self, before: &Load) -> Option<f64> {
        let came = self.end_offsets.checked_sub(before.end_offsets)?;
        let computed = self.next_offsets.checked_sub(before.next_offsets)?;
        match (came, computed) {
            (0, 0) => Some(self.busy_percent),
            (came, computed) if came >= 0 && computed > 0 => {
                Some(self.busy_percent * (came as f64 / computed as f64).min(MOST_AHEAD))
            }
            _ => None,
        }
    }

    /// Whether the records that are behind become fewer, so fast that none will be soon.
    fn catches_up(&self, before: &Load, time: Duration, target: f64) -> bool {
        let fewer = before.lag_records().saturating_sub(self.lag_records()) as f64;
        fewer > 0.0
            && self.lag_records() as f64 / fewer * time.as_secs_f64() <= CATCH_UP.max(target)
    }
}
