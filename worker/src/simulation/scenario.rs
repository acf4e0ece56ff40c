//! What a run begins with: records, settings, and the outputs of an undisturbed run.

use super::broker::{Isolation, Record};
use super::tape::Tape;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::partition::tests::CONFIG;
use crate::partition::{Known, Partition};
use crate::series::Blueprint;
use mesh::topics::Policy;
use mesh::{Guarantee, Outgoing};
use rayon::ThreadPool;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock};

/// The input topic of every scenario.
pub(super) const INPUT: &str = "in";
/// The consumer group of every scenario.
pub(super) const GROUP: &str = "watchers";

/// A value that is no point.
const BROKEN: &[u8] = b"broken";

/// Every point puts something out, and a detector remembers all of it.
const EAGER: &str = "
kafka: {brokers: 'none:9092', input: in}
series: {max: 9}
scales:
  - {name: each, window: 8, hop: 1, max_radius: 2, detection:
       {distance_bars: 4, warm_up: {emissions: 2}, memory: {emissions: 6}, threshold: 1}}
";

/// Windows alone: there is no state but the points.
const PLAIN: &str = "
kafka: {brokers: 'none:9092', input: in}
series: {max: 12}
scales:
  - {name: near, window: 8, hop: 2, max_radius: 1}
  - {name: far, window: 20, hop: 5, max_radius: 2}
";

/// For each of the settings: the samples that are in a window or that the next one begins with.
const REACH: [Option<usize>; 3] = [Some(8), None, Some(20)];

static BLUEPRINTS: LazyLock<[Arc<Blueprint>; 3]> = LazyLock::new(|| {
    let rich = CONFIG.replacen("max: 3", "max: 6", 1);
    [EAGER, &rich, PLAIN].map(|yaml| {
        let config = Config::from_yaml(yaml).expect("the settings of the scenarios are right");
        Arc::new(Blueprint::new(config).expect("nothing has to be read for JSON"))
    })
});

/// What a run begins with.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) guarantee: Guarantee,
    pub(super) blueprint: Arc<Blueprint>,
    /// Samples of a series that its windows need at most, where that is easily said.
    pub(super) reach: Option<usize>,
    /// Partitions of the input and of the outputs.
    pub(super) partitions: i32,
    /// Partitions of the checkpoint topic.
    pub(super) checkpoint_partitions: i32,
    /// Workers that should be there.
    pub(super) workers: usize,
    /// Threads of each worker that compute.
    pub(super) threads: usize,
    /// Records that a producer holds before it has no room.
    pub(super) room: usize,
    /// Faults in a thousand steps.
    pub(super) trouble: usize,
    /// What the workers know of how long the input keeps its records.
    pub(super) policy: Policy,
    /// What is produced to each partition: the gap before a record, and the record.
    pub(super) records: Vec<Vec<(i64, Arc<Record>)>>,
}

impl Scenario {
    pub(super) fn drawn(guarantee: Guarantee, tape: &mut Tape) -> Scenario {
        let partitions = 1 + tape.below(3) as i32;
        let settings = tape.below(BLUEPRINTS.len());
        let scenario = Scenario {
            guarantee,
            blueprint: BLUEPRINTS[settings].clone(),
            reach: REACH[settings],
            partitions,
            checkpoint_partitions: match guarantee {
                Guarantee::AtLeastOnce => 1 + tape.below(partitions as usize) as i32,
                // The pipeline insists on as many.
                Guarantee::ExactlyOnce => partitions,
            },
            workers: 1 + tape.below(3),
            threads: 1 + tape.below(2),
            room: [1000, 40, 8][tape.below(3)],
            trouble: [10, 30, 80][tape.below(3)],
            policy: Policy { bounded: tape.below(2) > 0, ..Policy::default() },
            records: Vec::new(),
        };
        let records = (0..partitions).map(|p| records(p, tape)).collect();
        Scenario { records, ..scenario }
    }

