//! What was measured on, and with which versions.

use crate::job::Packages;
use anyhow::{Context, Result};
use serde::Serialize;
use std::fs;
use std::process::Command;

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    date: String,
    processor: String,
    cores: usize,
    memory_bytes: u64,
    system: String,
    kernel: String,
    /// Processes that wanted to compute in the last minute, on average, before and after.
    load_before: f64,
    pub(crate) load_after: f64,
    worker: &'static str,
    rustc: String,
    kafka: &'static str,
    java: String,
    python: Packages,
}

impl Machine {
    pub(crate) fn of(python: &Packages) -> Result<Machine> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let system = field(&release, "PRETTY_NAME", '=').unwrap_or("Linux").trim_matches('"');
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kib = field(&memory, "MemTotal", ':').context("/proc/meminfo tells no total")?;
        let kib: u64 = kib.trim_end_matches("kB").trim().parse()?;
        Ok(Machine {
            date: today().context("the clock is wrong")?,
            processor: field(&processors, "model name", ':').unwrap_or("unknown").into(),
            cores: std::thread::available_parallelism()?.get(),
            memory_bytes: kib * 1024,
            system: system.into(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().into(),
            load_before: load()?,
            load_after: 0.0,
            worker: env!("CARGO_PKG_VERSION"),
            rustc: first_line("rustc", "--version")?,
            kafka: harness::kafka::VERSION,
            java: first_line("java", "--version")?,
            python: python.clone(),
        })
    }
}

fn today() -> Option<String> {
    let now = chrono::DateTime::from_timestamp_millis(crate::arrivals::now() as i64)?;
    Some(now.date_naive().to_string())
}

pub(crate) fn load() -> Result<f64> {
    let loads = fs::read_to_string("/proc/loadavg")?;
    loads.split(' ').next().and_then(|load| load.parse().ok()).context("no load is told")
}

fn field<'a>(text: &'a str, name: &str, sign: char) -> Option<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(sign));
    lines.filter(|(n, _)| n.trim() == name).map(|(_, value)| value.trim()).next()
}

fn first_line(program: &str, option: &str) -> Result<String> {
    let output = Command::new(program).arg(option).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().into())
}
