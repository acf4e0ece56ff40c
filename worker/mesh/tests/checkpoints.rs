//! Whatever of a checkpoint has reached the topic, the last whole one is found.
#![allow(clippy::unwrap_used)]

use mesh::checkpoint::{
    Ledger, Part, Place, Remembered, Saved, Snapshot, VERSION, Witness, Writer, fingerprint,
};
use mesh::{Outgoing, Target};
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The last values of all keys.
type Records = HashMap<String, Vec<u8>>;

/// What is remembered of each series: place, state, points.
type Model = BTreeMap<String, (Place, Option<String>, Option<Vec<u8>>)>;

/// What a worker says of the state and the points of a series.
type Said = (Part<Box<RawValue>>, Part<Vec<u8>>);

fn append(records: &mut Records, record: &Outgoing) {
    assert_eq!(record.to, Target::Checkpoints);
    assert!(record.bytes() < 1_000_000, "{} is too large for a broker", record.id);
    let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
    match &record.payload {
        Some(value) => records.insert(key, value.clone()),
        None => records.remove(&key),
    };
}

/// A writer that nobody else is.
fn writer(ledger: Ledger) -> Writer {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    Writer::new("g/t", 3, &name, ledger)
}

fn is_header(key: &str) -> bool {
    key.starts_with("g/t/3@") && key.matches('/').count() == 2
}

fn find(records: &Records) -> Option<Saved> {
    Saved::find("g", "t", 3, records).unwrap()
}

fn model(saved: &Saved) -> Model {
    let series = saved.series.iter().map(|known| {
        let state = known.state.as_ref().map(|state| state.get().to_owned());
        (known.series.clone(), (known.place, state, known.points.clone()))
    });
    series.collect()
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// What happens to a series from one checkpoint to the next.
#[derive(Clone, Debug)]
enum Change {
    Leaves,
    Rests,
    Moves,
    Learns(u32),
    IsStored(usize, u8),
    IsStoredNoMore,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => Just(Change::Leaves),
        3 => Just(Change::Rests),
        3 => Just(Change::Moves),
        3 => any::<u32>().prop_map(Change::Learns),
        2 => (prop_oneof![9 => 0usize..50, 1 => 500_000usize..1_200_000], any::<u8>())
            .prop_map(|(size, byte)| Change::IsStored(size, byte)),
        1 => Just(Change::IsStoredNoMore),
    ]
}

