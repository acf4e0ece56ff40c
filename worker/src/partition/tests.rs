use super::*;
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::collections::HashMap;

const CONFIG: &str = "
kafka: {brokers: none, input: in}
series: {max: 3, preprocess: {decimate: 2, high_pass: 3}}
scales:
  - {name: small, window: 8, hop: 3, max_radius: 2}
  - {name: found, window: auto, max_radius: {deviations: 1.5}, embedding: {copies: 2, delay: 2},
     calibration: {samples: 24, min_period: 3, max_period: 8}, detection: &detection
       {distance_bars: 4, warm_up: {emissions: 2}, memory: {emissions: 6}, threshold: 1}}
  - {name: wide, window: 12, hop: 4, stride: 2, max_radius: infinity, detection: *detection}
";

fn partition(threads: usize) -> (Partition, ThreadPool) {
    let blueprint = Arc::new(Blueprint::new(Config::from_yaml(CONFIG).unwrap()));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    (Partition::new(&blueprint, 0, 1), pool)
}

/// A record of a series; the last one is broken.
fn record(offset: i64, series: usize, t: usize) -> Record {
    let value = match series {
        4 => "broken".to_owned(),
        _ => format!(r#"{{"values":[{}]}}"#, (t as f32 * 0.7).sin() + (t % 5) as f32 * 0.1),
    };
    let key = Some(format!("s{series}").into_bytes().into());
    // Offsets have gaps, as those of transactions do.
    let offset = 2 * offset + offset / 7;
    Record { offset, timestamp: Some(1000 + offset), key, value: Some(value.into_bytes().into()) }
}

fn records(bursts: &[(usize, usize)]) -> Vec<Record> {
    let series = bursts.iter().flat_map(|&(series, length)| std::iter::repeat_n(series, length));
    series.enumerate().map(|(t, series)| record(t as i64, series, t)).collect()
}

/// What a checkpoint topic would hold, as delivery keeps it.
fn save(snapshot: Snapshot, states: &mut HashMap<String, Box<RawValue>>) -> Saved {
    use mesh::checkpoint::{Header, Place, State};
    let mut kept = HashMap::new();
    let mut series = Vec::new();
    for remembered in snapshot.series {
        let state = match remembered.state {
            State::Absent => None,
            State::Unchanged => states.remove(&remembered.series),
            State::Changed(state) => Some(state),
        };
        let (start, sample) = (remembered.start, remembered.sample);
        let generation = state.as_ref().map(|_| 0);
        series.push(Place { series: remembered.series.clone(), start, sample, generation });
        kept.extend(state.map(|state| (remembered.series, state)));
    }
    *states = kept.clone();
    let header = Header { version: 1, settings: snapshot.settings, next: snapshot.next, series };
    Saved { header, states: kept }
}

/// The outputs of a worker that is killed and replaced whenever `cuts` says so: after so many
/// records since its start it writes a checkpoint, and after so many more it is lost.
fn disturbed(records: &[Record], cuts: &[(usize, usize)], batch: usize) -> Vec<Output> {
    let metrics = Metrics::default();
    let mut states = HashMap::new();
    let mut saved: Option<Saved> = None;
    let mut outputs: Vec<Output> = Vec::new();
    for cut in cuts.iter().map(Some).chain([None]) {
        let (mut partition, pool) = partition(2);
        let from = match &saved {
            None => 0,
            Some(saved) => partition.resume(saved, 0, &metrics).unwrap(),
        };
        let rest: Vec<Record> = records.iter().filter(|r| r.offset >= from).cloned().collect();
        let (good, lost) = cut.copied().unwrap_or((rest.len(), 0));
        let good = good.min(rest.len());
        let mut emitted = Vec::new();
        for batch in rest[..good].chunks(batch) {
            emitted.extend(partition.take(batch, &pool, &metrics));
        }
        if let Some(snapshot) = partition.snapshot() {
            saved = Some(save(snapshot, &mut states));
        }
        let lost = &rest[good..(good + lost).min(rest.len())];
        emitted.extend(partition.take(lost, &pool, &metrics));
        for output in emitted {
            match outputs.iter().find(|o| o.id == output.id) {
                Some(first) => assert_eq!(*first, output, "came again with other bytes"),
                None => outputs.push(output),
            }
        }
    }
    outputs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens to the workers, and however the records are batched, the outputs are the
    /// same: filters, calibration, windows, strides, detectors, and which series go cold.
    #[test]
    fn outputs_are_a_function_of_the_records(
        bursts in prop::collection::vec((0usize..5, 1usize..90), 1..24),
        cuts in prop::collection::vec((0usize..400, 0usize..60), 0..5),
        batch in 1usize..50,
    ) {
        let records = records(&bursts);
        let (mut partition, pool) = partition(1);
        let metrics = Metrics::default();
        let one_by_one: Vec<Output> =
            records.iter().flat_map(|r| partition.take(std::slice::from_ref(r), &pool, &metrics)).collect();
        let outputs = disturbed(&records, &cuts, batch);
        prop_assert_eq!(outputs.len(), one_by_one.len());
        for (found, wanted) in outputs.iter().zip(&one_by_one) {
            prop_assert_eq!(found, wanted);
        }
    }
}

#[test]
fn long_bursts_do_reach_calibration_detection_and_cold_series() {
    let records = records(&[(0, 300), (1, 200), (4, 1), (2, 100), (3, 50), (0, 200)]);
    let metrics = Metrics::default();
    let (mut partition, pool) = partition(2);
    let outputs = partition.take(&records, &pool, &metrics);
    for scale in ["small", "found", "wide"] {
        assert!(outputs.iter().any(|o| o.id.ends_with(scale)), "{scale} puts nothing out");
    }
    assert!(outputs.iter().any(|o| o.kind == mesh::schema::Kind::Alerts));
    let text = metrics.encode().unwrap();
    assert!(text.contains("streaming_tda_series_cold_total 2"), "{text}");
    let mut ids: Vec<&str> = outputs.iter().map(|o| o.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), outputs.len(), "ids are unique");
}

#[test]
fn other_settings_start_anew() {
    let metrics = Metrics::default();
    let (mut first, pool) = partition(1);
    first.take(&records(&[(0, 100)]), &pool, &metrics);
    let mut saved = save(first.snapshot().unwrap(), &mut HashMap::new());
    let (mut second, _) = partition(1);
    assert!(second.resume(&saved, 0, &metrics).unwrap() < saved.header.next);
    saved.header.settings = "other".into();
    let (mut third, _) = partition(1);
    assert_eq!(third.resume(&saved, 0, &metrics).unwrap(), saved.header.next);
    assert_eq!(third.series.len(), 0);
}
