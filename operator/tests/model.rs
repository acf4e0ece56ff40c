//! The plan, walked through crashes after any write, old views, lost and repeated news, changed specs
//! and children that others change or remove. Whatever has happened: once it has stopped, everything
//! becomes what the spec says, and then nothing is written any more.
#![allow(clippy::unwrap_used)]

use crds::spec::Autoscaling;
use crds::status::PartitionCounts;
use crds::{StreamingTDA, StreamingTDAStatus};
use k8s_openapi::jiff::Timestamp;
use operator::child::{Child, Key, Kind};
use operator::fleet::{Known, Look};
use operator::observed::{Observed, Refusal};
use operator::plan::{Delete, Plan, plan};
use operator::revision::Settings;
use operator::scaling::Decision;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A sequence of choices that a seed decides (SplitMix64).
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn of<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }
}

/// A cluster with one resource.
#[derive(Clone)]
struct World {
    resource: StreamingTDA,
    settings: Settings,
    monitors: bool,
    known: Known,
    children: BTreeMap<Key, Value>,
    ids: u64,
    time: i64,
}

fn resource() -> StreamingTDA {
    serde_json::from_value(json!({
        "apiVersion": "streamingtda.io/v1alpha1",
        "kind": "StreamingTDA",
        "metadata": {"name": "ecg", "namespace": "hearts", "uid": "resource", "generation": 1},
        "spec": {
            "kafka": {"brokers": ["kafka:9092"], "input": "ecg"},
            "scales": [{"name": "beat", "window": 62, "maxRadius": {"value": 1.6}}],
            "resources": {"requests": {"cpu": "0.5"}, "limits": {"memory": "1024Mi"}},
        },
    }))
    .unwrap()
}

impl World {
    fn new(choices: &mut Choices) -> World {
        World {
            resource: resource(),
            settings: Settings {
                image_repository: "worker".into(),
                image_tag: "1".into(),
                image_digest: None,
            },
            monitors: choices.below(2) == 0,
            known: Known::default(),
            children: BTreeMap::new(),
            ids: 0,
            time: 0,
        }
    }

    fn observed(&self) -> Observed {
        Observed {
            resource: self.resource.clone(),
            settings: self.settings.clone(),
            children: self.children.clone(),
            monitors: self.monitors,
            known: self.known.clone(),
            refusal: None,
        }
    }

    fn plan(&self) -> Plan {
        plan(&self.observed(), Timestamp::from_second(self.time).unwrap())
    }

    /// Executes a plan up to a number of requests.
    fn execute(&mut self, plan: &Plan, mut requests: usize) {
        let mut more = || {
            requests = requests.saturating_sub(1);
            requests > 0
        };
        for write in &plan.writes {
            if !more() {
                return;
            }
            self.apply(&write.child);
        }
        for delete in &plan.deletes {
            if !more() {
                return;
            }
            self.delete(delete);
        }
        if let (Some(status), true) = (&plan.status, more()) {
            self.resource.status = Some(status.clone());
        }
    }

    /// What the API server makes of it: fields of ours as they are sent, and some of its own.
    fn apply(&mut self, child: &Child) {
        let before = self.children.get(&child.key).cloned().unwrap_or(Value::Null);
        let mut object = kept(&child.manifest);
        if child.key.kind == Kind::ControllerRevision && !before.is_null() {
            assert_eq!(before["data"], object["data"], "the data of a revision cannot change");
        }
        if before.is_null() {
            self.ids += 1;
            object["metadata"]["uid"] = json!(self.ids.to_string());
            object["metadata"]["generation"] = json!(1);
        } else {
            let changed = before["spec"] != object["spec"];
            object["metadata"]["uid"] = before["metadata"]["uid"].clone();
            let generation = before["metadata"]["generation"].as_i64().unwrap();
            object["metadata"]["generation"] = json!(generation + i64::from(changed));
            for theirs in ["/status", "/metadata/deletionTimestamp"] {
                if let Some(value) = before.pointer(theirs) {
                    let (section, field) = theirs.rsplit_once('/').unwrap();
                    object.pointer_mut(section).unwrap()[field] = value.clone();
                }
            }
        }
        self.children.insert(child.key.clone(), object);
    }

