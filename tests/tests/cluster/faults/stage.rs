//! A namespace with an operator of its own, which meets the faults: it is started again when it
//! crashes, as a kubelet would do it.

use super::state::{Object, is_settled, objects};
use crate::operator::example;
use anyhow::{Result, bail, ensure};
use harness::cluster::Client;
use harness::cluster::detour::Detour;
use harness::operator::Operator;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take once all is well again: longer than it takes to notice that a
/// connection is dead, and to try again what has failed a few times.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// How much of its log is shown when a case fails.
const LINES: usize = 20;
const TICK: Duration = Duration::from_millis(20);

/// Where one case is played.
pub(super) struct Stage {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) detour: Detour,
    operator: Mutex<Option<Operator>>,
    /// Operators that were started.
    starts: AtomicUsize,
    ended: AtomicBool,
}

impl Stage {
    /// Makes the namespace, as who may do everything; the operator has these rights.
    pub(super) fn set(admin: &Path, rights: &Path, namespace: &str) -> Result<Stage> {
        let client = Client::of(admin)?;
        let manifest =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        client.apply(&manifest.to_string())?;
        Ok(Stage {
            client,
            namespace: namespace.into(),
            detour: Detour::to(rights)?,
            operator: Mutex::default(),
            starts: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        })
    }

    /// Plays something while the operator is kept running.
    pub(super) fn play<T>(&self, play: impl FnOnce(&Stage) -> Result<T>) -> Result<T> {
        thread::scope(|scope| {
            let keeper = scope.spawn(|| self.keep());
            let played = play(self).map_err(|error| error.context(self.log()));
            self.ended.store(true, Ordering::SeqCst);
            let kept = keeper.join().unwrap();
            played.and_then(|played| kept.map(|()| played))
        })
    }

    /// Starts the operator, and again whenever it has crashed or ended.
    fn keep(&self) -> Result<()> {
        self.start()?;
        while !self.ended.load(Ordering::SeqCst) {
            if self.detour.crashed() {
                self.crash()?;
                self.detour.recover();
                self.start()?;
            } else if self.has_ended() {
                ensure!(self.starts() < 20, "the operator ends again and again:\n{}", self.log());
                self.start()?;
            }
            thread::sleep(TICK);
        }
        self.crash()
    }

    fn start(&self) -> Result<()> {
        let number = self.starts.fetch_add(1, Ordering::SeqCst);
        let identity = format!("{}-{number}", self.namespace);
        let only = ["--alone", "--watch-namespaces", &self.namespace];
        let operator = Operator::start_with(&self.detour.kubeconfig(), &identity, &only)?;
        *self.operator.lock().unwrap_or_else(PoisonError::into_inner) = Some(operator);
        Ok(())
    }

    fn crash(&self) -> Result<()> {
        let operator = self.operator.lock().unwrap_or_else(PoisonError::into_inner).take();
        operator.map_or(Ok(()), Operator::kill)
    }

    fn has_ended(&self) -> bool {
        let mut operator = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        operator.as_mut().is_none_or(|operator| operator.check().is_err())
    }

    fn log(&self) -> String {
        let operator = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        let log = operator.as_ref().map(Operator::log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(LINES).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub(super) fn starts(&self) -> usize {
        self.starts.load(Ordering::SeqCst)
    }

    /// What the example is with another name and other fields in its spec. What the API server does
    /// not answer is said again.
    pub(super) fn apply(&self, name: &str, changes: &Value) -> Result<()> {
        let mut manifest = example();
        manifest["metadata"] = json!({"name": name, "namespace": self.namespace});
        for (field, value) in changes.as_object().into_iter().flatten() {
            manifest["spec"][field] = value.clone();
        }
        self.persist(&manifest)
    }

    pub(super) fn persist(&self, manifest: &Value) -> Result<()> {
        let manifest = manifest.to_string();
        let what = "a manifest is applied";
        self.client.wait_until(what, PATIENCE, |client| client.apply(&manifest).map(|()| true))
    }

    /// Deletes what is at a path of the namespace.
    pub(super) fn delete(&self, group: &str, path: &str) -> Result<()> {
        let path = format!("/{group}/namespaces/{}/{path}", self.namespace);
        self.client.wait_until("something is deleted", PATIENCE, |client| {
            if let Some(there) = client.get(&path)?
                && there["metadata"]["deletionTimestamp"].is_null()
            {
                client.send(Method::DELETE, &path, "application/json", &json!({}))?;
            }
            Ok(true)
        })
    }

    /// Waits until every resource is in force and nothing is written any more; gives what there is.
    pub(super) fn settle(&self, quiet: Duration) -> Result<BTreeMap<String, Object>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.detour.quiet_for() > quiet
                && let Ok(objects) = objects(&self.client, &self.namespace)
                && is_settled(&objects)
            {
                return Ok(objects);
            }
            if Instant::now() > deadline {
                let there = json!(objects(&self.client, &self.namespace)?);
                bail!(
                    "it does not settle, and the last writes were {:?}:\n{there}",
                    self.detour.latest()
                );
            }
            thread::sleep(5 * TICK);
        }
    }

    /// Waits until there is what there should be.
    pub(super) fn become_equal(&self, wanted: &BTreeMap<String, Object>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.detour.quiet_for() > 10 * TICK {
                let there = objects(&self.client, &self.namespace);
                if there.as_ref().is_ok_and(|there| there == wanted) {
                    return Ok(());
                }
                if Instant::now() > deadline {
                    bail!("{}", super::state::difference(&there?, wanted));
                }
            }
            ensure!(Instant::now() < deadline + PATIENCE, "it writes and writes");
            thread::sleep(5 * TICK);
        }
    }

    /// Sees that nothing follows from something that has nothing to do with a spec.
    pub(super) fn is_quiet(&self) -> Result<()> {
        let before = self.detour.writes();
        let path =
            format!("/apis/streamingtda.io/v1alpha1/namespaces/{}/streamingtdas", self.namespace);
        for resource in items(&self.client.get(&path)?.unwrap_or_default()) {
            let path = format!("{path}/{}", resource["metadata"]["name"].as_str().unwrap());
            let note = json!({"metadata": {"annotations": {"note": "something"}}});
            self.client.send(Method::PATCH, &path, "application/merge-patch+json", &note)?;
        }
        thread::sleep(Duration::from_millis(1200));
        let after = self.detour.writes();
        ensure!(before == after, "it is not quiet: {:?}", self.detour.latest());
        Ok(())
    }
}

pub(super) fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default()
}
