//! Outputs, checkpoint and offset in one transaction, whatever goes wrong with it.
#![allow(clippy::unwrap_used)]

use mesh::checkpoint::{Snapshot, Writer};
use mesh::delivery::{Progress, Settled, Transacted, Transactions, Trouble};
use mesh::{Batch, Kind, Outgoing, Target};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A log in which a call goes wrong when its turn has come.
#[derive(Default)]
struct Script {
    /// Which calls go wrong next, in this order.
    troubles: VecDeque<(&'static str, Trouble)>,
    /// Whether a commit that goes wrong has been done all the same.
    commits_anyway: bool,
    refuses: &'static [&'static str],
    /// Whether it never comes to the end of an initialisation.
    silent: bool,
    /// What is set before a call goes wrong.
    revokes: Option<Arc<AtomicBool>>,
    calls: Vec<&'static str>,
    open: Vec<String>,
    /// How many of those are acknowledged.
    acknowledged: usize,
    offset: Option<i64>,
    records: Vec<String>,
    committed: Option<i64>,
}

impl Script {
    fn call(&mut self, name: &'static str) -> Result<(), Trouble> {
        self.calls.push(name);
        match self.troubles.front() {
            Some((wrong, _)) if *wrong == name => {
                self.revokes.iter().for_each(|revoked| revoked.store(true, Ordering::SeqCst));
                Err(self.troubles.pop_front().unwrap().1)
            }
            _ => Ok(()),
        }
    }

    fn apply(&mut self) {
        self.records.append(&mut self.open);
        self.committed = self.offset.take();
    }

    /// A log that refuses one record refuses with it what it was sent with.
    fn refused(&self) -> Vec<(String, String)> {
        let sent = &self.open[self.acknowledged..];
        let refuses = sent.iter().any(|sent| self.refuses.contains(&sent.as_str()));
        let refused = sent.iter().filter(|_| refuses);
        refused.map(|id| (id.clone(), "too large".into())).collect()
    }

    fn count(&self, name: &str) -> usize {
        self.calls.iter().filter(|call| **call == name).count()
    }
}

impl Transactions for Script {
    fn init(&mut self) -> Result<bool, Trouble> {
        self.open.clear();
        self.call("init").map(|()| !self.silent)
    }

    fn committed(&mut self) -> Result<Option<i64>, Trouble> {
        self.call("committed").map(|()| self.committed)
    }

    fn begin(&mut self) -> Result<(), Trouble> {
        assert!(self.open.is_empty(), "a transaction is open already");
        self.acknowledged = 0;
        self.call("begin")
    }

    fn append(&mut self, record: &Outgoing) -> Result<(), Trouble> {
        self.open.push(record.id.clone());
        self.call("append")
    }

    fn commit_offset(&mut self, next: i64) -> Result<(), Trouble> {
        self.offset = Some(next);
        self.call("commit_offset")
    }

    fn settle(&mut self) -> Result<Settled, Trouble> {
        self.call("settle")?;
        let refused = self.refused();
        if !refused.is_empty() {
            return Ok(Settled::Refused(refused));
        }
        self.acknowledged = self.open.len();
        Ok(Settled::All)
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        let called = self.call("commit");
        if called.is_ok() || self.commits_anyway {
            self.apply();
        }
        called
    }

    fn abort(&mut self) -> Result<Vec<(String, String)>, Trouble> {
        let refused = self.refused();
        self.open.clear();
        self.call("abort").map(|()| refused)
    }
}

fn output(id: &str) -> Outgoing {
    Outgoing {
        to: Target::Output(Kind::Diagrams),
        id: id.into(),
        key: None,
        payload: None,
        headers: Vec::new(),
        timestamp: None,
    }
}

fn batch(ids: &[&str], next: i64) -> Batch {
    Batch { records: ids.iter().map(|id| output(id)).collect(), next, snapshot: None, waits: None }
}

fn transacted(committed: Option<i64>) -> (Transacted, Arc<AtomicBool>) {
    let revoked = Arc::new(AtomicBool::new(false));
    let writer = Writer::new("g/in", 0, "w", Default::default());
    (Transacted::new(0, writer, committed, revoked.clone()), revoked)
}

