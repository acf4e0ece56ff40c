//! Several threads on one stream: it is cut into stretches, each of which begins with the
//! samples that its first window reaches back to. An emission depends on nothing else, so
//! the stretches are computed side by side and their lines are written in order.

use std::io::Write;
use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::samples::Samples;
use super::{Arguments, Emitter, Engine};

/// Consecutive samples of one stream.
struct Stretch {
    /// Index of the first sample in the stream.
    start: u64,
    /// Row by row.
    samples: Vec<f32>,
    /// Samples at the front whose emissions belong to the stretches before.
    replayed: usize,
}

/// The lines of a stretch, when they are ready.
type Lines = Result<Vec<u8>>;

/// A stretch to compute, and where its lines go.
type Task = (Stretch, Sender<Lines>);

pub(super) fn emit_side_by_side(
    arguments: &Arguments,
    first: Vec<f32>,
    samples: &mut dyn Samples,
    output: &mut dyn Write,
) -> Result<()> {
    let (threads, channels) = (arguments.threads.get(), first.len());
    let cutter = Cutter::new(arguments, first)?;
    let (tasks, todo) = bounded::<Task>(0);
    let (promises, in_order) = bounded::<Receiver<Lines>>(2 * threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            let todo = todo.clone();
            scope.spawn(move || compute(arguments, channels, &todo));
        }
        drop(todo);
        scope.spawn(move || cutter.cut_all(samples, &tasks, &promises));
        for lines in in_order {
            output.write_all(&lines.recv().context("a computing thread died")??)?;
        }
        Ok(())
    })
}

fn compute(arguments: &Arguments, channels: usize, todo: &Receiver<Task>) {
    for (stretch, lines) in todo {
        // The receiver is gone when the output has failed, and then nobody wants the lines.
        drop(lines.send(stretch.emit(arguments, channels)));
    }
}

impl Stretch {
    fn emit(&self, arguments: &Arguments, channels: usize) -> Lines {
        let mut emitter = Emitter::new(arguments, channels)?;
        emitter.resume_at(self.start);
        let (replayed, own) = self.samples.split_at(self.replayed * channels);
        for sample in replayed.chunks_exact(channels) {
            emitter.replay(sample)?;
        }
        let mut lines = Vec::new();
        for sample in own.chunks_exact(channels) {
            if let Some(emission) = emitter.push(sample)? {
                emission.write(&mut lines)?;
                lines.push(b'\n');
            }
        }
        Ok(lines)
    }
}

/// Cuts a stream into stretches.
struct Cutter {
    /// The stretch being filled.
    stretch: Stretch,
    channels: usize,
    /// New samples in a stretch.
    length: usize,
    /// Samples of the past that a window depends on.
    past: usize,
}

impl Cutter {
    fn new(arguments: &Arguments, first: Vec<f32>) -> Result<Cutter> {
        let channels = first.len();
        let past = Emitter::new(arguments, channels)?.span() - 1;
        // Building the window at the front costs the incremental engine about as much as sliding
        // it over its own length; the batch engine only has to copy it.
        let length = match arguments.engine {
            Engine::Incremental => (8 * past).max(arguments.hop),
            Engine::Batch => arguments.hop,
        };
        let stretch = Stretch { start: 0, samples: first, replayed: 0 };
        Ok(Cutter { stretch, channels, length, past })
    }

    fn cut_all(
        mut self,
        samples: &mut dyn Samples,
        tasks: &Sender<Task>,
        promises: &Sender<Receiver<Lines>>,
    ) {
        let mut sample = Vec::with_capacity(self.channels);
        loop {
            let read = samples.read(&mut sample);
            let more = matches!(read, Ok(true));
            if more {
                self.stretch.samples.extend_from_slice(&sample);
            }
            if !more || self.is_full() {
                let (lines, promise) = bounded(1);
                let stretch = self.cut();
                if promises.send(promise).is_err() || tasks.send((stretch, lines)).is_err() {
                    return;
                }
            }
            if let Err(error) = read {
                let (lines, promise) = bounded(1);
                drop(lines.send(Err(error.into())));
                drop(promises.send(promise));
            }
            if !more {
                return;
            }
        }
    }

    fn is_full(&self) -> bool {
        let held = self.stretch.samples.len() / self.channels;
        held >= self.stretch.replayed + self.length
    }

    /// Gives the stretch away and begins the next one with the last samples of this.
    fn cut(&mut self) -> Stretch {
        let held = self.stretch.samples.len() / self.channels;
        let replayed = held.min(self.past);
        let start = self.stretch.start + (held - replayed) as u64;
        let samples = self.stretch.samples[(held - replayed) * self.channels..].to_vec();
        std::mem::replace(&mut self.stretch, Stretch { start, samples, replayed })
    }
}
