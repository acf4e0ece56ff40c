//! The workers as seen from outside while a run lasts: their memory, processor time and metrics.

use crate::process::{self, Usage};
use crate::scrape;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use worker::Config;

/// Between two samples.
const EVERY: Duration = Duration::from_secs(1);

/// What is sampled, and what was.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    /// Whose workers are looked for again and again; `None` when the processes were named.
    pipeline: Option<Pipeline>,
    processes: Vec<Process>,
    address: Option<SocketAddr>,
    metrics: BTreeMap<String, f64>,
    samples: Vec<Sample>,
    most_bytes: u64,
    next: Duration,
}

/// What tells the workers of a pipeline from others on the same machine.
#[derive(Clone, Debug)]
pub struct Pipeline {
    config: PathBuf,
    group: String,
    input: String,
}

#[derive(Clone, Copy, Debug)]
struct Process {
    pid: u32,
    /// Seconds of processor time that it had used before the run.
    before: f64,
    last: Usage,
    ended: bool,
}

/// All processes at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Seconds since the start.
    pub at: f64,
    /// Bytes of memory of all processes that run.
    pub resident_bytes: u64,
    /// Seconds of processor time of all processes since the start, with that of those that ended.
    pub cpu_seconds: f64,
}

/// What was seen of the workers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// The processes that were sampled.
    pub pids: Vec<u32>,
    /// How many of them ended during the run.
    pub ended: usize,
    /// Bytes of memory at the most, of each process.
    pub peak_bytes: Vec<u64>,
    /// Bytes of memory at the most, of those together that ran at the same time.
    pub most_bytes: u64,
    /// Seconds of processor time during the run, of all processes.
    pub cpu_seconds: f64,
    /// Second by second.
    pub samples: Vec<Sample>,
    /// What the worker at the given address told last, by name and labels.
    pub metrics: BTreeMap<String, f64>,
}

impl Workers {
    /// The processes with these numbers.
    ///
    /// # Errors
    /// When there is no process with such a number.
    pub fn these(pids: &[u32]) -> Result<Workers, String> {
        let named = |pid: &u32| {
            let usage = process::usage(*pid).ok_or_else(|| format!("there is no process {pid}"))?;
            Ok(Process { pid: *pid, before: usage.cpu_seconds, last: usage, ended: false })
        };
        let processes: Result<_, String> = pids.iter().map(named).collect();
        Ok(Workers { processes: processes?, ..Workers::default() })
    }

    /// The workers of a pipeline on this machine: those that run now, and those that are started
    /// while the run lasts.
    pub fn of(pipeline: Pipeline) -> Workers {
        let mut workers = Workers { pipeline: Some(pipeline), ..Workers::default() };
        workers.find();
        for process in &mut workers.processes {
            process.before = process.last.cpu_seconds;
        }
        workers
    }

    /// Reads the metrics of the worker at an address, too.
    #[must_use]
    pub fn with_metrics(self, address: Option<SocketAddr>) -> Workers {
        Workers { address, ..self }
    }

    /// Takes a sample once a second. A process that has ended takes no memory any more, and keeps
    /// the processor time of its last sample.
    pub fn look(&mut self, at: Duration) {
        if at < self.next {
            return;
        }
        self.next = at + EVERY;
        self.processes.iter_mut().for_each(Process::look);
        self.find();
        let metrics = self.address.and_then(|address| scrape::metrics(address).ok());
        self.metrics = metrics.unwrap_or(std::mem::take(&mut self.metrics));
        if !self.processes.is_empty() {
            self.most_bytes = self.most_bytes.max(self.running(|usage| usage.peak_bytes));
            let sample = Sample {
                at: at.as_secs_f64(),
                resident_bytes: self.resident_bytes(),
                cpu_seconds: self.cpu_seconds(),
            };
            self.samples.push(sample);
        }
    }

    /// Bytes of memory of all processes that run, at the last sample.
    pub fn resident_bytes(&self) -> u64 {
        self.running(|usage| usage.resident_bytes)
    }

    /// What was seen; `None` when nothing was.
    pub fn seen(&self) -> Option<Seen> {
        (!self.processes.is_empty() || !self.metrics.is_empty()).then(|| Seen {
            pids: self.processes.iter().map(|process| process.pid).collect(),
            ended: self.processes.iter().filter(|process| process.ended).count(),
            peak_bytes: self.processes.iter().map(|process| process.last.peak_bytes).collect(),
            most_bytes: self.most_bytes,
            cpu_seconds: self.cpu_seconds(),
            samples: self.samples.clone(),
            metrics: self.metrics.clone(),
        })
    }

    /// Adds the workers of the pipeline that are not known yet; what they have used, they have used
    /// since they were started.
    fn find(&mut self) {
        let Some(pipeline) = &self.pipeline else { return };
        for (pid, arguments) in process::find("streaming-tda-worker", "run") {
            let known = |process: &Process| process.pid == pid && !process.ended;
            if self.processes.iter().any(known) || !pipeline.is_served(pid, &arguments) {
                continue;
            }
            let usage = process::usage(pid);
            let new = usage.map(|last| Process { pid, before: 0.0, last, ended: false });
            self.processes.extend(new);
        }
    }

    fn running(&self, bytes: impl Fn(&Usage) -> u64) -> u64 {
        let running = self.processes.iter().filter(|process| !process.ended);
        running.map(|process| bytes(&process.last)).sum()
    }

    fn cpu_seconds(&self) -> f64 {
        self.processes.iter().map(|process| process.last.cpu_seconds - process.before).sum()
    }
}

