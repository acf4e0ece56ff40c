//! The command `diagrams`: points from a file or standard input, diagrams as JSON Lines.
//!
//! Input is read as it comes and never held whole.

mod arguments;
mod csv;
mod emitter;
mod npy;
mod output;
mod progress;
pub(crate) mod samples;
mod stretches;

use std::io::{self, Write};

use anyhow::{Result, bail};

pub use arguments::{Arguments, Engine};
use emitter::Emitter;
use progress::Watched;
use samples::Samples;

/// Runs the command. A reader of the output that goes away ends it without an error.
///
/// # Errors
/// Says what is wrong with the arguments, the input or the output, where, and what to do. What
/// was computed before that is written.
pub fn run(arguments: &Arguments) -> Result<()> {
    let span = arguments.scale(1)?.span();
    let input = samples::open(&arguments.input, arguments.channels.clone())?;
    let mut output = output::open(arguments)?;
    let mut samples = Watched::new(input, progress::bar(arguments.output.is_none()));
    let emitted = emit_all(arguments, &mut samples, &mut *output);
    let written = emitted.and(output.flush().map_err(anyhow::Error::from));
    samples.finish();
    match written {
        Err(error) if is_broken_pipe(&error) => return Ok(()),
        written => written?,
    }
    if samples.count() < span {
        let (name, count) = (samples.name(), samples.count());
        eprintln!("note: {name} has {count} samples, the first emission needs {span}");
    }
    Ok(())
}

fn emit_all(arguments: &Arguments, samples: &mut Watched, output: &mut dyn Write) -> Result<()> {
    let mut first = Vec::new();
    if !samples.read(&mut first)? {
        bail!("{} holds no points; give it at least one window of them", samples.name());
    }
    match arguments.threads.get() {
        1 => emit_in_turn(arguments, first, samples, output),
        _ => stretches::emit_side_by_side(arguments, first, samples, output),
    }
}

fn emit_in_turn(
    arguments: &Arguments,
    mut sample: Vec<f32>,
    samples: &mut Watched,
    output: &mut dyn Write,
) -> Result<()> {
    let mut emitter = Emitter::new(arguments, sample.len())?;
    let mut line = Vec::new();
    loop {
        if let Some(emission) = emitter.push(&sample)? {
            line.clear();
            emission.write(&mut line)?;
            line.push(b'\n');
            output.write_all(&line)?;
        }
        if !samples.read(&mut sample)? {
            return Ok(());
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
