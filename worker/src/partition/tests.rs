use super::*;
use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::collections::HashMap;

const CONFIG: &str = "
kafka: {brokers: 'none:9092', input: in}
series: {max: 3, preprocess: {decimate: 2, high_pass: 3}}
scales:
  - {name: small, window: 8, hop: 3, max_radius: 2}
  - {name: found, window: auto, max_radius: {deviations: 1.5}, embedding: {copies: 2, delay: 2},
     calibration: {samples: 24, min_period: 3, max_period: 8}, detection: &detection
       {distance_bars: 4, warm_up: {emissions: 2}, memory: {emissions: 6}, threshold: 1}}
  - {name: wide, window: 12, hop: 4, stride: 2, max_radius: infinity, detection: *detection}
";

/// Records of many points.
const ARROW: &str = "input: {codec: arrow_ipc, fields: {values: [v]}}";

fn partition(threads: usize) -> (Partition, ThreadPool) {
    reading("", threads)
}

/// A partition that reads as `input` says.
fn reading(input: &str, threads: usize) -> (Partition, ThreadPool) {
    let config = Config::from_yaml(&format!("{CONFIG}{input}")).unwrap();
    let blueprint = Arc::new(Blueprint::new(config).unwrap());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    (Partition::new(&blueprint, 0, 1), pool)
}

fn value(t: usize) -> f32 {
    (t as f32 * 0.7).sin() + (t % 5) as f32 * 0.1
}