/// Steps until there is nothing to do; `true` when the partition was given up as fenced.
fn run(transacted: &mut Transacted, log: &mut Script) -> bool {
    for _ in 0..100 {
        match transacted.step(log, Duration::from_secs(1)).unwrap() {
            Progress::Idle => return false,
            Progress::Over { fenced } => return fenced,
            _ => {}
        }
    }
    panic!("it does not come to an end: {:?}", log.calls);
}

fn indefinite() -> Trouble {
    Trouble::Indefinite("timed out".into())
}

#[test]
fn what_comes_meanwhile_goes_into_the_next_transaction() {
    let (mut transacted, _) = transacted(Some(3));
    let mut log = Script { committed: Some(3), ..Script::default() };
    transacted.accept(batch(&["a"], 4));
    transacted.step(&mut log, Duration::ZERO).unwrap();
    transacted.accept(batch(&["b", "c"], 6));
    let snapshot = Snapshot { next: 6, ..Snapshot::default() };
    transacted.accept(Batch {
        records: Vec::new(),
        next: 6,
        snapshot: Some(snapshot),
        waits: None,
    });
    run(&mut transacted, &mut log);
    assert_eq!(log.records, ["a", "b", "c", "g/in/0@w/0/series.0", "g/in/0@w"]);
    assert_eq!((log.committed, log.count("commit")), (Some(6), 2));
    assert!(transacted.is_idle());
}

#[test]
fn an_offset_alone_waits_a_little_and_one_that_is_known_for_ever() {
    let (mut transacted, _) = transacted(Some(3));
    let mut log = Script::default();
    transacted.accept(batch(&[], 3));
    assert!(transacted.is_idle());
    transacted.accept(batch(&[], 4));
    let at = |ms| Duration::from_millis(ms);
    assert!(matches!(transacted.step(&mut log, at(99)).unwrap(), Progress::Idle));
    assert!(matches!(transacted.step(&mut log, at(100)).unwrap(), Progress::Moved));
    run(&mut transacted, &mut log);
    assert_eq!(log.committed, Some(4));
}

#[test]
fn an_error_before_the_commit_aborts_and_sends_the_same_again() {
    for wrong in ["append", "commit_offset", "settle"] {
        let (mut transacted, _) = transacted(None);
        let troubles = [(wrong, Trouble::Abortable("failed".into()))].into();
        let mut log = Script { troubles, ..Script::default() };
        transacted.accept(batch(&["a", "b"], 4));
        run(&mut transacted, &mut log);
        assert_eq!((&log.records[..], log.committed), (&["a".into(), "b".into()][..], Some(4)));
        assert_eq!((log.count("abort"), log.count("init")), (1, 0), "{wrong}");
    }
}

#[test]
fn after_an_indefinite_error_the_committed_offset_tells_whether_to_send_again() {
    for wrong in ["begin", "append", "commit_offset", "settle", "commit"] {
        for commits_anyway in [false, true] {
            let (mut transacted, _) = transacted(Some(3));
            let again = ["init", "committed"].map(|call| (call, indefinite()));
            let troubles = [(wrong, indefinite())].into_iter().chain(again).collect();
            let mut log =
                Script { troubles, commits_anyway, committed: Some(3), ..Script::default() };
            transacted.accept(batch(&["a", "b"], 4));
            run(&mut transacted, &mut log);
            transacted.accept(batch(&["c"], 5));
            run(&mut transacted, &mut log);
            assert_eq!(log.records, ["a", "b", "c"], "{wrong} {commits_anyway}");
            assert_eq!(log.committed, Some(5));
            assert!(log.troubles.is_empty());
        }
    }
}

#[test]
fn an_offset_that_somebody_else_committed_ends_it() {
    let (mut transacted, revoked) = transacted(Some(3));
    let mut log = Script { troubles: [("commit", indefinite())].into(), ..Script::default() };
    log.committed = Some(9);
    transacted.accept(batch(&["a"], 4));
    assert!(run(&mut transacted, &mut log));
    assert!(log.records.is_empty() && revoked.load(Ordering::SeqCst));
}

