//! A walk through all fields of the spec: what is reached by a path is what is made directly, and the
//! way back leads to where it began.

use super::fields::{Change, changes, edited, read, refused};
use super::state::{Object, difference, objects};
use super::theatre::Theatre;
use anyhow::{Context, Result, bail, ensure};
use harness::cluster::Client;
use harness::operator::Operator;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

/// The variable with the seed of the random paths.
const SEED: &str = "STDA_WALK_SEED";
/// Walkers, each in a namespace of its own.
const WALKERS: usize = 14;
/// For how long random paths are begun.
const RANDOM: Duration = Duration::from_secs(25);
const PATIENCE: Duration = Duration::from_secs(60);
const PRIORITIES: &str = "
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: streaming}
value: 1
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: streamingx}
value: 2
";

#[test]
fn every_path_leads_to_what_is_made_directly() {
    let theatre = Theatre::open();
    theatre.plane.client().apply(PRIORITIES).unwrap();
    theatre.plane.client().apply(crate::chart::MONITORS).unwrap();
    let operator = Operator::start_with(&theatre.rights, "walk", &["--alone"]).unwrap();
    let start = start();
    let all = changes(&start);
    are_refused(&theatre, &start);
    let begun = Instant::now();
    let queue = Mutex::new(all.clone());
    together(&theatre, "walk", &|walker| {
        walker.begin(&start)?;
        while let Some(change) = pop(&queue) {
            walker.there_and_back(&start, &change).with_context(|| change.field.clone())?;
        }
        Ok(())
    });
    let walked = begun.elapsed();
    let seed = env::var(SEED).map_or_else(|_| now(), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}: {} fields in {walked:?}", all.len());
    let paths = Mutex::new(0);
    let begun = Instant::now();
    together(&theatre, "wander", &|walker| {
        let mut choices = Choices(seed ^ (walker.number as u64) << 32);
        while begun.elapsed() < RANDOM {
            let reached = walker.wander(&start, &all, &mut choices);
            reached.with_context(|| format!("walker {}, {SEED}={seed}", walker.number))?;
            *paths.lock().unwrap() += 1;
        }
        Ok(())
    });
    println!("{} random paths in {:?}", paths.lock().unwrap(), begun.elapsed());
    thread::sleep(Duration::from_secs(2));
    let written = operator.metric("stda_operator_writes_total").unwrap();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(operator.metric("stda_operator_writes_total").unwrap(), written);
}