impl Seen {
    /// How many processes were counted, for people.
    pub fn counted(&self) -> String {
        match (self.pids.len(), self.ended) {
            (count, 0) => count.to_string(),
            (count, ended) => format!("{count}, of which {ended} ended during the run"),
        }
    }
}

impl Process {
    fn look(&mut self) {
        let now = process::usage(self.pid).filter(|now| now.started == self.last.started);
        match now.filter(|_| !self.ended) {
            Some(now) => self.last = now,
            None => self.ended = true,
        }
    }
}

impl Pipeline {
    /// That of a worker with this configuration, which stands in this file.
    pub fn new(config: &Path, read: &Config) -> Pipeline {
        let (group, input) = (read.kafka.group.clone(), read.kafka.input.clone());
        Pipeline { config: config.to_owned(), group, input }
    }

    /// Whether a worker with these arguments serves it. One whose configuration cannot be read, as
    /// that of another user, has to be named to be counted.
    fn is_served(&self, pid: u32, arguments: &[String]) -> bool {
        let file = configuration(arguments).map(|name| process::file(pid, Path::new(name)));
        file.is_some_and(|file| self.is_that_of(&file))
    }

    /// Whether that is the configuration of one of its workers: the same file, or one with the same
    /// group and input, as where each worker has a port of its own.
    fn is_that_of(&self, file: &Path) -> bool {
        let whole = |path: &Path| fs::canonicalize(path).ok();
        if whole(file).is_some_and(|file| whole(&self.config) == Some(file)) {
            return true;
        }
        // A pipe would be read for ever, and take the configuration away from its worker.
        let is_file = fs::metadata(file).is_ok_and(|found| found.is_file());
        let text = is_file.then(|| fs::read_to_string(file).ok()).flatten();
        let read = text.and_then(|text| Config::from_yaml(&text).ok());
        read.is_some_and(|c| c.kafka.group == self.group && c.kafka.input == self.input)
    }
}

/// The file of the configuration among the arguments of a worker.
fn configuration(arguments: &[String]) -> Option<&str> {
    let joined = arguments.iter().find_map(|word| word.strip_prefix("--config="));
    let apart = arguments.windows(2).find(|pair| pair[0] == "--config");
    joined.or(apart.map(|pair| pair[1].as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command};

    fn seconds(workers: &mut Workers, range: std::ops::Range<u64>) {
        range.for_each(|at| workers.look(Duration::from_secs(at)));
    }

    fn pipeline(folder: &Path, name: &str, group: &str) -> Pipeline {
        let file = folder.join(name);
        let yaml = format!(
            "kafka: {{brokers: 'x:1', group: {group}, input: in}}\n\
             scales: [{{name: a, window: 20, max_radius: 1.0}}]\n"
        );
        fs::write(&file, &yaml).unwrap();
        Pipeline::new(&file, &Config::from_yaml(&yaml).unwrap())
    }

    /// A process that is called like a worker and does nothing.
    fn start(folder: &Path, config: &str) -> Child {
        use std::os::unix::process::CommandExt;
        let program = folder.join("streaming-tda-worker");
        let mut command = Command::new("sh");
        command.arg0(program).args(["run", "--config", config]).current_dir(folder);
        command.stdin(std::process::Stdio::piped()).spawn().unwrap()
    }

    #[test]
    fn a_process_is_sampled_once_a_second() {
        let mut workers = Workers::these(&[std::process::id()]).unwrap();
        for quarter in 0..12 {
            workers.look(Duration::from_millis(250 * quarter));
        }
        let seen = workers.seen().unwrap();
        assert_eq!(seen.samples.iter().map(|s| s.at).collect::<Vec<_>>(), [0.0, 1.0, 2.0]);
        assert!(seen.samples.iter().all(|s| s.resident_bytes > 100_000 && s.cpu_seconds >= 0.0));
        assert!(seen.peak_bytes[0] >= seen.samples[0].resident_bytes);
        assert_eq!((seen.most_bytes, seen.ended), (seen.peak_bytes[0], 0));
        assert!(Workers::these(&[u32::MAX]).unwrap_err().contains("no process"));
    }

    /// `sh` reads the file `run` in its folder, which lets it wait for the end of its input.
    #[test]
    fn a_worker_that_ends_and_one_that_begins_are_followed_and_strangers_are_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run"), "read line\n").unwrap();
        let ours = pipeline(folder.path(), "ours.yaml", "ours");
        pipeline(folder.path(), "other-port.yaml", "ours");
        pipeline(folder.path(), "stranger.yaml", "stranger");
        let mut stranger = start(folder.path(), "stranger.yaml");
        let mut first = start(folder.path(), "ours.yaml");
        std::thread::sleep(Duration::from_millis(300));
        let mut workers = Workers::of(ours);
        seconds(&mut workers, 0..2);
        first.kill().unwrap();
        first.wait().unwrap();
        seconds(&mut workers, 2..3);
        let mut second = start(folder.path(), "other-port.yaml");
        std::thread::sleep(Duration::from_millis(300));
        seconds(&mut workers, 3..4);
        let seen = workers.seen().unwrap();
        let memory: Vec<bool> = seen.samples.iter().map(|s| s.resident_bytes > 0).collect();
        for child in [&mut second, &mut stranger] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(seen.pids, [first.id(), second.id()]);
        assert_eq!((memory, seen.ended), (vec![true, true, false, true], 1));
        assert!(seen.most_bytes < seen.peak_bytes.iter().sum(), "they did not run together");
        assert!(seen.samples.is_sorted_by(|a, b| a.cpu_seconds <= b.cpu_seconds));
    }
}