    /// A Deployment is there for as long as its pods are.
    fn delete(&mut self, delete: &Delete) {
        let Some(there) = self.children.get_mut(&delete.key) else { return };
        if there["metadata"]["uid"] != delete.uid.as_str() {
            return;
        }
        match delete.key.kind {
            Kind::Deployment => there["metadata"]["deletionTimestamp"] = json!("now"),
            _ => _ = self.children.remove(&delete.key),
        }
    }

    /// Deployments that have been deleted are gone, with their pods.
    fn collect(&mut self) {
        self.children.retain(|_, object| object["metadata"]["deletionTimestamp"].is_null());
    }

    /// Whether there is a Deployment that stays.
    fn runs(&self) -> bool {
        self.children.iter().any(|(key, object)| {
            key.kind == Kind::Deployment && object["metadata"]["deletionTimestamp"].is_null()
        })
    }

    /// What the controller of Deployments says of each: how many of its pods are ready.
    fn tend(&mut self, mut ready: impl FnMut(i64) -> (i64, bool)) {
        for (key, object) in &mut self.children {
            if key.kind == Kind::Deployment {
                let wanted = object["spec"]["replicas"].as_i64().unwrap();
                let (ready, stuck) = ready(wanted);
                let late = json!([{
                    "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                    "message": "too slow",
                }]);
                object["status"] = json!({
                    "observedGeneration": object["metadata"]["generation"],
                    "replicas": wanted,
                    "updatedReplicas": wanted,
                    "readyReplicas": ready,
                    "conditions": if stuck { late } else { json!([]) },
                });
            }
        }
    }

    fn change_spec(&mut self, choices: &mut Choices) {
        let spec = &mut self.resource.spec;
        match choices.below(8) {
            7 => spec.autoscaling = choices.of(&[None, Some(scaled(1, 3)), Some(scaled(2, 9))]),
            0 => spec.replicas = choices.of(&[0, 1, 3]),
            1 => spec.image.tag = choices.of(&[None, Some("a".into()), Some("b".into())]),
            2 => spec.series.dimension = choices.of(&[1, 2, 3]),
            3 => spec.network_policy.enabled = choices.of(&[true, false]),
            4 => spec.rollout.revision_history_limit = choices.of(&[0, 1, 3]),
            5 => {
                spec.observability.service_monitor =
                    choices.of(&[None, Some(crds::spec::ServiceMonitor::default())]);
            }
            _ => spec.pod.labels = choices.of(&[[].into(), [("a".into(), "b".into())].into()]),
        }
        *self.resource.metadata.generation.as_mut().unwrap() += 1;
    }

    /// What others do to a child.
    fn meddle(&mut self, choices: &mut Choices) {
        let keys: Vec<Key> = self.children.keys().cloned().collect();
        if keys.is_empty() {
            return;
        }
        let key = choices.of(&keys);
        let object = self.children.get_mut(&key).unwrap();
        match choices.below(3) {
            0 => _ = self.children.remove(&key),
            1 => object["metadata"]["labels"]["streamingtda.io/name"] = json!("another"),
            _ if key.kind == Kind::Deployment => object["spec"]["replicas"] = json!(9),
            _ => object["metadata"]["ownerReferences"][0]["controller"] = json!(null),
        }
    }
}

/// Without what is empty, with defaults, and with amounts in another spelling.
fn kept(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let empty = |v: &Value| *v == json!({}) || *v == json!([]) || v.is_null();
            let there = fields.iter().map(|(k, v)| (k.clone(), kept(v))).filter(|(_, v)| !empty(v));
            let mut there: Map<String, Value> = there.collect();
            if there.contains_key("containerPort") || there.contains_key("image") {
                there.insert("added".into(), json!("by the API server"));
            }
            there.into()
        }
        Value::Array(items) => items.iter().map(kept).collect(),
        Value::String(text) if text == "0.5" => json!("500m"),
        Value::String(text) if text == "1024Mi" => json!("1Gi"),
        other => other.clone(),
    }
}

fn scaled(least: i32, most: i32) -> Autoscaling {
    serde_json::from_value(json!({"minReplicas": least, "maxReplicas": most})).unwrap()
}

fn decision(replicas: i32) -> Decision {
    Decision {
        replicas,
        lag_seconds: Some(1.0),
        busy_percent: Some(50.0),
        blind: None,
        measured: true,
        message: "it is so".into(),
    }
}

