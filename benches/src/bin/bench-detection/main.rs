//! Scores a series with the detector: what `benches/detection` compares with other methods.
//!
//! Samples of one channel come as raw `f32`, little-endian; scores go as JSON Lines to standard
//! output, the calibration first.

mod pipeline;

use std::fs::{self, File};
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use pipeline::{Pipeline, Setting};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Score a series.
    Score {
        /// Samples, raw little-endian f32.
        samples: PathBuf,
        /// How to look at them, as JSON.
        #[arg(long)]
        setting: PathBuf,
    },
    /// Find the beats of an electrocardiogram, abnormal ones marked, by the classical rule.
    Beats {
        /// Samples, raw little-endian f32.
        samples: PathBuf,
        /// Samples a second.
        #[arg(long)]
        rate: f64,
    },
}

fn main() -> Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    match Arguments::parse().command {
        Command::Score { samples, setting } => score(&samples, &setting, &mut out)?,
        Command::Beats { samples, rate } => beats(&samples, rate, &mut out)?,
    }
    Ok(out.flush()?)
}

fn score(samples: &Path, setting: &Path, out: &mut impl Write) -> Result<()> {
    let file = File::open(setting).with_context(|| format!("opening {}", setting.display()))?;
    let setting: Setting = serde_json::from_reader(file)
        .with_context(|| format!("reading the setting {}", setting.display()))?;
    let samples = read(samples)?;
    let mut pipeline = Pipeline::new(&setting, &samples)?;
    writeln!(out, "{}", serde_json::to_string(pipeline.view())?)?;
    for (index, sample) in (0..).zip(&samples) {
        if let Some(row) = pipeline.push(index, *sample)? {
            writeln!(out, "{}", serde_json::to_string(&row)?)?;
        }
    }
    Ok(())
}

fn beats(samples: &Path, rate: f64, out: &mut impl Write) -> Result<()> {
    for beat in detection::qrs::beats(&read(samples)?, rate) {
        let (sample, correlation, abnormal) = (beat.sample, beat.correlation, beat.abnormal);
        writeln!(
            out,
            r#"{{"sample":{sample},"correlation":{correlation},"abnormal":{abnormal}}}"#
        )?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let (values, _) = bytes.as_chunks();
    Ok(values.iter().map(|b| f32::from_le_bytes(*b)).collect())
}
