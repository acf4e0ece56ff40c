use super::{Header, Keys, Place, Slot, Snapshot, State, VERSION};
use crate::{Outgoing, Target};
use std::collections::HashMap;

/// Makes the records of one partition's checkpoints.
#[derive(Clone, Debug)]
pub struct Writer {
    keys: Keys,
    /// The generations of the states in the topic, by series.
    generations: HashMap<String, u64>,
}

impl Writer {
    /// Of a partition, whose last checkpoint names `generations`; `name` is `<group>/<topic>`.
    pub fn new(name: &str, partition: i32, generations: HashMap<String, u64>) -> Writer {
        Writer { keys: Keys::new(name, partition), generations }
    }

    /// The records of a checkpoint: the states that changed, then the header, and behind it what
    /// it makes superfluous. To be appended in this order, all of them.
    pub fn records(&mut self, snapshot: Snapshot) -> Vec<Outgoing> {
        let mut records = Vec::new();
        let mut series = Vec::with_capacity(snapshot.series.len());
        let mut before = std::mem::take(&mut self.generations);
        for remembered in snapshot.series {
            let known = before.remove(&remembered.series);
            let generation = match remembered.state {
                State::Absent => None,
                State::Unchanged => known,
                State::Changed(state) => {
                    let generation = known.map_or(0, |g| g + 1);
                    let key = self.keys.slot(&remembered.series, generation);
                    records.push(record(key, Some(json(&Slot { generation, state }))));
                    Some(generation)
                }
            };
            if let Some(generation) = generation {
                self.generations.insert(remembered.series.clone(), generation);
            }
            let (start, sample) = (remembered.start, remembered.sample);
            series.push(Place { series: remembered.series, start, sample, generation });
        }
        let (settings, next) = (snapshot.settings, snapshot.next);
        let header = Header { version: VERSION, settings, next, series };
        records.push(record(self.keys.header.clone(), Some(json(&header))));
        for series in before.into_keys() {
            records.extend([0, 1].map(|slot| record(self.keys.slot(&series, slot), None)));
        }
        records
    }
}

fn record(key: String, payload: Option<Vec<u8>>) -> Outgoing {
    Outgoing {
        to: Target::Checkpoints,
        key: Some(key.as_bytes().to_vec()),
        id: key,
        payload,
        headers: Vec::new(),
        timestamp: None,
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a checkpoint has string keys only")
}
