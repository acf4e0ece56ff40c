//! What the engine costs by itself, in several processes at once: what several of them cost each
//! other on this machine, whoever brings the points.

use crate::workload::{HOP, WINDOW, Workload};
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Points that each process works off.
const POINTS: u64 = 60_000;
/// Between two looks whether a process has ended.
const LOOK: Duration = Duration::from_millis(20);

/// The worker's engine on a file of points, without a broker.
pub(crate) struct Alone {
    worker: PathBuf,
    workload: Workload,
    folder: TempDir,
}

impl Alone {
    pub(crate) fn prepare(workload: Workload) -> Result<Alone> {
        let mut points = String::new();
        for index in 0..POINTS {
            let coordinates = workload.point(0, index);
            let mut coordinates = coordinates.iter().map(f32::to_string);
            let first = coordinates.next().context("a point has a coordinate")?;
            write!(points, "{first}")?;
            coordinates.try_for_each(|x| write!(points, ",{x}"))?;
            points.push('\n');
        }
        let folder = TempDir::new()?;
        fs::write(folder.path().join("points.csv"), points)?;
        Ok(Alone { worker: harness::binary::worker()?, workload, folder })
    }

    /// CPU seconds per million points of so many processes that compute the same at once.
    pub(crate) fn cost(&self, processes: usize) -> Result<f64> {
        let children: Vec<Child> = (0..processes).map(|_| self.start()).collect::<Result<_>>()?;
        let cpu: Duration = children.into_iter().map(cpu).sum::<Result<_>>()?;
        Ok(1e6 * cpu.as_secs_f64() / (POINTS as f64 * processes as f64))
    }

    fn start(&self) -> Result<Child> {
        let [window, hop] = [WINDOW, HOP].map(|n| n.to_string());
        let radius = self.workload.radius.to_string();
        let mut command = Command::new(&self.worker);
        command.args(["diagrams", "--window", &window, "--hop", &hop, "--max-radius", &radius]);
        command.args(["--output", "/dev/null", "points.csv"]).current_dir(&self.folder);
        command.stdout(Stdio::null()).spawn().context("cannot start the worker")
    }
}

/// How long a process has computed when it has ended. That is told until somebody waits for it.
fn cpu(mut child: Child) -> Result<Duration> {
    let path = format!("/proc/{}/stat", child.id());
    let stat = loop {
        let stat = fs::read_to_string(&path)?;
        if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')) {
            break stat;
        }
        std::thread::sleep(LOOK);
    };
    let status = child.wait()?;
    ensure!(status.success(), "the engine alone ended with {status}");
    harness::process::cpu_of(&stat).with_context(|| format!("{path} tells no times"))
}
