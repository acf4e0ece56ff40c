//! What a look at all workers of a resource shows.

use super::report::{OfPartition, Report, State, Worker};
use crate::scaling::{Cause, Load, Sight};
use crds::status::PartitionCounts;
use std::collections::{BTreeMap, BTreeSet};

/// What the workers of a resource told, as far as it is said in the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The partitions; nothing when not all ready workers answered.
    pub partitions: Option<PartitionCounts>,
    /// Partitions that are owned and do not move.
    pub waiting: i32,
    /// Partitions that the workers of each revision own.
    pub active: BTreeMap<String, i32>,
}

impl Look {
    /// What these workers told.
    pub fn at(workers: &[Worker]) -> Look {
        let reports: Vec<&Report> = workers.iter().filter_map(|w| w.report.as_ref()).collect();
        let total = total(&reports);
        let all = !workers.is_empty() && reports.len() == workers.len() && total > 0;
        let owned = numbers(owned(&reports), total).len() as i32;
        let waits = |p: &&OfPartition| p.state == State::Waiting;
        let waiting = numbers(self::owned(&reports).filter(waits), total).len() as i32;
        let mut active: BTreeMap<String, i32> = BTreeMap::new();
        for worker in workers {
            let owns = worker.report.as_ref().map_or(0, |report| report.partitions.len());
            *active.entry(worker.revision.clone()).or_default() += owns as i32;
        }
        Look { partitions: all.then_some(PartitionCounts { total, owned }), waiting, active }
    }

    /// Whether more partitions are owned and move than another look shows.
    pub fn is_better_than(&self, other: &Look) -> bool {
        let moving = |look: &Look| look.partitions.map(|p| p.owned - look.waiting - p.total);
        moving(self) > moving(other)
    }
}

/// What can be seen of the load that these workers carry, when there are to be `replicas` of one
/// `revision`, or why it cannot be.
pub fn sight(workers: &[Worker], revision: &str, replicas: i32) -> Sight {
    let blind = Sight::Blind;
    let current: Vec<&Worker> = workers.iter().filter(|w| w.revision == revision).collect();
    if current.len() != workers.len() {
        return blind(Cause::Pods, "pods of another revision have not gone yet".into());
    }
    let ready = current.len() as i32;
    if ready != replicas {
        return blind(Cause::Pods, format!("{ready} of {replicas} pods are ready"));
    }
    let reports: Vec<&Report> = current.iter().filter_map(|w| w.report.as_ref()).collect();
    if reports.len() != current.len() || reports.is_empty() {
        let answer = reports.len();
        return blind(Cause::Silent, format!("{answer} of {replicas} workers answer at /status"));
    }
    let total = total(&reports);
    let of_all = || owned(&reports);
    let (numbers, holds) = (numbers(of_all(), total), of_all().count());
    if total == 0 || numbers.len() as i32 != total || holds != numbers.len() {
        let settled = numbers.len();
        let why = format!("{settled} of {total} partitions are owned, {holds} are held");
        return blind(Cause::Moving, why);
    }
    let in_state = |state: State| of_all().filter(|p| p.state == state).count();
    for (state, cause, what) in [
        (State::Replaying, Cause::Replaying, "have their windows rebuilt"),
        (State::Waiting, Cause::Waiting, "wait for a schema, or for results to be delivered"),
    ] {
        if in_state(state) > 0 {
            return blind(cause, format!("{} of {total} partitions {what}", in_state(state)));
        }
    }
    let lags: Option<Vec<f64>> = of_all().map(|p| p.lag_seconds).collect();
    let Some(lags) = lags.filter(|lags| lags.iter().all(|lag| lag.is_finite())) else {
        return blind(Cause::Lag, "the brokers do not tell where partitions end".into());
    };
    Sight::Load(Load {
        partitions: total,
        busy_percent: reports.iter().map(|r| r.busy_percent.clamp(0.0, 100.0)).sum(),
        lag_seconds: lags.into_iter().fold(0.0, f64::max),
        end_offsets: of_all().map(|p| p.end_offset).fold(0, i64::saturating_add),
        next_offsets: of_all().map(|p| p.next_offset).fold(0, i64::saturating_add),
    })
}

/// Partitions may have been added since some of them looked.
fn total(reports: &[&Report]) -> i32 {
    reports.iter().map(|report| report.partitions_total).max().unwrap_or_default().max(0)
}

