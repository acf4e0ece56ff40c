use super::*;
use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use mesh::checkpoint::{Ledger, Saved, Writer};
use mesh::topics::Policy;
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Filters, calibration, strides, detectors with a memory, series that go cold.
pub(crate) const CONFIG: &str = "
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
    with(&format!("{CONFIG}{input}"), threads)
}

fn with(config: &str, threads: usize) -> (Partition, ThreadPool) {
    let blueprint = Blueprint::new(Config::from_yaml(config).unwrap()).unwrap();
    let blueprint = Arc::new(blueprint);
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

/// A checkpoint topic, kept as delivery does.
#[derive(Default)]
struct Topic(HashMap<String, Vec<u8>>);

impl Topic {
    fn save(&mut self, snapshot: Snapshot) {
        let ledger = self.saved().map_or_else(Ledger::default, |saved| saved.ledger);
        let name = snapshot.next.to_string();
        for record in Writer::new("g/in", 0, &name, ledger).records(snapshot) {
            match record.payload {
                Some(value) => _ = self.0.insert(record.id, value),
                None => _ = self.0.remove(&record.id),
            }
        }
    }

    fn saved(&self) -> Option<Saved> {
        Saved::find("g", "in", 0, &self.0).unwrap()
    }
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

/// The outputs of a worker that is lost and replaced so often. What no restart needs is deleted.
fn disturbed(
    input: &str,
    records: &[Record],
    cuts: &[Cut],
    batch: usize,
    rule: Rule,
) -> Vec<Output> {
    let metrics = Metrics::default();
    let (mut topic, mut committed, mut first) = (Topic::default(), None, 0);
    let mut outputs: Vec<Output> = Vec::new();
    let undisturbed = Cut { remembered: records.len(), committed: 0, lost: 0 };
    for cut in cuts.iter().copied().chain([undisturbed]) {
        let (mut partition, pool) = reading(input, 2);
        partition.rule = rule;
        let log: Vec<Record> = records.iter().filter(|r| r.offset >= first).cloned().collect();
        let from = resume(&mut partition, &topic, committed, &log, first);
        if topic.saved().is_none() {
            topic.save(partition.snapshot(&Log::default()).unwrap());
        }
        let mut rest = log.into_iter().filter(|r| r.offset >= from);
        let mut run = |count: usize, partition: &mut Partition| {
            let records: Vec<Record> = rest.by_ref().take(count).collect();
            let batches = records.chunks(batch);
            batches.flat_map(|b| take((partition, &pool), b, &metrics)).collect::<Vec<_>>()
        };
        let mut emitted = run(cut.remembered, &mut partition);
        if let Some(snapshot) = partition.snapshot(&Log { first, ..Log::default() }) {
            topic.save(snapshot);
            first = partition.oldest().unwrap_or(first);
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
    let text = metrics.encode().unwrap();
    assert!(text.contains("streaming_tda_changes_total{change=\"series-lost\"} 0"), "{text}");
    outputs
}

fn end(log: &[Record]) -> i64 {
    log.last().map_or(0, |last| last.offset + 1)
}

/// Takes a partition up that has this log, from `first` on.
fn resume(
    partition: &mut Partition,
    topic: &Topic,
    committed: Option<i64>,
    log: &[Record],
    first: i64,
) -> i64 {
    let saved = topic.saved();
    let last = saved.as_ref().and_then(|saved| saved.last.as_ref());
    let witness = last.and_then(|last| log.iter().find(|r| r.offset >= last.offset));
    let witness = witness.map(Witness::of);
    let ends = (first, end(log).max(first));
    let known = Known { saved: saved.as_ref(), committed, ends, witness: witness.as_ref() };
    partition.resume(&known, &Metrics::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens to the workers, and however the records are batched, the outputs are the
    /// same: filters, calibration, windows, strides, detectors, and which series go cold. Series
    /// that are slow beside others come back from the points in the checkpoint.
    #[test]
    fn outputs_are_a_function_of_the_records(
        bursts in prop::collection::vec((0usize..5, 1usize..90), 1..24),
        cuts in prop::collection::vec(cut(), 0..5),
        batch in 1usize..50,
        rows in 1usize..40,
        rule in (0i64..3, 0i64..200).prop_map(|(ratio, few)| Rule { ratio, few }),
    ) {
        let inputs = [("", records(&bursts)), (ARROW, grouped(&bursts, rows))];
        for (input, records) in inputs {
            let (mut partition, pool) = reading(input, 1);
            let metrics = Metrics::default();
            let one_by_one: Vec<Output> = records
                .chunks(1)
                .flat_map(|record| take((&mut partition, &pool), record, &metrics))
                .collect();
            let outputs = disturbed(input, &records, &cuts, batch, rule);
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

/// A partition that has taken records, and its checkpoint.
fn left(config: &str, records: &[Record]) -> (Partition, Topic) {
    let (mut partition, pool) = with(config, 1);
    partition.take(records, &pool, &Metrics::default());
    let mut topic = Topic::default();
    topic.save(partition.snapshot(&Log::default()).unwrap());
    (partition, topic)
}

#[test]
fn records_that_are_read_in_another_way_start_anew() {
    let records = records(&[(0, 100)]);
    let (first, topic) = left(CONFIG, &records);
    let (mut same, _) = partition(1);
    assert!(resume(&mut same, &topic, None, &records, 0) < first.next());
    let config = CONFIG.replace("max: 3,", "max: 3, max_record_bytes: 1000,");
    let (mut other, _) = with(&config, 1);
    assert_eq!(resume(&mut other, &topic, None, &records, 0), first.next());
    assert_eq!(other.series.len(), 0);
}

/// The outputs of the scale `small` that a worker with CONFIG sends from `cut` records on, after
/// one with other settings; and those of one that had CONFIG all the time.
fn after_change(before: &str, cut: usize) -> (Vec<Output>, Vec<Output>) {
    let small = |outputs: Vec<Output>| {
        outputs.into_iter().filter(|output| output.id.ends_with("/small")).collect::<Vec<_>>()
    };
    let (records, metrics) = (records(&[(0, 200), (1, 200), (0, 50), (1, 60)]), Metrics::default());
    let (always, pool) = partition(1);
    let wanted = small(take((&mut { always }, &pool), &records, &metrics));
    let (_, topic) = left(before, &records[..cut]);
    let (mut changed, _) = partition(1);
    let from = resume(&mut changed, &topic, None, &records, 0);
    let rest: Vec<Record> = records.iter().filter(|r| r.offset >= from).cloned().collect();
    let found = small(take((&mut changed, &pool), &rest, &metrics));
    (found, wanted.into_iter().filter(|o| o.offset >= records[cut].offset).collect())
}

#[test]
fn a_scale_that_is_added_or_narrowed_is_as_if_it_had_always_been() {
    let small = "  - {name: small, window: 8, hop: 3, max_radius: 2}\n";
    for before in [CONFIG.replace(small, ""), CONFIG.replace("window: 8,", "window: 9,")] {
        let (found, wanted) = after_change(&before, 410);
        assert!(!wanted.is_empty() && found == wanted, "{} {}", found.len(), wanted.len());
    }
}

#[test]
fn a_scale_that_is_widened_goes_on_as_soon_as_its_window_is_full() {
    // Only a scale that needs one sample was there before.
    let begin = CONFIG.find("  - {name: small").unwrap();
    let before =
        format!("{}  - {{name: small, window: 1, hop: 3, max_radius: 2}}\n", &CONFIG[..begin]);
    let (found, wanted) = after_change(&before, 410);
    for series in ["s0", "s1"] {
        let of = |outputs: &[Output]| {
            outputs.iter().filter(|o| o.series == series).cloned().collect::<Vec<_>>()
        };
        let (found, wanted) = (of(&found), of(&wanted));
        assert!(!found.is_empty() && found.len() < wanted.len(), "{series}");
        assert!(found == wanted[wanted.len() - found.len()..], "{series}");
    }
}

/// A worker with `before` stops at the first of the `cuts`, others with `after` at those that
/// follow. The outputs from the last one on, and those had the first of the others gone on.
fn after_restarts(before: &str, after: &str, cuts: &[usize]) -> (Vec<Output>, Vec<Output>) {
    let (records, metrics) =
        (records(&[(0, 200), (1, 200), (0, 50), (1, 150)]), Metrics::default());
    let (_, mut topic) = left(before, &records[..cuts[0]]);
    let mut rests = Vec::new();
    for end in cuts[1..].iter().copied().chain([records.len()]) {
        let (mut partition, pool) = with(after, 1);
        let from = resume(&mut partition, &topic, None, &records, 0);
        let again: Vec<Record> = records.iter().filter(|r| r.offset >= from).cloned().collect();
        let (taken, rest) = again.split_at(again.len() - (records.len() - end));
        let taken = take((&mut partition, &pool), taken, &metrics);
        topic.save(partition.snapshot(&Log::default()).unwrap());
        rests.push([taken, take((&mut partition, &pool), rest, &metrics)].concat());
    }
    let last = records[cuts[cuts.len() - 1]].offset;
    let wanted = rests[0].iter().filter(|output| output.offset >= last).cloned().collect();
    (rests.pop().unwrap(), wanted)
}

#[test]
fn a_scale_that_is_widened_is_numbered_alike_after_every_restart() {
    let one = "  - {name: small, window: 1, hop: 3, max_radius: 2}\n";
    let all: String = CONFIG[..CONFIG.find("  - {name: small").unwrap()].into();
    let before = format!("{all}{one}");
    for after in [
        format!("{all}  - {{name: small, window: 12, hop: 3, max_radius: 2}}\n"),
        format!("{before}  - {{name: new, window: 12, hop: 3, max_radius: 2}}\n"),
        before.replace("high_pass: 3", "high_pass: 21"),
    ] {
        for cuts in [&[402, 405][..], &[402, 410, 415, 420]] {
            let (found, wanted) = after_restarts(&before, &after, cuts);
            assert!(!wanted.is_empty());
            assert!(found == wanted, "{after} {cuts:?}");
        }
    }
}

#[test]
fn a_window_does_not_reach_back_before_the_stretch_that_calibrated_it() {
    let config = "
kafka: {brokers: 'none:9092', input: in}
series: {max: 3}
scales: [{name: late, window: 100, hop: 10, max_radius: {deviations: 1.5},
  calibration: {samples: 30}}]
";
    let mut records = records(&[(0, 200)]);
    for record in &mut records[..30] {
        record.value = Some(br#"{"values":[1]}"#[..].into());
    }
    let (mut undisturbed, pool) = with(config, 1);
    let wanted = take((&mut undisturbed, &pool), &records, &Metrics::default());
    assert_eq!(wanted.len(), 8, "the first window is that of the samples 30 to 129");
    for cut in [20, 31, 59, 60, 61, 70, 129, 131, 150] {
        let (_, mut topic) = left(config, &records[..cut]);
        let mut found = Vec::new();
        for end in [cut, records.len()] {
            let (mut next, _) = with(config, 1);
            let from = resume(&mut next, &topic, None, &records, 0);
            let again: Vec<_> =
                records[..end].iter().filter(|r| r.offset >= from).cloned().collect();
            found = take((&mut next, &pool), &again, &Metrics::default());
            next.snapshot(&Log::default()).into_iter().for_each(|s| topic.save(s));
        }
        let rest = wanted.iter().filter(|o| o.offset >= records[cut].offset);
        assert!(found.iter().eq(rest), "restarted at {cut}");
    }
}

#[test]
fn a_scale_that_found_its_window_and_has_no_cap_is_taken_up() {
    let records = records(&[(0, 300)]);
    for found in ["window: auto", "window: 8, embedding: {copies: 2, delay: auto}"] {
        let config = format!(
            "
kafka: {{brokers: 'none:9092', input: in}}
series: {{preprocess: {{decimate: 2, high_pass: 3}}}}
scales: [{{name: a, {found}, hop: 3, max_radius: infinity,
  calibration: {{samples: 24, min_period: 3, max_period: 8}}, detection:
    {{warm_up: {{emissions: 2}}, memory: {{emissions: 6}}}}}}]
"
        );
        let (mut undisturbed, pool) = with(&config, 1);
        let wanted = take((&mut undisturbed, &pool), &records, &Metrics::default());
        let (first, topic) = left(&config, &records[..150]);
        let (mut second, _) = with(&config, 1);
        let from = resume(&mut second, &topic, None, &records, 0);
        let again: Vec<Record> = records.iter().filter(|r| r.offset >= from).cloned().collect();
        let outputs = take((&mut second, &pool), &again, &Metrics::default());
        let rest: Vec<_> = wanted.into_iter().filter(|o| o.offset >= first.next()).collect();
        assert!(!rest.is_empty() && outputs == rest, "{found}");
    }
}

#[test]
fn slow_series_are_stored_and_fast_ones_replayed() {
    let records = records(&[(0, 200), (1, 2000), (0, 1), (1, 1000)]);
    let (mut partition, pool) = partition(1);
    partition.rule = Rule { ratio: 6, few: 100 };
    let (metrics, mut topic) = (Metrics::default(), Topic::default());
    let points = |topic: &Topic| {
        let series = topic.saved().unwrap().series;
        let of = |known: mesh::checkpoint::SavedSeries| (known.series, known.points);
        series.into_iter().map(of).collect::<HashMap<_, _>>()
    };
    let mut stored = Vec::new();
    for batch in records.chunks(50) {
        partition.take(batch, &pool, &metrics);
        topic.save(partition.snapshot(&Log::default()).unwrap());
        let live = partition.series.iter().map(|(_, s)| s.as_ref().unwrap().live() as i64);
        let bound = (6 * live.sum::<i64>()).max(100);
        assert!(partition.next() - partition.oldest().unwrap() <= bound);
        let points = points(&topic);
        assert!(points.get("s1").is_none_or(Option::is_none), "s1 is fast");
        stored.push(points["s0"].clone());
    }
    assert!(stored[0].is_none() && stored.last().unwrap().is_some());
    stored.dedup();
    assert_eq!(stored.len(), 3, "a series at rest is stored once: before, stored, and stored anew");
}

fn known<'a>(
    saved: Option<&'a Saved>,
    ends: (i64, i64),
    witness: Option<&'a Witness>,
) -> Known<'a> {
    Known { saved, committed: None, ends, witness }
}

#[test]
fn another_input_under_the_same_name_is_known() {
    let records = records(&[(0, 100)]);
    let (first, topic) = left(CONFIG, &records);
    let (saved, next) = (topic.saved().unwrap(), first.next());
    let last = saved.last.clone().unwrap();
    assert_eq!(last, Witness::of(&records[99]));
    let other = Witness { digest: "other".into(), ..last.clone() };
    let later = Witness { offset: last.offset + 1, ..last.clone() };
    let begin_anew = CONFIG.replace("input: in", "input: in, on_recreated_input: begin_anew");
    for (end, witness) in
        [(next - 1, Some(&last)), (next, Some(&other)), (next + 9, Some(&later)), (next, None)]
    {
        let known = known(Some(&saved), (0, end), witness);
        let (mut partition, _) = partition(1);
        let error = partition.resume(&known, &Metrics::default()).unwrap_err().to_string();
        assert!(error.contains("on_recreated_input") && error.contains("in/0"), "{error}");
        let (mut partition, _) = with(&begin_anew, 1);
        let metrics = Metrics::default();
        assert_eq!(partition.resume(&known, &metrics).unwrap(), 0);
        assert!(partition.series.is_empty() && partition.next() == 0);
        let counted = "streaming_tda_changes_total{change=\"input-recreated\"} 1";
        assert!(metrics.encode().unwrap().contains(counted));
    }
    // The record that would tell was deleted: nothing is known, and nothing is needed.
    let (mut partition, _) = partition(1);
    partition.resume(&known(Some(&saved), (next, next + 5), None), &Metrics::default()).unwrap();
}

#[test]
fn what_was_committed_of_another_input_says_nothing_of_this_one() {
    let config = CONFIG.replace("input: in", "input: in, on_recreated_input: begin_anew");
    let (records, metrics) = (records(&[(0, 300)]), Metrics::default());
    let (mut undisturbed, pool) = with(&config, 1);
    let wanted = take((&mut undisturbed, &pool), &records, &metrics);
    let mut topic = Topic::default();
    let last = Some(Witness { offset: 499, digest: "of another".into() });
    topic.save(Snapshot { next: 500, last, ..Snapshot::default() });
    // One worker after the other is lost before it commits.
    let mut next = 0;
    for cut in [0, 100, 200] {
        let (mut partition, _) = with(&config, 1);
        let from = resume(&mut partition, &topic, Some(500), &records, 0);
        assert_eq!(partition.next(), next);
        let again: Vec<Record> = records.iter().filter(|r| r.offset >= from).cloned().collect();
        let (taken, rest) = again.split_at(again.len() - (records.len() - cut));
        let taken = take((&mut partition, &pool), taken, &metrics);
        topic.save(partition.snapshot(&Log::default()).unwrap());
        let remembered = partition.next();
        let found = [taken, take((&mut partition, &pool), rest, &metrics)].concat();
        assert!(found.iter().eq(wanted.iter().filter(|o| o.offset >= next)), "{cut}");
        next = remembered;
    }
    for committed in [next + 1, records[299].offset] {
        let (mut partition, _) = with(&config, 1);
        resume(&mut partition, &topic, Some(committed), &records, 0);
        assert_eq!(partition.next(), committed, "what is committed of this one counts");
    }
}

#[test]
fn records_that_were_deleted_unread_are_counted_or_refused() {
    let (first, topic) = left(CONFIG, &records(&[(0, 100)]));
    let (saved, next) = (topic.saved().unwrap(), first.next());
    let known = known(Some(&saved), (next + 7, next + 50), None);
    let (mut partition, _) = partition(1);
    let metrics = Metrics::default();
    assert_eq!(partition.resume(&known, &metrics).unwrap(), next + 7);
    assert!(partition.series.is_empty());
    assert!(partition.snapshot(&Log::default()).is_some(), "this is remembered at once");
    assert!(metrics.encode().unwrap().contains("streaming_tda_records_lost_total 7"));
    let fail = CONFIG.replace("input: in", "input: in, on_lost_points: fail");
    let error = with(&fail, 1).0.resume(&known, &metrics).unwrap_err().to_string();
    assert!(error.contains("on_lost_points") && error.contains(&next.to_string()), "{error}");
}

#[test]
fn a_group_that_has_read_without_a_checkpoint_is_told() {
    let (mut partition, _) = partition(1);
    let metrics = Metrics::default();
    let known = Known { committed: Some(40), ..known(None, (0, 50), None) };
    assert_eq!(partition.resume(&known, &metrics).unwrap(), 40);
    let counted = "streaming_tda_changes_total{change=\"no-checkpoint\"} 1";
    assert!(metrics.encode().unwrap().contains(counted));
}

#[test]
fn records_that_are_about_to_be_deleted_are_remembered_without_new_ones() {
    let records = records(&[(0, 100)]);
    let (mut partition, topic) = left(CONFIG, &records);
    let kept = Some(std::time::Duration::from_millis(1000));
    let policy = Policy { kept, ..Policy::default() };
    let log = |now| Log { first: 0, policy, now };
    assert!(partition.snapshot(&log(1000)).is_none());
    let snapshot = partition.snapshot(&log(5000)).unwrap();
    assert_eq!(snapshot.next, topic.saved().unwrap().next);
    assert_eq!(partition.oldest(), Some(partition.next()));
    assert!(partition.snapshot(&log(9000)).is_none(), "once");
}

#[test]
fn a_partition_is_remembered_before_anything_of_it_is_committed() {
    let (mut partition, _) = partition(1);
    let known = Known { committed: Some(7), ..known(None, (0, 7), None) };
    assert_eq!(partition.resume(&known, &Metrics::default()).unwrap(), 7);
    let snapshot = partition.snapshot(&Log::default()).unwrap();
    assert_eq!((snapshot.next, snapshot.series.len()), (7, 0));
    assert!(partition.snapshot(&Log::default()).is_none(), "nothing has changed");
}

#[test]
fn a_commit_that_lags_behind_the_checkpoint_is_not_needed() {
    let records = records(&[(0, 100)]);
    let (first, topic) = left(CONFIG, &records);
    let (mut second, pool) = partition(1);
    let from = resume(&mut second, &topic, Some(3), &records, 0);
    assert_eq!(second.next(), first.next());
    let again: Vec<Record> = records.into_iter().filter(|r| r.offset >= from).collect();
    assert_eq!(take((&mut second, &pool), &again, &Metrics::default()), []);
    assert_eq!(second.next(), first.next());
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

/// A schema registry that knows the ids below one; gives its URL.
fn registry(end: u32) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut asked = String::new();
            BufReader::new(&stream).read_line(&mut asked).unwrap();
            let known = (1..end).any(|id| asked.contains(&format!("/schemas/ids/{id} ")));
            let (status, body) = match known {
                true => (200, serde_json::json!({ "schema": AVRO }).to_string()),
                false => (404, r#"{"error_code":40403}"#.to_owned()),
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    url
}

const AVRO: &str = r#"{"type":"record","name":"Point","fields":[
    {"name":"values","type":{"type":"array","items":"double"}}]}"#;

/// A partition whose decoder has asked for the schemas of these records.
fn asking(url: &str, records: &[Record]) -> (Partition, ThreadPool) {
    let (partition, pool) =
        reading(&format!("input: {{codec: avro, registry: {{url: '{url}'}}}}"), 1);
    for record in records {
        let _ = partition.blueprint.decoder.decode(&record.incoming());
    }
    (partition, pool)
}

/// Records in the schemas 1 and, where `unknown` says so, 2.
fn framed(bursts: &[(usize, usize)], unknown: impl Fn(usize) -> bool) -> Vec<Record> {
    let mut records = records(bursts);
    for (t, record) in records.iter_mut().enumerate() {
        let number = f64::from(value(t)).to_le_bytes();
        let id = 1 + u8::from(unknown(t));
        record.value = Some([&[0, 0, 0, 0, id, 2][..], &number, &[0]].concat().into());
    }
    records
}

#[test]
fn a_record_of_an_unknown_schema_is_judged_once() {
    let records = framed(&[(0, 200), (1, 100), (0, 100)], |t| t < 250 && t % 17 == 3);
    let (before, after) = (registry(2), registry(3));
    let metrics = Metrics::default();
    let (mut undisturbed, pool) = asking(&before, &records);
    let wanted = take((&mut undisturbed, &pool), &records, &metrics);
    for rule in [Rule::default(), Rule { ratio: 0, few: 60 }] {
        let (mut partition, _) = asking(&before, &records);
        partition.rule = rule;
        let (mut topic, mut cut) = (Topic::default(), 0);
        for next in [205, 250, 260, 300] {
            let from = records[cut].offset;
            let end = records[next].offset;
            let log = records.iter().filter(|r| (from..end).contains(&r.offset));
            let judged = partition.take(&log.cloned().collect::<Vec<_>>(), &pool, &metrics).judged;
            assert_eq!(partition.must_remember(), judged.dead > 0, "else it could be committed");
            topic.save(partition.snapshot(&Log::default()).unwrap());
            assert!(!partition.must_remember());
            // The schema is registered meanwhile.
            (partition, _) = asking(&after, &records);
            partition.rule = rule;
            let from = resume(&mut partition, &topic, None, &records, 0);
            let again: Vec<Record> = records.iter().filter(|r| r.offset >= from).cloned().collect();
            let found = take((&mut partition, &pool), &again, &metrics);
            let rest: Vec<_> = wanted.iter().filter(|o| o.offset >= end).cloned().collect();
            if next >= 250 {
                assert!(found == rest, "{rule:?}, taken up at {next}");
            }
            (partition, _) = asking(&before, &records);
            partition.rule = rule;
            resume(&mut partition, &topic, None, &records, 0);
            partition.take(&again[..again.len() - (records.len() - next)], &pool, &metrics);
            cut = next;
        }
        let unknown = topic.saved().unwrap().unknown;
        let first = topic.saved().unwrap().series.iter().map(|s| s.place.start).min().unwrap();
        assert!(unknown.iter().all(|offset| *offset >= first), "the others are forgotten");
    }
}

#[test]
fn of_unknown_schemas_only_so_many_are_remembered() {
    let records = framed(&[(0, 4000), (1, 10)], |t| t < 3990 && t % 2 == 0);
    let (before, after) = (registry(2), registry(3));
    let metrics = Metrics::default();
    let (mut first, pool) = asking(&before, &records[..2]);
    take((&mut first, &pool), &records[..20], &metrics);
    take((&mut first, &pool), &records[20..4000], &metrics);
    let mut topic = Topic::default();
    topic.save(first.snapshot(&Log::default()).unwrap());
    let saved = topic.saved().unwrap();
    assert!(saved.unknown.len() <= Partition::MOST_UNKNOWN);
    let (mut second, _) = asking(&after, &records[..2]);
    let from = resume(&mut second, &topic, None, &records, 0);
    let again: Vec<Record> = records.iter().filter(|r| r.offset >= from).cloned().collect();
    let found = take((&mut second, &pool), &again, &metrics);
    assert_eq!(found, take((&mut first, &pool), &records[4000..], &metrics));
}

#[test]
fn bad_records_become_dead_letters_once_and_are_judged_again_without_one() {
    let metrics = Metrics::default();
    let records = records(&[(0, 20), (4, 2), (1, 5), (4, 1)]);
    let (mut first, pool) = partition(1);
    let taken = first.take(&records, &pool, &metrics);
    assert_eq!(taken.judged, Judged { records: 28, dead: 3, points: 25 });
    let bad: Vec<String> = [20, 21, 27].map(|i| format!("in/0/{}", records[i].offset)).into();
    assert_eq!(taken.dead_letters.iter().map(|l| l.id.clone()).collect::<Vec<_>>(), bad);
    assert_eq!(taken.dead_letters[0].payload.as_deref(), Some(&b"broken"[..]));
    let mut topic = Topic::default();
    topic.save(first.snapshot(&Log::default()).unwrap());
    let (mut second, _) = partition(1);
    let from = resume(&mut second, &topic, Some(first.next()), &records, 0);
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
