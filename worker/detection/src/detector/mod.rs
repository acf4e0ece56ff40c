//! Scores emissions as they come, and raises alerts.

mod alert;
mod candidates;
mod config;
mod drift;
mod reference;
mod score;

use persistence::{Diagram, Diagrams};
use serde::{Deserialize, Serialize};

use crate::bars::{bars, longest_length};
use crate::features::{
    BettiCurves, Components, Features, LandscapeNorms, Landscapes, Level, Loops, betti_curve, grid,
};
use drift::Drift;
use reference::Reference;

pub use alert::{Alert, Loop, LoopPoint, Moved};
pub use config::{DetectorConfig, DetectorError, DetectorErrors, LoopScore, Span};
pub use score::{Channel, Score};

/// What a detector is told about an emission.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// 0-based index of the newest point of the window in the scale's stream of points.
    pub end: u64,
    /// Time of the newest sample, in milliseconds.
    pub time: f64,
    /// The diagrams of the window up to the cap. Without degree 1, there are no loops.
    pub diagrams: &'a Diagrams,
    /// The radius at which they end, in the unit of the coordinates; the same for all emissions.
    pub cap: f32,
    /// The radii at which this window has the mean degrees of [`Detector::degrees`]; those beyond
    /// the cap count as the cap.
    pub radii: Radii,
    /// Where the samples of the window lie; of as many channels in all emissions.
    pub level: Level,
}

/// One number for each degree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Radii {
    /// For degree 0.
    pub h0: f32,
    /// For degree 1.
    pub h1: f32,
}

/// What a detector says about an emission.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The features.
    pub features: Features,
    /// How unusual it is; `None` in the warm-up.
    pub score: Option<Score>,
    /// An alert, without the loop responsible.
    pub alert: Option<Alert>,
}

/// The running judgement of one scale of one series.
///
/// It is a function of the observations alone: no clock, no chance, no order that could change.
/// Serialised and read back at any moment, it goes on with the same bits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Detector {
    config: DetectorConfig,
    window: usize,
    /// Emissions until a window shares no point with this one, at least 1.
    delay: usize,
    /// Emissions seen.
    seen: u64,
    /// Time of the first emission, in milliseconds.
    first: Option<f64>,
    /// Time of the last alert, in milliseconds.
    last_alert: Option<f64>,
    reference: Option<Reference>,
    drift: Drift,
}

impl Detector {
    /// A detector for windows of `window` points that emit after every `hop` points.
    ///
    /// # Errors
    /// Lists all that is wrong with the configuration.
    pub fn new(
        config: &DetectorConfig,
        window: usize,
        hop: usize,
    ) -> Result<Detector, DetectorErrors> {
        config.validate()?;
        Ok(Detector {
            config: config.clone(),
            window,
            delay: window.div_ceil(hop.max(1)).max(1),
            seen: 0,
            first: None,
            last_alert: None,
            reference: None,
            drift: Drift::default(),
        })
    }

    /// What the detector was made with.
    pub fn config(&self) -> &DetectorConfig {
        &self.config
    }

    /// The mean degrees at whose radii the diagrams of a window are ended.
    pub fn degrees(&self) -> Radii {
        let half = self.window.div_ceil(2) as f32;
        Radii { h0: self.config.h0_degree, h1: self.config.h1_degree.unwrap_or(half) }
    }

    /// Takes the next emission: its features, its score against the emissions before it, and an
    /// alert if it is due.
    pub fn observe(&mut self, observation: &Observation<'_>) -> Outcome {
        let warming_up = self.warms_up(observation.time);
        let features = self.features(observation, warming_up);
        let row = score::scored(&features);
        let channels = features.level.mean.len();
        let reference = self.reference.get_or_insert_with(|| {
            let width = score::features(channels) + score::MOVES;
            Reference::new(self.config.memory, DetectorConfig::MAX_MEMORY, self.delay - 1, width)
        });
        if !warming_up {
            reference.settle();
        }
        let deviations = reference.deviations(&row, &score::floors(channels, observation.cap));
        let moves = score::moves(&deviations, self.config.clip);
        let moved = std::array::from_fn(|i| {
            reference.deviation(row.len() + i, moves[i], score::MOVE_FLOOR)
        });
        let silent = warming_up || reference.len() == 0;
        reference.push(observation.time, &[&row[..], &moves].concat());
        self.seen += 1;
        if silent {
            return Outcome { features, score: None, alert: None };
        }
        let score = Score::of(&deviations, moved, &self.config);
        let alert = self.is_due(&score, observation.time).then(|| {
            self.last_alert = Some(observation.time);
            Alert::new((observation.end, self.window), &score, &row, &deviations, channels)
        });
        Outcome { features, score: Some(score), alert }
    }

    fn warms_up(&mut self, time: f64) -> bool {
        let first = *self.first.get_or_insert(time);
        match self.config.warm_up {
            Span::Emissions(n) => self.seen < n as u64,
            Span::Seconds(s) => time - first < s * 1000.0,
        }
    }

    /// Whether the score is high enough and the last alert long ago. A clock set back does not
    /// silence the detector.
    fn is_due(&self, score: &Score, time: f64) -> bool {
        let rested = self.last_alert.is_none_or(|last| {
            time < last || time - last >= self.config.refractory_seconds * 1000.0
        });
        rested && score.value >= self.config.threshold
    }

    fn features(&mut self, observation: &Observation<'_>, warming_up: bool) -> Features {
        let none = Diagram::default();
        let of = |degree: usize| observation.diagrams.all().get(degree).unwrap_or(&none);
        let (cap, radii, config) = (observation.cap, observation.radii, &self.config);
        let h0 = bars(of(0), 0, radii.h0.min(cap));
        let h1 = bars(of(1), 1, radii.h1.min(cap));
        let whole = [bars(of(0), 0, cap), bars(of(1), 1, cap)];
        let longest = longest_length(of(0)).max(longest_length(of(1)));
        let radii = grid(config.betti_radii, if cap.is_finite() { cap } else { longest });
        Features {
            h0: Components::of(&h0),
            h1: Loops::of(&h1),
            betti: BettiCurves {
                h0: betti_curve(of(0), &radii),
                h1: betti_curve(of(1), &radii),
                radii,
            },
            landscape: Landscapes {
                h0: LandscapeNorms::of(&h0, config.landscapes),
                h1: LandscapeNorms::of(&h1, config.landscapes),
            },
            distance: self.drift.observe(whole, config.distance_bars, warming_up),
            level: observation.level.clone(),
        }
    }
}
