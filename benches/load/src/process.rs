//! What a process on this machine uses, as Linux tells it.

use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// What a process has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Usage {
    /// Bytes of memory now.
    pub resident_bytes: u64,
    /// Bytes of memory at the most.
    pub peak_bytes: u64,
    /// Seconds of processor time, of all threads.
    pub cpu_seconds: f64,
    /// When it was started, in ticks of the machine's clock: it tells a process from a later one
    /// with the same number.
    pub started: u64,
}

/// What a process has used so far; `None` when there is no such process.
pub fn usage(pid: u32) -> Option<Usage> {
    let folder = Path::new("/proc").join(pid.to_string());
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    parse(&status, &stat, rustix::param::clock_ticks_per_second() as f64)
}

/// The processes whose program has this name and whose first argument is this one, each with the
/// arguments after it.
pub fn find(program: &str, argument: &str) -> Vec<(u32, Vec<String>)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut found: Vec<_> =
        pids.filter_map(|pid: u32| Some((pid, arguments(pid, program, argument)?))).collect();
    found.sort_unstable();
    found
}

/// Where a file stands that is named in the arguments of a process, which may have a folder, or
/// as in a container a tree of files, of its own.
pub fn file(pid: u32, name: &Path) -> PathBuf {
    let folder = Path::new("/proc").join(pid.to_string());
    match name.strip_prefix("/") {
        Ok(below) => folder.join("root").join(below),
        Err(_) => folder.join("cwd").join(name),
    }
}

fn arguments(pid: u32, program: &str, argument: &str) -> Option<Vec<String>> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let named = Path::new(words.next()?.as_ref()).file_name()? == program;
    let first = words.next()?;
    (named && first == argument).then(|| words.map(String::from).collect())
}

fn parse(status: &str, stat: &str, ticks: f64) -> Option<Usage> {
    let bytes = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        let kib: u64 = line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()?;
        Some(1024 * kib)
    };
    // The name in brackets may hold anything; the fields after it are counted from 3.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    let time = |number: usize| field(number)?.parse::<f64>().ok();
    Some(Usage {
        resident_bytes: bytes("VmRSS")?,
        peak_bytes: bytes("VmHWM")?,
        cpu_seconds: (time(14)? + time(15)?) / ticks,
        started: field(22)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_understood() {
        let status = "Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t   2000 kB\nVmRSS:\t   1000 kB\n";
        let stat = "42 (a) (b 1) S 1 42 42 0 -1 4194560 10 0 0 0 250 50 0 0 20 0 3 0 100 0 0";
        let usage = parse(status, stat, 100.0).unwrap();
        assert_eq!((usage.resident_bytes, usage.peak_bytes), (1_024_000, 2_048_000));
        assert_eq!((usage.cpu_seconds, usage.started), (3.0, 100));
        assert_eq!(parse("", "", 100.0), None);
    }

    #[test]
    fn this_process_uses_something() {
        let busy = std::time::Instant::now();
        while busy.elapsed().as_millis() < 50 {}
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.resident_bytes > 100_000 && usage.peak_bytes >= usage.resident_bytes);
        assert!(usage.cpu_seconds > 0.0);
        assert_eq!(super::usage(u32::MAX), None);
    }
}