/// A record of a series; the last one is broken.
fn record(offset: i64, series: usize, t: usize) -> Record {
    let value = match series {
        4 => "broken".to_owned(),
        _ => format!(r#"{{"values":[{}]}}"#, value(t)),
    };
    let key = Some(format!("s{series}").into_bytes().into());
    // Offsets have gaps, as those of transactions do.
    let offset = 2 * offset + offset / 7;
    let value = Some(value.into_bytes().into());
    Record { offset, timestamp: Some(1000 + offset), key, value, headers: Vec::new() }
}

fn records(bursts: &[(usize, usize)]) -> Vec<Record> {
    let series = bursts.iter().flat_map(|&(series, length)| std::iter::repeat_n(series, length));
    series.enumerate().map(|(t, series)| record(t as i64, series, t)).collect()
}

/// The same points, so many in a record.
fn grouped(bursts: &[(usize, usize)], rows: usize) -> Vec<Record> {
    let series = bursts.iter().flat_map(|&(series, length)| std::iter::repeat_n(series, length));
    let points: Vec<(usize, usize)> = series.enumerate().collect();
    let records = points.chunks(rows).enumerate().map(|(offset, points)| {
        let mut record = record(offset as i64, 4, 0);
        if points.iter().all(|&(_, series)| series != 4) {
            record.value = Some(arrow(points).into());
        }
        record
    });
    records.collect()
}

fn arrow(points: &[(usize, usize)]) -> Vec<u8> {
    let series: StringArray = points.iter().map(|(_, series)| Some(format!("s{series}"))).collect();
    let values: Float32Array = points.iter().map(|&(t, _)| Some(value(t))).collect();
    let columns: [(&str, ArrayRef); 2] = [("series", Arc::new(series)), ("v", Arc::new(values))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn take(
    (partition, pool): (&mut Partition, &ThreadPool),
    records: &[Record],
    metrics: &Metrics,
) -> Vec<Output> {
    let Taken { outputs, waits, .. } = partition.take(records, pool, metrics);
    assert_eq!(waits, None);
    outputs
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

/// When a worker is lost.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// Records from its start to its last checkpoint.
    remembered: usize,
    /// Records after that whose outputs are acknowledged, and committed.
    committed: usize,
    /// Records after that whose outputs come again.
    lost: usize,
}

fn cut() -> impl Strategy<Value = Cut> {
    (0usize..400, 0usize..60, 0usize..60).prop_map(|(remembered, committed, lost)| Cut {
        remembered,
        committed,
        lost,
    })
}

/// The outputs of a worker that is lost and replaced so often.
fn disturbed(input: &str, records: &[Record], cuts: &[Cut], batch: usize) -> Vec<Output> {
    let metrics = Metrics::default();
    let mut states = HashMap::new();
    let (mut saved, mut committed): (Option<Saved>, Option<i64>) = (None, None);
    let mut outputs: Vec<Output> = Vec::new();
    let undisturbed = Cut { remembered: records.len(), committed: 0, lost: 0 };
    for cut in cuts.iter().copied().chain([undisturbed]) {
        let (mut partition, pool) = reading(input, 2);
        let from = resume(&mut partition, saved.as_ref(), committed);
        if saved.is_none() {
            saved = Some(save(partition.snapshot().unwrap(), &mut states));
        }
        let mut rest = records.iter().filter(|r| r.offset >= from).cloned();
        let mut run = |count: usize, partition: &mut Partition| {
            let records: Vec<Record> = rest.by_ref().take(count).collect();
            let batches = records.chunks(batch);
            batches.flat_map(|b| take((partition, &pool), b, &metrics)).collect::<Vec<_>>()
        };
        let mut emitted = run(cut.remembered, &mut partition);
        if let Some(snapshot) = partition.snapshot() {
            saved = Some(save(snapshot, &mut states));
        }
        emitted.extend(run(cut.committed, &mut partition));
        let acknowledged = committed;
        committed = Some(partition.next());
        emitted.extend(run(cut.lost, &mut partition));
        for output in emitted {
            assert!(acknowledged.is_none_or(|c| output.offset >= c), "came again: {}", output.id);
            match outputs.iter().find(|o| o.id == output.id) {
                Some(first) => assert_eq!(*first, output, "came again with other bytes"),
                None => outputs.push(output),
            }
        }
    }
    outputs
}

fn resume(partition: &mut Partition, saved: Option<&Saved>, committed: Option<i64>) -> i64 {
    let known = Known { saved, committed, first: 0 };
    partition.resume(&known, &Metrics::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens to the workers, and however the records are batched, the outputs are the
    /// same: filters, calibration, windows, strides, detectors, and which series go cold.
    #[test]
    fn outputs_are_a_function_of_the_records(
        bursts in prop::collection::vec((0usize..5, 1usize..90), 1..24),
        cuts in prop::collection::vec(cut(), 0..5),
        batch in 1usize..50,
        rows in 1usize..40,
    ) {
        let inputs = [("", records(&bursts)), (ARROW, grouped(&bursts, rows))];
        for (input, records) in inputs {
            let (mut partition, pool) = reading(input, 1);
            let metrics = Metrics::default();
            let one_by_one: Vec<Output> = records
                .chunks(1)
                .flat_map(|record| take((&mut partition, &pool), record, &metrics))
                .collect();
            let outputs = disturbed(input, &records, &cuts, batch);
            prop_assert_eq!(outputs.len(), one_by_one.len());
            for (found, wanted) in outputs.iter().zip(&one_by_one) {
                prop_assert_eq!(found, wanted);
            }
        }
    }
}

#[test]
fn long_bursts_do_reach_calibration_detection_and_cold_series() {
    let records = records(&[(0, 300), (1, 200), (4, 1), (2, 100), (3, 50), (0, 200)]);
    let metrics = Metrics::default();
    let (mut partition, pool) = partition(2);
    let outputs = take((&mut partition, &pool), &records, &metrics);
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
    take((&mut first, &pool), &records(&[(0, 100)]), &metrics);
    let mut saved = save(first.snapshot().unwrap(), &mut HashMap::new());
    let (mut second, _) = partition(1);
    assert!(resume(&mut second, Some(&saved), None) < saved.header.next);
    saved.header.settings = "other".into();
    let (mut third, _) = partition(1);
    assert_eq!(resume(&mut third, Some(&saved), None), saved.header.next);
    assert_eq!(third.series.len(), 0);
}

#[test]
fn a_partition_is_remembered_before_anything_of_it_is_committed() {
    let (mut partition, _) = partition(1);
    assert_eq!(resume(&mut partition, None, Some(7)), 7);
    let snapshot = partition.snapshot().unwrap();
    assert_eq!((snapshot.next, snapshot.series.len()), (7, 0));
    assert!(partition.snapshot().is_none(), "nothing has changed");
}

#[test]
fn a_commit_that_lags_behind_the_checkpoint_is_not_needed() {
    let metrics = Metrics::default();
    let (mut first, pool) = partition(1);
    let records = records(&[(0, 100)]);
    take((&mut first, &pool), &records, &metrics);
    let saved = save(first.snapshot().unwrap(), &mut HashMap::new());
    let (mut second, _) = partition(1);
    let from = resume(&mut second, Some(&saved), Some(3));
    assert_eq!(second.next(), saved.header.next);
    let again: Vec<Record> = records.into_iter().filter(|r| r.offset >= from).collect();
    assert_eq!(take((&mut second, &pool), &again, &metrics), []);
    assert_eq!(second.next(), saved.header.next);
}

/// The body of an output, its series, scale and the row of its id.
fn told(output: &Output) -> (String, String, String) {
    let json: serde_json::Value = serde_json::from_slice(&output.payload).unwrap();
    let body = json.get("emission").or(json.get("score")).unwrap_or(&json["baseline"]);
    (output.series.clone(), output.id.rsplit('/').next().unwrap().into(), body.to_string())
}

#[test]
fn the_points_of_one_record_give_what_a_record_for_each_gives() {
    let bursts: Vec<(usize, usize)> = (0..150).map(|i| (i * i % 3, 1 + i % 7)).collect();
    let metrics = Metrics::default();
    let (mut partition, pool) = reading("", 1);
    let each = take((&mut partition, &pool), &records(&bursts), &metrics);
    let (mut partition, pool) = reading(ARROW, 1);
    let records = grouped(&bursts, 37);
    let together = take((&mut partition, &pool), &records, &metrics);
    assert!(each.len() > 100, "{}", each.len());
    assert_eq!(
        together.iter().map(told).collect::<Vec<_>>(),
        each.iter().map(told).collect::<Vec<_>>()
    );
    let mut ids: Vec<&str> = together.iter().map(|o| o.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), together.len(), "ids are unique");
    let row = |o: &Output| o.id.split('/').nth(2)?.split_once('.')?.1.parse::<u32>().ok();
    assert!(together.iter().filter_map(row).all(|row| (1..37).contains(&row)));
}

#[test]
fn a_series_is_not_forgotten_within_a_record() {
    let metrics = Metrics::default();
    let (mut partition, pool) = reading(ARROW, 1);
    let points: Vec<(usize, usize)> = (0..200).map(|t| (t, t % 5)).collect();
    let mut record = record(0, 4, 0);
    record.value = Some(arrow(&points).into());
    let outputs = take((&mut partition, &pool), &[record], &metrics);
    let of_small = outputs.iter().filter(|o| o.id.ends_with("diagrams/small"));
    let series: std::collections::BTreeSet<&str> = of_small.map(|o| o.series.as_str()).collect();
    assert_eq!(partition.series.len(), 3);
    assert!(metrics.encode().unwrap().contains("streaming_tda_series_cold_total 2"));
    assert_eq!(series.len(), 5, "all have had their samples");
}

#[test]
fn a_record_waits_for_its_schema_and_those_after_it_too() {
    let input = "input: {codec: avro, registry: {url: 'http://127.0.0.1:1', timeout_ms: 100}}";
    let metrics = Metrics::default();
    let (mut partition, pool) = reading(input, 1);
    let mut records = records(&[(0, 3)]);
    records[1].value = Some([0, 0, 0, 0, 7, 1].into());
    let taken = partition.take(&records, &pool, &metrics);
    assert_eq!((taken.waits, taken.outputs.len()), (Some(1), 0));
    assert_eq!(partition.next(), records[0].offset + 1, "the first was rejected, and is done");
    assert_eq!(partition.take(&records[1..], &pool, &metrics).waits, Some(0));
}

#[test]
fn bad_records_become_dead_letters_once_and_are_judged_again_without_one() {
    let metrics = Metrics::default();
    let records = records(&[(0, 20), (4, 2), (1, 5), (4, 1)]);
    let (mut first, pool) = partition(1);
    let taken = first.take(&records, &pool, &metrics);
    assert_eq!(taken.judged, Judged { records: 28, dead: 3 });
    let bad: Vec<String> = [20, 21, 27].map(|i| format!("in/0/{}", records[i].offset)).into();
    assert_eq!(taken.dead_letters.iter().map(|l| l.id.clone()).collect::<Vec<_>>(), bad);
    assert_eq!(taken.dead_letters[0].payload.as_deref(), Some(&b"broken"[..]));
    let saved = save(first.snapshot().unwrap(), &mut HashMap::new());
    let (mut second, _) = partition(1);
    let from = resume(&mut second, Some(&saved), Some(saved.header.next));
    let again: Vec<Record> = records.into_iter().filter(|r| r.offset >= from).collect();
    assert!(again.len() > 8, "bad records are among those that are read again");
    let taken = second.take(&again, &pool, &metrics);
    assert_eq!((taken.dead_letters.len(), taken.judged), (0, Judged::default()));
}

#[test]
fn without_dead_letters_bad_records_are_only_counted() {
    let off = CONFIG.replace("input: in", "input: in, dead_letters: {enabled: false}");
    let blueprint = Arc::new(Blueprint::new(Config::from_yaml(&off).unwrap()).unwrap());
    let (_, pool) = partition(1);
    let metrics = Metrics::default();
    let taken = Partition::new(&blueprint, 0, 1).take(&records(&[(4, 2)]), &pool, &metrics);
    assert_eq!((taken.dead_letters.len(), taken.judged.dead), (0, 2));
}

#[test]
fn outputs_are_cloud_events_when_that_is_asked_for() {
    let on = CONFIG.replace("input: in", "input: in, outputs: {cloud_events: true}");
    let blueprint = Arc::new(Blueprint::new(Config::from_yaml(&on).unwrap()).unwrap());
    let (_, pool) = partition(1);
    let metrics = Metrics::default();
    let taken = Partition::new(&blueprint, 0, 1).take(&records(&[(0, 100)]), &pool, &metrics);
    let first = Outgoing::from(taken.outputs[0].clone());
    let header = |name: &str| first.headers.iter().find(|(n, _)| n == name)?.1.as_deref();
    assert_eq!(header("ce_id"), Some(first.id.as_bytes()));
    assert_eq!(header("ce_source"), Some(&b"/in/0"[..]));
    assert_eq!(header("ce_type"), Some(&b"streaming-tda.diagrams.v1"[..]));
    let (mut plain, pool) = partition(1);
    let without = plain.take(&records(&[(0, 100)]), &pool, &metrics);
    assert_eq!(without.outputs[0].payload, taken.outputs[0].payload);
    assert!(without.outputs[0].event.is_empty());
}