/// What workers may have told.
fn known(choices: &mut Choices) -> Known {
    let look = Look {
        partitions: choices.of(&[None, Some(PartitionCounts { total: 3, owned: 2 })]),
        ..Look::default()
    };
    let decided = choices.of(&[None, Some(1), Some(2), Some(5)]);
    Known { look: choices.of(&[None, Some(look)]), decision: decided.map(decision) }
}

fn replicas(world: &World) -> i64 {
    let mut deployments = world.children.iter().filter(|(key, _)| key.kind == Kind::Deployment);
    deployments.next().unwrap().1["spec"]["replicas"].as_i64().unwrap()
}

fn is_true(status: &StreamingTDAStatus, name: &str) -> bool {
    status.conditions.iter().any(|c| c.type_ == name && c.status == "True")
}

/// Lets everything come to rest: news arrives, pods become ready, nothing fails.
fn settle(world: &mut World, seed: u64) {
    for _ in 0..12 {
        world.collect();
        world.tend(|wanted| (wanted, false));
        let plan = world.plan();
        if plan.is_empty() {
            return;
        }
        world.execute(&plan, usize::MAX);
        world.time += 1;
    }
    panic!("seed {seed}: it does not come to rest: {:#?}", world.plan());
}

/// What a resource that has never been anything else would have.
fn fresh(world: &World, seed: u64) -> World {
    let mut fresh = World { children: BTreeMap::new(), ..world.clone() };
    fresh.resource.status = None;
    settle(&mut fresh, seed);
    fresh
}

/// Without what tells of the past: ids, generations, and the numbers of revisions.
fn timeless(children: &BTreeMap<Key, Value>) -> BTreeMap<&Key, Value> {
    let timeless = |(key, object): (_, &Value)| {
        let mut object = object.clone();
        object["metadata"]["uid"] = Value::Null;
        object["metadata"]["generation"] = Value::Null;
        object["metadata"]["annotations"] = Value::Null;
        object["revision"] = Value::Null;
        object["status"]["observedGeneration"] = Value::Null;
        (key, object)
    };
    children.iter().map(timeless).collect()
}

fn walk(seed: u64) {
    let mut choices = Choices(seed);
    let mut world = World::new(&mut choices);
    // Without old views and meddling, there is always a Deployment once there was one.
    let careful = seed.is_multiple_of(2);
    let mut views = vec![world.clone()];
    for _ in 0..choices.below(40) {
        world.time += 1;
        match choices.below(10) {
            9 => world.known = known(&mut choices),
            0 => world.change_spec(&mut choices),
            1 => world.settings.image_tag = choices.of(&["1".into(), "2".into()]),
            2 => world
                .tend(|wanted| (choices.below(wanted as usize + 1) as i64, choices.below(4) == 0)),
            3 => world.collect(),
            4 if !careful => world.meddle(&mut choices),
            _ => {
                let old = views.len().saturating_sub(1 + choices.below(4));
                let view = if careful { &world } else { &views[old] };
                let plan = view.plan();
                let ran = world.runs();
                world.execute(&plan, choices.of(&[1, 2, 5, 9, usize::MAX]));
                if choices.below(4) == 0 {
                    twice(&mut world, &plan, &mut choices);
                }
                assert!(!careful || !ran || world.runs(), "seed {seed}: no worker is left");
            }
        }
        if choices.below(16) == 0 {
            comes_to_rest(world.clone(), seed);
        }
        views.push(world.clone());
    }
    comes_to_rest(world, seed);
}

/// The same news comes again, and what follows from it is done again: where nothing was missing, there
/// is no difference.
fn twice(world: &mut World, plan: &Plan, choices: &mut Choices) {
    world.execute(plan, usize::MAX);
    let once = world.clone();
    world.execute(plan, choices.of(&[1, 3, usize::MAX]));
    assert_eq!(timeless(&world.children), timeless(&once.children));
}

