//! The workers as seen from outside while a run lasts: their memory, processor time and metrics.

use crate::process::{self, Usage};
use crate::scrape;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Between two samples.
const EVERY: Duration = Duration::from_secs(1);

/// What is sampled, and what was.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    processes: Vec<Process>,
    address: Option<SocketAddr>,
    metrics: BTreeMap<String, f64>,
    samples: Vec<Sample>,
    next: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Process {
    pid: u32,
    first: Usage,
    last: Usage,
}

/// All processes at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Seconds since the start.
    pub at: f64,
    /// Bytes of memory of all processes.
    pub resident_bytes: u64,
    /// Seconds of processor time of all processes since the start.
    pub cpu_seconds: f64,
}

/// What was seen of the workers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// The processes that were sampled.
    pub pids: Vec<u32>,
    /// Bytes of memory at the most, of each process.
    pub peak_bytes: Vec<u64>,
    /// Seconds of processor time during the run, of all processes.
    pub cpu_seconds: f64,
    /// Second by second.
    pub samples: Vec<Sample>,
    /// What the worker at the given address told last, by name and labels.
    pub metrics: BTreeMap<String, f64>,
}

impl Workers {
    /// The processes with these numbers, or else all workers of this machine; and the worker whose
    /// metrics are at an address.
    ///
    /// # Errors
    /// When there is no process with such a number.
    pub fn new(pids: &[u32], address: Option<SocketAddr>) -> Result<Workers, String> {
        let found = || process::find("streaming-tda-worker", "run");
        let pids = if pids.is_empty() { found() } else { pids.to_vec() };
        let processes: Result<_, String> = pids.into_iter().map(Process::new).collect();
        Ok(Workers { processes: processes?, address, ..Workers::default() })
    }

    /// Takes a sample once a second. A process that has ended keeps its last one.
    pub fn look(&mut self, at: Duration) {
        if at < self.next {
            return;
        }
        self.next = at + EVERY;
        for process in &mut self.processes {
            process.last = process::usage(process.pid).unwrap_or(process.last);
        }
        let metrics = self.address.and_then(|address| scrape::metrics(address).ok());
        self.metrics = metrics.unwrap_or(std::mem::take(&mut self.metrics));
        if !self.processes.is_empty() {
            let sample = Sample {
                at: at.as_secs_f64(),
                resident_bytes: self.resident_bytes(),
                cpu_seconds: self.cpu_seconds(),
            };
            self.samples.push(sample);
        }
    }

    /// Bytes of memory of all processes, at the last sample.
    pub fn resident_bytes(&self) -> u64 {
        self.processes.iter().map(|process| process.last.resident_bytes).sum()
    }

    /// What was seen; `None` when nothing was.
    pub fn seen(&self) -> Option<Seen> {
        (!self.processes.is_empty() || !self.metrics.is_empty()).then(|| Seen {
            pids: self.processes.iter().map(|process| process.pid).collect(),
            peak_bytes: self.processes.iter().map(|process| process.last.peak_bytes).collect(),
            cpu_seconds: self.cpu_seconds(),
            samples: self.samples.clone(),
            metrics: self.metrics.clone(),
        })
    }

    fn cpu_seconds(&self) -> f64 {
        let used = |process: &Process| process.last.cpu_seconds - process.first.cpu_seconds;
        self.processes.iter().map(used).sum()
    }
}

impl Process {
    fn new(pid: u32) -> Result<Process, String> {
        let first = process::usage(pid).ok_or_else(|| format!("there is no process {pid}"))?;
        Ok(Process { pid, first, last: first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_sampled_once_a_second() {
        let mut workers = Workers::new(&[std::process::id()], None).unwrap();
        for quarter in 0..12 {
            workers.look(Duration::from_millis(250 * quarter));
        }
        let seen = workers.seen().unwrap();
        assert_eq!(seen.samples.iter().map(|s| s.at).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
        assert!(seen.samples.iter().all(|s| s.resident_bytes > 100_000 && s.cpu_seconds >= 0.0));
        assert!(seen.peak_bytes[0] >= seen.samples[0].resident_bytes);
        assert!(Workers::new(&[u32::MAX], None).unwrap_err().contains("no process"));
    }
}
