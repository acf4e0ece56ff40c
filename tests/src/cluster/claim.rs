//! The number of a cluster, which no other on this machine has, and what is called after it.

use super::cgroups;
use super::network::{self, Addresses, in_use};
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::ops::Range;
use std::path::Path;

/// The numbers there are.
pub(super) const NUMBERS: Range<u8> = 0..8;
/// Emptied when the machine starts, as are the groups and interfaces that are called after them.
const LOCKS: &str = "/run/streaming-tda";

/// A number that is taken until this is dropped, or this process ends.
pub(super) struct Claim {
    number: u8,
    lock: File,
}

impl Claim {
    /// Takes a free number for the cluster with this folder, and removes what clusters have left
    /// that could not do so themselves.
    pub(super) fn take(folder: &Path) -> Result<Claim> {
        fs::create_dir_all(LOCKS).with_context(|| format!("cannot make {LOCKS}"))?;
        let mut taken = None;
        for number in NUMBERS {
            let Some(claim) = Claim::of(number)? else { continue };
            if taken.is_none() && !in_use(claim.addresses())? {
                taken = Some(claim);
            }
        }
        let mut claim = taken.with_context(|| {
            format!(
                "{} clusters run on this machine, or their addresses, {} and following, are in \
                 use; `make cluster-down` ends the one of this checkout",
                NUMBERS.len(),
                Addresses::of(NUMBERS.start).all(),
            )
        })?;
        claim.note(&folder.display().to_string())?;
        Ok(claim)
    }

    /// None when a running cluster has this number.
    fn of(number: u8) -> Result<Option<Claim>> {
        let mut file = File::options();
        file.create(true).truncate(false).read(true).write(true);
        let mut lock = file.open(format!("{LOCKS}/cluster-{number}"))?;
        if lock.try_lock().is_err() {
            return Ok(None);
        }
        let mut former = String::new();
        lock.read_to_string(&mut former)?;
        let claim = Claim { number, lock };
        claim.sweep(&former)?;
        Ok(Some(claim))
    }

    pub(super) fn addresses(&self) -> Addresses {
        Addresses::of(self.number)
    }

    /// The host's end of the cable.
    pub(super) fn interface(&self) -> String {
        format!("stda{}", self.number)
    }

    /// The control group of a node.
    pub(super) fn group(&self, node: u8) -> String {
        format!("{}node{node}", self.groups())
    }

    fn groups(&self) -> String {
        format!("stda{}-", self.number)
    }

    /// Removes what a process that was killed could not: all else has ended with it.
    fn sweep(&self, folder: &str) -> Result<()> {
        cgroups::remove(&self.groups())?;
        network::remove(&self.interface());
        if Path::new(folder).join("control-plane").exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot remove {folder}"))?;
        }
        Ok(())
    }

    fn note(&mut self, folder: &str) -> Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        Ok(self.lock.write_all(folder.as_bytes())?)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        network::remove(&self.interface());
        let removed = cgroups::remove(&self.groups()).and_then(|()| self.note(""));
        if let Err(error) = removed {
            eprintln!("cluster {} is not wholly gone: {error:#}", self.number);
        }
    }
}