/// From here, when nothing goes wrong any more, everything becomes what the spec says.
fn comes_to_rest(mut world: World, seed: u64) {
    // In the end, workers are seen.
    world.known = known(&mut Choices(seed));
    world.known.decision.get_or_insert_with(|| decision(2));
    settle(&mut world, seed);
    let status = world.resource.status.clone().unwrap();
    assert!(is_true(&status, "Ready") && !is_true(&status, "Stalled"), "seed {seed}: {status:#?}");
    assert_eq!(status.observed_generation, world.resource.metadata.generation);
    assert_eq!(status.stable_revision, Some(world.observed().revision().to_string()));
    assert_eq!(status.candidate_revision, None);
    let history = world.observed().history().len();
    let limit = world.resource.spec.rollout.revision_history_limit as usize;
    assert!(history <= limit + 1, "seed {seed}: {history} revisions are remembered");
    let fresh = fresh(&world, seed);
    world
        .children
        .retain(|key, _| key.kind != Kind::ControllerRevision || fresh.children.contains_key(key));
    assert_eq!(timeless(&world.children), timeless(&fresh.children), "seed {seed}");
}

#[test]
fn whatever_has_happened_everything_becomes_what_the_spec_says() {
    for seed in 0..1000 {
        walk(seed);
    }
}

#[test]
fn a_revision_comes_before_the_one_that_it_replaces_goes() {
    let mut world = World::new(&mut Choices(0));
    settle(&mut world, 0);
    let old = world.observed().revision();
    world.resource.spec.series.dimension = 2;
    world.resource.metadata.generation = Some(2);
    let new = world.observed().revision();
    let plan = world.plan();
    assert!(plan.deletes.is_empty());
    assert_eq!(plan.status.as_ref().unwrap().stable_revision, Some(old.to_string()));
    assert_eq!(plan.status.as_ref().unwrap().candidate_revision, Some(new.to_string()));
    world.execute(&plan, usize::MAX);
    let plan = world.plan();
    assert_eq!(plan.deletes[0].key, Key::new(Kind::Deployment, format!("ecg-{old}")));
    world.execute(&plan, usize::MAX);
    settle(&mut world, 0);
    let reasons: Vec<String> = plan.events.iter().map(|event| event.reason.to_string()).collect();
    assert_eq!(reasons, ["RevisionRetired"]);
    assert_eq!(world.observed().history().len(), 2);
    assert_eq!(world.resource.status.unwrap().revisions.len(), 1);
}

#[test]
fn what_cannot_go_on_is_stalled_and_says_why() {
    let mut world = World::new(&mut Choices(0));
    settle(&mut world, 0);
    world.resource.spec.series.dimension = 2;
    let plan = world.plan();
    world.execute(&plan, usize::MAX);
    world.tend(|_| (0, true));
    let plan = world.plan();
    let status = plan.status.unwrap();
    assert!(is_true(&status, "Stalled") && !is_true(&status, "Ready"));
    let stalled = status.conditions.iter().find(|c| c.type_ == "Stalled").unwrap();
    assert_eq!(stalled.reason, "ProgressDeadlineExceeded");
    assert!(stalled.message.contains("too slow"));
    assert!(plan.events.iter().any(|event| event.reason.to_string() == "Stalled"));
}

#[test]
fn what_is_refused_is_said_once() {
    let mut world = World::new(&mut Choices(0));
    let refused = |world: &World| {
        let mut observed = world.observed();
        let message = "the Role ecg-workers is refused: no".to_owned();
        observed.refusal = Some(Refusal { reason: "Forbidden", message });
        plan(&observed, Timestamp::from_second(world.time).unwrap())
    };
    let first = refused(&world);
    let status = first.status.clone().unwrap();
    let ready = status.conditions.iter().find(|c| c.type_ == "Ready").unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "Forbidden"));
    let reasons: Vec<String> = first.events.iter().map(|event| event.reason.to_string()).collect();
    assert_eq!(reasons, ["Stalled"]);
    world.resource.status = first.status;
    world.time += 60;
    let second = refused(&world);
    assert!(second.status.is_none() && second.events.is_empty());
    settle(&mut world, 0);
    assert!(is_true(&world.resource.status.unwrap(), "Ready"));
}