    /// Which records readers of the outputs see.
    pub(super) fn isolation(&self) -> Isolation {
        match self.guarantee {
            Guarantee::AtLeastOnce => Isolation::Uncommitted,
            Guarantee::ExactlyOnce => Isolation::Committed,
        }
    }

    /// The outputs of a worker that nothing happens to, by partition.
    pub(super) fn outputs(&self, pool: &ThreadPool, metrics: &Metrics) -> Vec<Vec<Outgoing>> {
        let of = |partition: usize| {
            let mut undisturbed =
                Partition::new(&self.blueprint, partition as i32, self.partitions);
            let nothing = Known { saved: None, committed: None, ends: (0, 0), witness: None };
            undisturbed.resume(&nothing, metrics).expect("there is no checkpoint to be wrong");
            let taken = undisturbed.take(&self.input(partition), pool, metrics);
            let outputs = taken.outputs.into_iter().map(Outgoing::from);
            outputs.chain(taken.dead_letters).collect()
        };
        (0..self.records.len()).map(of).collect()
    }

    /// The offset after the last record of a partition, once all are produced.
    pub(super) fn end(&self, partition: usize) -> i64 {
        self.records[partition].iter().map(|(gap, _)| gap + 1).sum()
    }

    /// The first record that windows need which are to be rebuilt as of `next`.
    pub(super) fn needed(&self, partition: usize, next: i64) -> i64 {
        let Some(reach) = self.reach else { return 0 };
        let mut series: BTreeMap<_, VecDeque<i64>> = BTreeMap::new();
        for record in self.input(partition).into_iter().filter(|r| r.offset < next) {
            if record.value.as_deref() != Some(BROKEN) {
                let newest = series.entry(record.key).or_default();
                newest.push_back(record.offset);
                newest.drain(..newest.len().saturating_sub(reach));
            }
        }
        series.values().filter_map(|newest| newest.front().copied()).min().unwrap_or(next)
    }

    fn input(&self, partition: usize) -> Vec<mesh::Record> {
        let mut next = 0;
        let numbered = self.records[partition].iter().map(|(gap, record)| {
            let offset = next + gap;
            next = offset + 1;
            consumed(offset, record)
        });
        numbered.collect()
    }
}

/// A record as a consumer gives it.
pub(super) fn consumed(offset: i64, record: &Record) -> mesh::Record {
    mesh::Record {
        offset,
        timestamp: record.timestamp,
        key: record.key.as_deref().map(Into::into),
        value: record.value.as_deref().map(Into::into),
        headers: Vec::new(),
    }
}

/// Bursts of up to four series, some broken records, and the gaps that transactions leave.
fn records(partition: i32, tape: &mut Tape) -> Vec<(i64, Arc<Record>)> {
    let mut records = Vec::new();
    for _ in 0..1 + tape.below(6) {
        let series = tape.below(4);
        for _ in 0..4 + tape.below(36) {
            let gap = if tape.chance(50) { 1 + tape.below(2) as i64 } else { 0 };
            let broken = tape.chance(20);
            records.push((gap, record(partition, series, records.len(), broken)));
        }
    }
    records
}

fn record(partition: i32, series: usize, t: usize, broken: bool) -> Arc<Record> {
    let x = (t as f32 * 0.7).sin() + (t * t % 11) as f32 * 0.1;
    let value = format!(r#"{{"values":[{x}]}}"#).into_bytes();
    let value = if broken { BROKEN.to_vec() } else { value };
    Arc::new(Record {
        key: Some(format!("s{series}").into_bytes()),
        value: Some(value),
        timestamp: Some(1000 + 10 * t as i64 + i64::from(partition)),
        ..Record::default()
    })
}

impl From<&Outgoing> for Record {
    fn from(outgoing: &Outgoing) -> Record {
        let Outgoing { id, key, payload, headers, timestamp, .. } = outgoing.clone();
        Record { key, value: payload, headers, timestamp, id }
    }
}