#[test]
fn who_is_fenced_gives_up_without_a_commit() {
    for wrong in ["begin", "append", "commit_offset", "settle", "commit"] {
        let (mut transacted, revoked) = transacted(None);
        let troubles = [(wrong, Trouble::Fenced("epoch".into()))].into();
        let mut log = Script { troubles, ..Script::default() };
        transacted.accept(batch(&["a"], 4));
        assert!(run(&mut transacted, &mut log));
        assert!(log.records.is_empty() && revoked.load(Ordering::SeqCst));
        assert!(transacted.is_idle());
    }
}

#[test]
fn who_is_fenced_after_it_was_revoked_has_not_lost_the_partition_to_others() {
    let (mut transacted, revoked) = transacted(None);
    let troubles = [("commit", Trouble::Fenced("epoch".into()))].into();
    let mut log = Script { troubles, revokes: Some(revoked), ..Script::default() };
    transacted.accept(batch(&["a"], 4));
    assert!(!run(&mut transacted, &mut log));
}

#[test]
fn who_is_revoked_leaves_no_transaction_open() {
    let (mut transacted, revoked) = transacted(None);
    let mut log = Script::default();
    transacted.accept(batch(&["a"], 4));
    transacted.step(&mut log, Duration::ZERO).unwrap();
    transacted.step(&mut log, Duration::ZERO).unwrap();
    revoked.store(true, Ordering::SeqCst);
    assert!(!run(&mut transacted, &mut log));
    assert_eq!((log.count("abort"), log.records.len()), (1, 0));
}

#[test]
fn a_record_that_will_never_be_accepted_is_left_out() {
    let (mut transacted, _) = transacted(None);
    let mut log = Script { refuses: &["b"], ..Script::default() };
    transacted.accept(batch(&["a", "b", "c"], 4));
    run(&mut transacted, &mut log);
    assert_eq!((&log.records[..], log.committed), (&["a".into(), "c".into()][..], Some(4)));
}

#[test]
fn what_was_acknowledged_before_a_refusal_is_not_asked_about_again_one_by_one() {
    let (mut transacted, _) = transacted(None);
    let mut log = Script { refuses: &["d", "f", "h"], ..Script::default() };
    transacted.accept(batch(&["a", "b", "c", "d", "e", "f", "g", "h"], 4));
    run(&mut transacted, &mut log);
    assert_eq!(log.records, ["a", "b", "c", "e", "g"]);
    // All together at first; then each record once, and once again after each refusal all of those
    // before it; and all that is left at the end.
    assert_eq!((log.count("begin"), log.count("settle")), (5, 1 + 8 + 3 + 1));
}

#[test]
fn a_refusal_that_comes_after_what_went_wrong_by_it_is_not_forgotten() {
    for wrong in ["append", "commit_offset"] {
        let (mut transacted, _) = transacted(None);
        let troubles = [(wrong, Trouble::Abortable("a record has failed".into()))].into();
        let mut log = Script { troubles, refuses: &["a"], ..Script::default() };
        transacted.accept(batch(&["a", "b", "c"], 4));
        run(&mut transacted, &mut log);
        assert_eq!((&log.records[..], log.committed), (&["b".into(), "c".into()][..], Some(4)));
        // It was known at the first abort that each has to be sent alone.
        assert_eq!(log.count("abort"), 2, "{wrong}");
    }
}

#[test]
fn who_is_revoked_while_the_log_is_silent_does_not_insist() {
    let (mut transacted, revoked) = transacted(None);
    let troubles = [("commit", indefinite())].into();
    let mut log = Script { troubles, silent: true, ..Script::default() };
    transacted.accept(batch(&["a"], 4));
    while log.count("init") < 3 {
        transacted.step(&mut log, Duration::ZERO).unwrap();
    }
    revoked.store(true, Ordering::SeqCst);
    assert!(!run(&mut transacted, &mut log));
    assert_eq!((log.count("init"), log.count("committed")), (3, 0));
}
