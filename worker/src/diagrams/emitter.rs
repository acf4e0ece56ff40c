use anyhow::Result;
use persistence::{Config, Scale, batch};

use super::{Arguments, Engine};
use crate::emission::Emission;

/// Samples in, emissions out, by the engine that was asked for.
pub(super) struct Emitter {
    scale: Scale,
    engine: Engine,
    config: Config,
}

impl Emitter {
    pub(super) fn new(arguments: &Arguments, channels: usize) -> Result<Emitter> {
        let (scale, config) = (arguments.scale(channels)?, arguments.config(channels));
        Ok(Emitter { scale, engine: arguments.engine, config })
    }

    /// Goes on from the sample of index `sample`.
    pub(super) fn resume_at(&mut self, sample: u64) {
        self.scale.resume_at(sample);
    }

    /// Samples from the oldest that a full window depends on to the newest.
    pub(super) fn span(&self) -> usize {
        self.scale.span() as usize
    }

    /// Takes a sample whose emission belongs to somebody else.
    pub(super) fn replay(&mut self, sample: &[f32]) -> Result<()> {
        self.scale.replay(sample)?;
        Ok(())
    }

    pub(super) fn push(&mut self, sample: &[f32]) -> Result<Option<Emission>> {
        match self.engine {
            Engine::Incremental => Ok(self.scale.push(sample)?.as_ref().map(Emission::from)),
            Engine::Batch => {
                let due = self.scale.replay(sample)?;
                due.then(|| self.compute()).transpose()
            }
        }
    }

    fn compute(&self) -> Result<Emission> {
        let window = self.scale.window();
        let points: Vec<f32> = window.points().flatten().copied().collect();
        let diagrams = batch::diagrams(&points, &self.config)?;
        Ok(Emission::new(window.seen() - 1, window.len(), &diagrams))
    }
}