/// The corpus has a manifest in which almost every field is something.
fn start() -> Value {
    let file = harness::root().join("crds/tests/corpus/valid/everything.yaml");
    let manifest: Value = serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    // Nobody looks at the pods.
    edited(&manifest["spec"], &read(&json!({"replicas": 0})))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn pop(queue: &Mutex<Vec<Change>>) -> Option<Change> {
    queue.lock().unwrap().pop()
}

/// What is said to be refused must be, or else it is to be walked.
fn are_refused(theatre: &Theatre, start: &Value) {
    let walker = Walker::new(theatre, "refused", 0).unwrap();
    walker.apply(&walker.home, start).unwrap();
    for (_, edits, said) in refused() {
        let error = walker.apply(&walker.home, &edited(start, &read(&edits)));
        let error = format!("{:#}", error.expect_err(&format!("{edits} is taken: walk it")));
        assert!(error.contains(said), "{edits}: {error}");
    }
}

fn together(theatre: &Theatre, place: &str, walk: &(dyn Fn(&Walker) -> Result<()> + Sync)) {
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for number in 0..WALKERS {
            let failures = &failures;
            scope.spawn(move || {
                let walked = Walker::new(theatre, place, number).and_then(|walker| walk(&walker));
                if let Err(error) = walked {
                    failures.lock().unwrap().push(format!("{error:#}"));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

struct Walker {
    client: Client,
    number: usize,
    /// Where it walks.
    home: String,
    /// Namespaces in which the same was made directly.
    others: AtomicUsize,
}

impl Walker {
    fn new(theatre: &Theatre, place: &str, number: usize) -> Result<Walker> {
        let client = Client::of(&theatre.admin)?;
        let home = format!("{place}-{number}");
        let walker = Walker { client, number, home, others: AtomicUsize::new(0) };
        walker.make_namespace(&walker.home)?;
        Ok(walker)
    }

    fn begin(&self, spec: &Value) -> Result<()> {
        self.apply(&self.home, spec)?;
        self.settled(&self.home).map(drop)
    }

    fn there_and_back(&self, start: &Value, change: &Change) -> Result<()> {
        let before = self.settled(&self.home)?;
        self.apply(&self.home, &change.spec)?;
        let direct = self.made_directly(&change.spec)?;
        ensure!(direct != before, "it changes nothing, not even the resource");
        self.reaches(&direct)?;
        self.apply(&self.home, start)?;
        self.reaches(&before).context("back again")
    }

    /// Changes some fields, not all of which come into force before the next, and ends with a spec that
    /// is made directly too.
    fn wander(&self, start: &Value, all: &[Change], choices: &mut Choices) -> Result<()> {
        let mut spec = start.clone();
        for _ in 0..1 + choices.below(5) {
            let change = &all[choices.below(all.len())];
            let next = edited(&spec, &change.edits);
            // Not everything goes together.
            if self.apply(&self.home, &next).is_ok() {
                spec = next;
            }
            thread::sleep(Duration::from_millis([0, 100, 600][choices.below(3)]));
        }
        let direct = self.made_directly(&spec)?;
        self.reaches(&direct).with_context(|| spec.to_string())
    }

    /// Each in a namespace of its own: nothing has to go before another can be made.
    fn made_directly(&self, spec: &Value) -> Result<BTreeMap<String, Object>> {
        let other = self.others.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("direct-{other}-of-{}", self.home);
        self.make_namespace(&namespace)?;
        self.apply(&namespace, spec)?;
        self.settled(&namespace)
    }

    fn make_namespace(&self, name: &str) -> Result<()> {
        let metadata = json!({"name": name});
        let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        self.client.apply(&manifest.to_string())
    }

    fn apply(&self, namespace: &str, spec: &Value) -> Result<()> {
        let manifest = json!({
            "apiVersion": "streamingtda.io/v1alpha1",
            "kind": "StreamingTDA",
            "metadata": {"name": "everything", "namespace": namespace},
            "spec": spec,
        });
        self.client.apply(&manifest.to_string())
    }

    /// Waits until the spec is in force, with nothing left of the one before.
    fn settled(&self, namespace: &str) -> Result<BTreeMap<String, Object>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let there = self.client.get(&resource(namespace))?.context("it has gone")?;
            if is_in_force(&there) {
                return Ok(here_and_now(objects(&self.client, namespace)?));
            }
            if Instant::now() > deadline {
                bail!("it does not come into force: {}", there["status"]);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn reaches(&self, wanted: &BTreeMap<String, Object>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let there = self.settled(&self.home)?;
            if there == *wanted {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{}", difference(&there, wanted));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

fn resource(namespace: &str) -> String {
    format!("/apis/streamingtda.io/v1alpha1/namespaces/{namespace}/streamingtdas/everything")
}

fn is_in_force(resource: &Value) -> bool {
    let conditions = resource["status"]["conditions"].as_array();
    let holds = |c: &Value| {
        c["type"] == "Ready"
            && c["status"] == "True"
            && c["observedGeneration"] == resource["metadata"]["generation"]
    };
    conditions.is_some_and(|conditions| conditions.iter().any(holds))
}

/// Without the revisions that were, and without how many there were.
fn here_and_now(objects: BTreeMap<String, Object>) -> BTreeMap<String, Object> {
    let status = &objects["streamingtdas/everything"]["status"];
    let now = format!("everything-{}", status["stableRevision"].as_str().unwrap_or_default());
    let stays =
        |key: &String| key.strip_prefix("controllerrevisions/").is_none_or(|name| name == now);
    let there = objects.into_iter().filter(|(key, _)| stays(key));
    there.map(|(key, object)| (key, without_counts(&object))).collect()
}

fn without_counts(value: &Value) -> Value {
    const COUNTS: [&str; 4] =
        ["generation", "observedGeneration", "revision", "streamingtda.io/generation"];
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !COUNTS.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), without_counts(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_counts).collect(),
        other => other.clone(),
    }
}

/// A sequence of choices that a seed decides (SplitMix64).
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}