#[test]
fn pods_that_do_not_arrive_in_time_are_stalled_until_they_do() {
    let mut world = World::new(&mut Choices(0));
    settle(&mut world, 0);
    world.resource.spec.replicas += 3;
    *world.resource.metadata.generation.as_mut().unwrap() += 1;
    let deadline = i64::from(world.resource.spec.rollout.progress_deadline_seconds);
    let look = |world: &mut World, seconds: i64, ready: i64| {
        world.time += seconds;
        world.tend(|_| (ready, false));
        let plan = world.plan();
        world.execute(&plan, usize::MAX);
        is_true(world.resource.status.as_ref().unwrap(), "Stalled")
    };
    assert!(!look(&mut world, 1, 1) && !look(&mut world, 1, 1));
    assert!(!look(&mut world, deadline - 2, 1));
    assert!(look(&mut world, 2, 1) && look(&mut world, deadline, 1));
    // Another spec has its own time.
    world.resource.spec.replicas -= 1;
    *world.resource.metadata.generation.as_mut().unwrap() += 1;
    assert!(!look(&mut world, 1, 1) && !look(&mut world, deadline - 2, 1));
    settle(&mut world, 0);
    assert!(is_true(world.resource.status.as_ref().unwrap(), "Ready"));
}

#[test]
fn autoscaling_begins_with_what_runs_and_outlives_the_operator() {
    let mut world = World::new(&mut Choices(0));
    world.resource.spec.replicas = 3;
    settle(&mut world, 0);
    world.resource.spec.autoscaling = Some(scaled(1, 9));
    world.resource.spec.replicas = 1;
    settle(&mut world, 0);
    assert_eq!(replicas(&world), 3);
    world.known.decision = Some(decision(5));
    let plan = world.plan();
    let scaled = plan.events.iter().find(|event| event.reason.to_string() == "Scaled").unwrap();
    assert_eq!(scaled.note, "from 3 to 5 pods: it is so; spec.replicas is not used");
    settle(&mut world, 0);
    assert_eq!(replicas(&world), 5);
    let told = world.resource.status.clone().unwrap().autoscaling.unwrap();
    assert!(told.last_scale_time.is_some() && told.desired_replicas == 5);
    // Another operator has not asked anyone yet, and someone has meddled.
    world.known = Known::default();
    assert!(world.plan().is_empty());
    for (key, object) in &mut world.children {
        if key.kind == Kind::Deployment {
            object["spec"]["replicas"] = json!(9);
        }
    }
    settle(&mut world, 0);
    assert_eq!(replicas(&world), 5);
    // Its bounds hold at once.
    world.resource.spec.autoscaling = Some(self::scaled(1, 2));
    settle(&mut world, 0);
    assert_eq!(replicas(&world), 2);
    world.resource.spec.autoscaling = None;
    settle(&mut world, 0);
    assert_eq!((replicas(&world), world.resource.status.unwrap().autoscaling), (1, None));
    let mut new = World::new(&mut Choices(0));
    new.resource.spec.autoscaling = Some(self::scaled(2, 9));
    settle(&mut new, 0);
    assert_eq!(replicas(&new), 2, "nothing runs yet");
}

#[test]
fn partitions_are_served_when_workers_say_so() {
    let mut world = World::new(&mut Choices(0));
    settle(&mut world, 0);
    let said = |world: &mut World, owned: Option<i32>, waiting: i32| {
        let partitions = owned.map(|owned| PartitionCounts { total: 3, owned });
        let look = Look { partitions, waiting, ..Look::default() };
        world.known.look = Some(look);
        settle(world, 0);
        let status = world.resource.status.clone().unwrap();
        let serving = status.conditions.into_iter().find(|c| c.type_ == "Serving").unwrap();
        assert_eq!(status.partitions, partitions);
        (serving.status + " " + &serving.reason, serving.message)
    };
    assert_eq!(said(&mut world, Some(3), 0).0, "True AllPartitionsOwned");
    // An operator that has just begun has asked nobody, and says what was said.
    world.known = Known::default();
    assert!(world.plan().is_empty());
    let (reason, message) = said(&mut world, Some(2), 0);
    assert_eq!(reason, "False PartitionsUnowned");
    assert!(message.starts_with("2 of 3 partitions"), "{message}");
    assert_eq!(said(&mut world, Some(3), 1).0, "False PartitionsWaiting");
    let (reason, message) = said(&mut world, None, 0);
    assert_eq!(reason, "True PodsReady");
    assert!(message.contains("cannot be seen"), "{message}");
    world.tend(|_| (0, false));
    let plan = world.plan();
    let status = plan.status.unwrap();
    assert!(!is_true(&status, "Serving") && status.partitions.is_none());
}