/// Changes the model, and says what a worker would say of it.
fn step(model: &mut Model, next: i64, changes: &[(usize, Change)]) -> Snapshot {
    const NAMES: [&str; 5] = ["a", "a/b", "state.0", "", "ä/points.1"];
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    let unchanged = |known: bool| if known { Part::Unchanged } else { Part::Absent };
    for (name, (_, state, points)) in model.iter() {
        let state = if state.is_some() { Part::Unchanged } else { Part::Absent };
        said.insert(name.clone(), (state, unchanged(points.is_some())));
    }
    for (which, change) in changes {
        let name = NAMES[which % NAMES.len()].to_owned();
        let place = Place { start: next - 9, sample: next as u64, seen: (next - 1, *which as u32) };
        if let Change::Leaves = change {
            model.remove(&name);
            said.remove(&name);
            continue;
        }
        let entry = model.entry(name.clone()).or_insert((place, None, None));
        let (state, points) = said.entry(name).or_insert((Part::Absent, Part::Absent));
        match change {
            Change::Leaves | Change::Rests => {}
            Change::Moves => entry.0 = place,
            Change::Learns(number) => {
                entry.1 = Some(number.to_string());
                *state = Part::Changed(json(&number.to_string()));
            }
            Change::IsStored(size, byte) => {
                entry.2 = Some(vec![*byte; *size]);
                *points = Part::Changed(vec![*byte; *size]);
            }
            Change::IsStoredNoMore => (entry.2, *points) = (None, Part::Absent),
        }
    }
    let remembered = said.into_iter().map(|(series, (state, points))| {
        let place = model[&series].0;
        Remembered { series, place, state, points }
    });
    Snapshot {
        settings: [("input".to_owned(), format!("{next}"))].into(),
        partitions: 4,
        next,
        last: Some(Witness { offset: next - 1, digest: "d".into() }),
        outdated: None,
        unknown: Vec::new(),
        series: remembered.collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A worker may stop, or its successor may look, after any record; and the successor goes on
    /// with what it finds.
    #[test]
    fn every_prefix_holds_its_last_checkpoint_whole(
        steps in prop::collection::vec(
            (prop::collection::vec((0usize..9, change()), 0..6), any::<prop::sample::Index>(), any::<bool>()),
            1..8,
        ),
    ) {
        let (mut records, mut now) = (Records::new(), Model::new());
        let mut writer = self::writer(Ledger::default());
        // The first owner remembers that there is nothing, before anything else.
        let first = writer.records(step(&mut now, 0, &[]));
        first.iter().for_each(|record| append(&mut records, record));
        for (number, (changes, cut, survives)) in steps.iter().enumerate() {
            let before = now.clone();
            let next = 10 * (number as i64 + 1);
            let written = writer.records(step(&mut now, next, changes));
            let header = written.iter().position(|r| is_header(&r.id)).unwrap();
            let length = if *survives { written.len() } else { cut.index(written.len() + 1) };
            for (index, record) in written[..length].iter().enumerate() {
                append(&mut records, record);
                let found = model(&find(&records).unwrap());
                prop_assert_eq!(&found, if index < header { &before } else { &now });
            }
            if !survives {
                if length <= header {
                    now = before;
                }
                writer = self::writer(find(&records).unwrap().ledger);
            }
        }
        // Nothing is left behind of what is not remembered.
        let last = writer.records(step(&mut now, 1000, &[]));
        last.iter().for_each(|record| append(&mut records, record));
        prop_assert_eq!(model(&find(&records).unwrap()), now.clone());
        prop_assert_eq!(records.keys().filter(|key| is_header(key)).count(), 1);
        for key in records.keys().filter(|key| !is_header(key)) {
            let shard = key.contains("/series.");
            let series = now.keys().any(|name| key.contains(&format!("/{name}/")));
            prop_assert!(shard || series, "{}", key);
        }
    }
}

/// What the input below `next` leads to.
fn after(next: i64) -> Model {
    let series = |index: i64| {
        let moved = next - next % (index + 2);
        let place = Place { start: moved / 2, sample: moved as u64, seen: (moved, 0) };
        let state = (index != 1).then(|| format!("[{moved}]"));
        let points = (index > 1).then(|| vec![moved as u8; 9]);
        (format!("s{index}"), (place, state, points))
    };
    (0..4).filter(|index| next % 7 != *index).map(series).collect()
}

/// What a worker says that last said `before`.
fn said(before: &Model, next: i64) -> Snapshot {
    fn part<T: PartialEq, U>(
        before: Option<Option<&T>>,
        now: Option<T>,
        change: fn(T) -> U,
    ) -> Part<U> {
        match now {
            None => Part::Absent,
            Some(now) if before == Some(Some(&now)) => Part::Unchanged,
            Some(now) => Part::Changed(change(now)),
        }
    }
    let remembered = after(next).into_iter().map(|(series, (place, state, points))| {
        let known = before.get(&series);
        let state = part(known.map(|k| k.1.as_ref()), state, |text| json(&text));
        let points = part(known.map(|k| k.2.as_ref()), points, |bytes| bytes);
        Remembered { series, place, state, points }
    });
    let series = remembered.collect();
    Snapshot { partitions: 4, next, series, ..Snapshot::default() }
}

/// An owner of the partition, and what it has sent that has not arrived.
struct Owner {
    writer: Writer,
    said: Model,
    next: i64,
    sent: VecDeque<Outgoing>,
}

proptest! {
    /// However many workers believe to own the partition, and however late what they sent
    /// arrives, there is a whole checkpoint, and it is the right one.
    #[test]
    fn owners_that_overlap_leave_a_whole_checkpoint(
        steps in prop::collection::vec((0usize..10, any::<prop::sample::Index>()), 1..400),
    ) {
        let (mut records, mut owners, mut begun) = (Records::new(), Vec::<Owner>::new(), false);
        for (what, which) in steps {
            match what {
                0 => {
                    let found = find(&records);
                    let next = found.as_ref().map_or(0, |saved| saved.next);
                    let said = found.as_ref().map(model).unwrap_or_default();
                    let writer = writer(found.map(|saved| saved.ledger).unwrap_or_default());
                    owners.push(Owner { writer, said, next, sent: VecDeque::new() });
                }
                _ if owners.is_empty() => {}
                1 | 2 => {
                    let owner = which.get_mut(&mut owners);
                    owner.next += 1 + what as i64;
                    owner.sent.extend(owner.writer.records(self::said(&owner.said, owner.next)));
                    owner.said = after(owner.next);
                }
                _ => {
                    let sent = which.get_mut(&mut owners).sent.pop_front();
                    sent.iter().for_each(|record| append(&mut records, record));
                }
            }
            let found = find(&records);
            prop_assert!(found.is_some() || !begun);
            begun = found.is_some();
            if let Some(saved) = found {
                prop_assert_eq!(model(&saved), after(saved.next));
            }
        }
    }
}

#[test]
fn a_hundred_thousand_series_fit_and_one_that_moves_costs_little() {
    let series = |t: i64| {
        (0..100_000).map(move |index: i64| Remembered {
            series: format!("plant-{}/machine-{index}", index % 7),
            place: Place {
                start: index,
                sample: 5,
                seen: (if index == 77 { t } else { index }, 0),
            },
            state: Part::Absent,
            points: Part::Absent,
        })
    };
    let snapshot = |next| Snapshot {
        partitions: 1,
        next,
        series: series(next).collect(),
        ..Snapshot::default()
    };
    let (mut records, mut writer) = (Records::new(), self::writer(Ledger::default()));
    writer.records(snapshot(200_000)).iter().for_each(|record| append(&mut records, record));
    let saved = find(&records).unwrap();
    assert_eq!(saved.series.len(), 100_000);
    let newest = saved.series.last().unwrap();
    assert_eq!((newest.series.as_str(), newest.place.seen.0), ("plant-0/machine-77", 200_000));

    let written = writer.records(snapshot(300_000));
    let bytes: usize = written.iter().map(Outgoing::bytes).sum();
    assert_eq!(written.len(), 2, "the shard of the series, and the header");
    assert!(bytes < 300_000, "{bytes}");
    // With few series left, the shards are given up.
    let mut writer = self::writer(find(&records).unwrap().ledger);
    let few = Snapshot { series: series(400_000).take(10).collect(), ..snapshot(400_000) };
    writer.records(few).iter().for_each(|record| append(&mut records, record));
    assert_eq!(find(&records).unwrap().series.len(), 10);
    assert!(records.len() <= 3, "{:?}", records.keys());
}

#[test]
fn a_checkpoint_of_a_later_version_is_not_guessed_at() {
    let header = format!(r#"{{"version":{},"anything":1}}"#, VERSION + 1);
    let records = [("g/t/3".to_owned(), header.into_bytes())].into();
    let error = Saved::find("g", "t", 3, &records).unwrap_err().to_string();
    assert!(error.contains("upgrade the worker") && error.contains("partition 3"), "{error}");
}

/// A file of lines `key value`, the value in hexadecimal.
fn sample(name: &str) -> Records {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let line = |line: &str| {
        let (key, value) = line.rsplit_once(' ').unwrap();
        (key.to_owned(), value.as_bytes().chunks(2).map(byte).collect())
    };
    text.lines().map(line).collect()
}

#[test]
fn version_1_is_read_for_ever_and_replaced_whole() {
    let mut records = sample("v1.txt");
    let saved = find(&records).unwrap();
    assert_eq!((saved.next, saved.partitions, &saved.last), (70, None, &None));
    assert_eq!(saved.settings, [("all".to_owned(), "abc".to_owned())].into());
    let series = |index: usize| (&*saved.series[index].series, saved.series[index].place);
    assert_eq!(series(0), ("a/b", Place { start: 10, sample: 4, seen: (-1, 0) }));
    assert_eq!(series(1), ("c", Place { start: 60, sample: 0, seen: (-1, 1) }));
    assert_eq!(saved.series[0].state.as_ref().unwrap().get(), r#"[{"Calibrating":7}]"#);

    let mut writer = self::writer(saved.ledger);
    let written = writer.records(step(&mut Model::new(), 80, &[(0, Change::Learns(1))]));
    written.iter().for_each(|record| append(&mut records, record));
    assert_eq!(find(&records).unwrap().next, 80);
    let old = records.keys().filter(|key| key.ends_with("/0") || key.ends_with("/1"));
    assert_eq!(old.count(), 0, "{:?}", records.keys());
}

#[test]
fn version_1_with_a_state_of_another_generation_is_refused() {
    let mut records = sample("v1.txt");
    records.insert("g/t/3/a/b/1".into(), br#"{"generation":9,"state":null}"#.to_vec());
    let error = Saved::find("g", "t", 3, &records).unwrap_err().to_string();
    assert!(error.contains("partition 3") && error.contains("a/b"), "{error}");
    records.remove("g/t/3/a/b/1");
    assert!(Saved::find("g", "t", 3, &records).is_err());
}

/// What the sample of version 2 was made from.
fn second(model: &mut Model) -> Snapshot {
    let changes = [
        (0, Change::Learns(12)),
        (1, Change::IsStored(9, 0xab)),
        (4, Change::Moves),
        (3, Change::Learns(5)),
        (3, Change::IsStored(3, 1)),
    ];
    step(model, 70, &changes)
}

#[test]
fn version_2_is_read_for_ever() {
    let mut now = Model::new();
    let snapshot = second(&mut now);
    let saved = find(&sample("v2.txt")).unwrap();
    assert_eq!(model(&saved), now);
    assert_eq!((saved.next, saved.partitions), (snapshot.next, Some(snapshot.partitions)));
    assert_eq!((saved.settings, saved.last), (snapshot.settings, snapshot.last));
    let order: Vec<_> = saved.series.iter().map(|known| known.place.seen).collect();
    assert!(order.is_sorted());
}

#[test]
fn version_2_is_written_as_it_was() {
    let mut writer = Writer::new("g/t", 3, "w", Ledger::default());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let written = writer.records(second(&mut Model::new()));
    let line =
        |record: &Outgoing| format!("{} {}\n", record.id, hex(record.payload.as_deref().unwrap()));
    let text: String = written.iter().map(line).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints/v2.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert_eq!(fingerprint(text.as_bytes()), fingerprint(kept.as_bytes()), "{text}");
}
