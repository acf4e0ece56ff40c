//! A broker whose disk is full.

use crate::both::Both;
use crate::scene::alone;
use harness::kafka::{Kafka, Options};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A small file system in memory.
struct Disk<'a>(&'a Path);

impl Disk<'_> {
    /// `None` where one may not be mounted.
    fn mount(at: &Path) -> Option<Disk<'_>> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(at);
        mount.output().is_ok_and(|done| done.status.success()).then_some(Disk(at))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_costs_nothing_but_time() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = Disk::mount(folder.path()) else {
        // Not by `println!`, which the test runner keeps to itself.
        let reason = "skipped: a small file system cannot be mounted here (it needs root)";
        writeln!(std::io::stderr(), "a_full_disk_costs_nothing_but_time: {reason}").unwrap();
        return;
    };
    let log = Some(folder.path().join("log"));
    let kafka = Kafka::with(&Options { log, ..Options::default() }).unwrap();
    let mut both = Both::at_work(&kafka, "full", 3);
    let filler = folder.path().join("filler");
    fs::write(&filler, vec![0; 64 << 20]).unwrap_err();
    for _ in 0..100 {
        both.watch(Duration::from_millis(100));
        if !kafka.is_running(0).unwrap() {
            break;
        }
    }
    assert!(!kafka.is_running(0).unwrap(), "a full disk does not end the broker");
    fs::remove_file(&filler).unwrap();
    kafka.restart(0).unwrap();
    both.conclude();
}