fn owned<'a>(reports: &'a [&Report]) -> impl Iterator<Item = &'a OfPartition> {
    reports.iter().flat_map(|report| &report.partitions)
}

fn numbers<'a>(partitions: impl Iterator<Item = &'a OfPartition>, total: i32) -> BTreeSet<i32> {
    partitions.map(|p| p.partition).filter(|number| (0..total).contains(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(revision: &str, owns: &[(i32, State)]) -> Worker {
        let partitions = owns.iter().map(|&(partition, state)| OfPartition {
            partition,
            state,
            next_offset: 5,
            end_offset: 7,
            lag_seconds: Some(0.5),
        });
        let partitions = partitions.collect();
        let report = Report { partitions_total: 3, busy_percent: 40.0, partitions };
        Worker { revision: revision.into(), report: Some(report) }
    }

    const RUNS: State = State::Running;

    fn is_blind(workers: &[Worker], replicas: i32) -> bool {
        matches!(sight(workers, "a", replicas), Sight::Blind(..))
    }

    #[test]
    fn a_load_is_seen_when_everything_is() {
        let two = [worker("a", &[(0, RUNS), (2, RUNS)]), worker("a", &[(1, RUNS)])];
        let load = Load {
            partitions: 3,
            busy_percent: 80.0,
            lag_seconds: 0.5,
            end_offsets: 21,
            next_offsets: 15,
        };
        assert_eq!(sight(&two, "a", 2), Sight::Load(load));
        let look = Look::at(&two);
        assert_eq!(look.partitions, Some(PartitionCounts { total: 3, owned: 3 }));
        assert_eq!(look.active["a"], 3);
    }

    #[test]
    fn what_is_missing_makes_blind() {
        let [first, second] = [worker("a", &[(0, RUNS), (2, RUNS)]), worker("a", &[(1, RUNS)])];
        let silent = Worker { report: None, ..second.clone() };
        assert!(is_blind(&[first.clone(), silent.clone()], 2), "one does not answer");
        assert_eq!(Look::at(&[first.clone(), silent]).partitions, None);
        assert!(is_blind(&[first.clone(), second.clone()], 3), "one is not ready");
        assert!(is_blind(&[], 0) && is_blind(&[], 1));
        assert!(is_blind(&[first.clone(), worker("b", &[(1, RUNS)])], 2), "of another revision");
        assert!(is_blind(&[first.clone(), worker("a", &[])], 2), "one is not owned");
        assert!(is_blind(&[first.clone(), worker("a", &[(1, RUNS), (2, RUNS)])], 2), "owned twice");
        for state in [State::Replaying, State::Waiting] {
            assert!(is_blind(&[first.clone(), worker("a", &[(1, state)])], 2), "{state:?}");
        }
        let mut unseen = second;
        unseen.report.as_mut().unwrap().partitions[0].lag_seconds = None;
        assert!(is_blind(&[first, unseen], 2), "the lag cannot be seen");
    }

    #[test]
    fn better_is_what_moves_more() {
        let all = Look::at(&[worker("a", &[(0, RUNS), (1, RUNS), (2, RUNS)])]);
        let fewer = Look::at(&[worker("a", &[(0, RUNS), (1, RUNS)])]);
        let waits = Look::at(&[worker("a", &[(0, RUNS), (1, RUNS), (2, State::Waiting)])]);
        assert!(all.is_better_than(&fewer) && all.is_better_than(&waits));
        assert!(!fewer.is_better_than(&all) && !all.is_better_than(&all));
    }

    /// As `docs/operations.md` shows it; `worker/src/status.rs` holds that it is so.
    #[test]
    fn what_workers_tell_is_understood() {
        let told = r#"{"group": "g", "topic": "ecg", "revision": null, "threads": 2,
            "partitions_total": 12, "busy_percent": 12.3, "partitions": [{"partition": 0,
            "state": "Running", "next_offset": 123, "end_offset": 130, "lag_records": 7,
            "lag_seconds": null, "series": 3, "points_per_second": 360.0}]}"#;
        let report: Report = serde_json::from_str(told).unwrap();
        assert_eq!((report.partitions_total, report.busy_percent), (12, 12.3));
        let of = &report.partitions[0];
        assert_eq!((of.partition, of.state, of.lag_seconds), (0, RUNS, None));
        assert_eq!((of.next_offset, of.end_offset), (123, 130));
    }
}
