//! Measures the incremental engine on one stream, and prints the result as one line of JSON.
//!
//! An emission's time is the CPU time of this thread from the first point after the last emission
//! to its diagrams. The first window is not among them. Memory is what the process grew by
//! at most while the stream passed (Linux).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use persistence::{Config, Diagram, Diagrams, Window};
use rustix::time::{ClockId, clock_gettime};

#[derive(Parser)]
struct Arguments {
    /// Points: float32, two dimensions, row by row (.npy)
    stream: PathBuf,
    #[arg(long)]
    window: usize,
    #[arg(long)]
    hop: usize,
    #[arg(long)]
    radius: f32,
}

#[derive(serde::Serialize)]
struct Measured {
    /// CPU time of each emission.
    cpu_ms: Vec<f64>,
    /// How much the process grew.
    peak_bytes: u64,
    /// What the window says that it holds at the end.
    heap_bytes: usize,
    /// Number of bars in H0 and H1, by the index of the newest point.
    bars: BTreeMap<u64, [usize; 2]>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (points, dimension) = read(&arguments)?;
    let mut window = Window::new(&Config::new(dimension, arguments.window, arguments.radius))?;
    forget_peak()?;
    let before = resident("VmRSS")?;
    let (first, rest) = points.split_at(arguments.window * dimension);
    for point in first.chunks_exact(dimension) {
        window.push(point)?;
    }
    let mut bars = BTreeMap::new();
    let shortest = 1e-5 * arguments.radius;
    bars.insert(window.seen() - 1, count(&window.diagrams(), shortest));
    let mut cpu_ms = Vec::new();
    for hop in rest.chunks_exact(arguments.hop * dimension) {
        let start = cpu_time();
        for point in hop.chunks_exact(dimension) {
            window.push(point)?;
        }
        let diagrams = window.diagrams();
        cpu_ms.push((cpu_time() - start).as_secs_f64() * 1e3);
        bars.insert(window.seen() - 1, count(&diagrams, shortest));
    }
    let peak_bytes = resident("VmHWM")? - before;
    let measured = Measured { cpu_ms, peak_bytes, heap_bytes: window.heap_bytes(), bars };
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

fn read(arguments: &Arguments) -> Result<(Vec<f32>, usize)> {
    let npy = npyz::NpyFile::new(fs::File::open(&arguments.stream)?)?;
    let &[rows, columns] = npy.shape() else { bail!("the stream is not a table of points") };
    if (rows as usize) < arguments.window {
        bail!("the stream is shorter than a window");
    }
    Ok((npy.into_vec()?, columns as usize))
}

fn count(diagrams: &Diagrams, shortest: f32) -> [usize; 2] {
    let long = |d: &Diagram| d.pairs().iter().filter(|p| p.persistence() > shortest).count();
    [long(diagrams.degree(0)), long(diagrams.degree(1))]
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn forget_peak() -> Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

fn resident(field: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
    let kilobytes = line.split_whitespace().nth(1).context("no value")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}
