//! How many pods there should be. What is decided is a function of what was seen: no I/O, no clock.
//!
//! - **Busy time** says how many are enough: the least number with which the pod that has the most
//!   partitions would compute for no more than the target of its time, if all partitions cost the same.
//!   It is first made what it would be if as much were computed as comes in: who catches up is
//!   busier than that, and who falls behind should be.
//! - **Lag** beyond its target asks for half as many more, and for so many that the pod with the most
//!   partitions has fewer of them, unless it will be gone soon by itself, nothing is computed, or it has
//!   asked before and that has changed nothing. Where records are behind, there are never fewer.
//! - There are more at once, at most twice as many; fewer when fewer would have been enough for the
//!   whole of the stabilisation, also for a twentieth more load, and at most half as many less.
//! - Where not all is seen, nothing changes, and the stabilisation begins anew.

mod sight;

pub use sight::{Cause, Load, Sight};

use crds::spec::Autoscaling;
use std::collections::VecDeque;
use std::time::Duration;

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
    /// Whether it is known how many pods would be enough.
    pub measured: bool,
    /// Why, in words and numbers.
    pub message: String,
}

impl Decision {
    /// Whether another one says the same, but for its figures.
    pub fn is_like(&self, other: &Decision) -> bool {
        let said = |of: &Decision| (of.replicas, of.blind, of.measured);
        said(self) == said(other)
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
    /// How many more records came than were computed, each second, when there were last to be more pods
    /// because of the lag; nothing when nothing has been behind since.
    short: Option<f64>,
}

/// How many pods would be enough.
struct Need {
    pods: i32,
    /// How many more records come than are computed, each second, if it is the lag that asks for so many.
    short: Option<f64>,
}

/// For how long loads are kept, and how long ago one is that another is compared with: what workers call
/// busy is about this time.
const KEPT: Duration = Duration::from_secs(60);
const MEASURED: Duration = Duration::from_secs(15);
/// What is behind by less, in seconds, is what workers happen to have in hand: they look once a second.
const IN_HAND: f64 = 5.0;
/// How much more load fewer pods must carry, so that noise moves nothing.
const MARGIN: f64 = 0.05;
/// By which share less must be missing after the lag has asked for pods, so that it may ask again.
const HELP: f64 = 0.1;
/// For how long nothing may have been seen until what was seen before counts no more.
const GAP: Duration = Duration::from_secs(60);

impl Scaler {
    /// What is to be, when there are to be so many pods now, and this is seen.
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
        Decision {
            replicas: held,
            lag_seconds: None,
            busy_percent: None,
            blind: Some(cause),
            measured: false,
            message,
        }
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
        let most = most(wanted, load);
        let need = self.need(wanted, replicas, load, now);
        let enough = need.as_ref().map_or(replicas, |need| need.pods);
        let enough = enough.clamp(wanted.min_replicas, most);
        self.remember(wanted, load, enough, now);
        // Twice, since what is measured at a moment of change is half of one and half of the other.
        let more = self.last.replace(enough).map_or(replicas, |last| last.min(enough));
        let chosen = match more > replicas {
            true => more.min(replicas.saturating_mul(2)),
            false => self.fewer(wanted, replicas, now),
        };
        let chosen = chosen.clamp(wanted.min_replicas, most);
        self.short = match &need {
            Some(Need { short: Some(short), .. }) if chosen > replicas => Some(*short),
            Some(_) if load.lag_seconds < in_hand(wanted) => None,
            _ => self.short,
        };
        let known = match need {
            Some(_) => format!("{enough} would be enough"),
            None => "how many would be enough is not known yet".into(),
        };
        let busy = load.busy_percent / f64::from(replicas.max(1));
        let message = format!(
            "{known}: {replicas} pods compute for {busy:.0} % of their time (target \
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
            measured: need.is_some(),
            message,
        }
    }

    /// How many pods would be enough for this load; nothing while they settle down, or when what comes
    /// cannot be compared with what is computed.
    fn need(
        &self,
        wanted: &Autoscaling,
        replicas: i32,
        load: &Load,
        now: Duration,
    ) -> Option<Need> {
        let long_ago = |at: &Duration| now.saturating_sub(*at) >= MEASURED;
        let (at, before) = self.loads.iter().rev().find(|(at, _)| long_ago(at))?;
        let demand = load.demand(before)?;
        let by_busy = |demand| by_busy(load.partitions, demand, wanted.target_busy_percent);
        // Fewer must be enough for a little more than there is.
        let by_busy = by_busy(demand).max(by_busy(demand * (1.0 + MARGIN)).min(replicas));
        if load.lag_seconds < in_hand(wanted) {
            return Some(Need { pods: by_busy, short: None });
        }
        let held = by_busy.max(replicas);
        let (time, target) = (now - *at, f64::from(wanted.target_lag_seconds));
        let short = load.shortfall(before, time);
        let helpless = load.stands(before, replicas) || self.has_not_helped(short);
        if load.lag_seconds <= target || load.catches_up(before, time, target) || helpless {
            return Some(Need { pods: held, short: None });
        }
        let more = with_fewer_each(load.partitions, replicas, most(wanted, load));
        Some(Need { pods: held.max(more), short: (more > held).then_some(short) })
    }

    /// Whether as much is missing now as when there were last to be more pods because of the lag: a
    /// partition that is too much for one pod, or whose records cannot be computed, stays so.
    fn has_not_helped(&self, short: f64) -> bool {
        self.short.is_some_and(|before| before - short <= HELP * before.abs())
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

/// The most pods that there may be and that are of use.
fn most(wanted: &Autoscaling, load: &Load) -> i32 {
    wanted.max_replicas.min(load.partitions).max(wanted.min_replicas)
}

/// What workers may have in hand, in seconds of lag, without being behind.
fn in_hand(wanted: &Autoscaling) -> f64 {
    IN_HAND.min(f64::from(wanted.target_lag_seconds))
}

/// Half as many pods more, and so many that the one with the most partitions has fewer, if so many are
/// possible: no more than share partitions in that way.
fn with_fewer_each(partitions: i32, replicas: i32, most: i32) -> i32 {
    let of_fullest = |pods: i32| (partitions + pods.max(1) - 1) / pods.max(1);
    let half_more = replicas.saturating_add((replicas / 2).max(1));
    let each = of_fullest(half_more).min(of_fullest(replicas) - 1).max(of_fullest(most)).max(1);
    (partitions + each - 1) / each
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
