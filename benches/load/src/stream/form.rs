use super::Anomaly;
use crate::random::Random;
use std::f64::consts::TAU;

/// What the points of a series are like. Lengths are in the unit of the values, noise is the
/// standard deviation of each of them, and a period is in points.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// A circle in the plane, gone round once a period: one loop.
    Circle {
        /// Its radius.
        radius: f64,
        /// Points in a turn.
        period: f64,
        /// Of each value.
        noise: f64,
    },
    /// A torus in space, filled by a line that winds around it: two loops in all.
    Torus {
        /// Of the circle in the middle of the tube.
        radius: f64,
        /// Of the tube.
        tube: f64,
        /// Points in a turn the long way round.
        period: f64,
        /// Of each value.
        noise: f64,
    },
    /// Clusters in the plane, on a circle that they drift along: components, and no loop as long
    /// as the circle is not covered.
    Clusters {
        /// How many.
        count: f64,
        /// From the middle of all.
        distance: f64,
        /// Of each value in a cluster.
        spread: f64,
        /// Points in a turn.
        period: f64,
    },
    /// One value that goes up and down: a loop once it is embedded with a delay.
    Signal {
        /// Of the first harmonic.
        amplitude: f64,
        /// Points in a period.
        period: f64,
        /// How many harmonics; the n-th has the n²-th part of the amplitude.
        harmonics: f64,
        /// Of the value.
        noise: f64,
    },
    /// Nothing but noise.
    Noise {
        /// Numbers in a point.
        dimension: f64,
        /// Of each value.
        spread: f64,
    },
}

/// What a point is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) index: u64,
    /// How far the form has turned, in radians.
    pub(super) angle: f64,
    pub(super) anomaly: Option<Anomaly>,
    /// Of this point alone.
    pub(super) random: Random,
}

/// The part of a loop that stays when it opens.
const OPEN: f64 = 2.0 / 3.0;
/// How many times it winds around the tube in a turn: a number that no fraction is near to.
const WINDINGS: f64 = 9.618_033_988_749_895;
/// Random numbers that are not those of the noise.
const CHOICE: u64 = 1 << 32;

impl Form {
    /// Numbers in a point.
    pub fn dimension(&self) -> usize {
        match self {
            Form::Circle { .. } | Form::Clusters { .. } => 2,
            Form::Torus { .. } => 3,
            Form::Signal { .. } => 1,
            Form::Noise { dimension, .. } => *dimension as usize,
        }
    }

    /// What can happen to it.
    pub fn allows(&self) -> &'static [Anomaly] {
        use Anomaly::{Die, Frequency, Open, Radius, Split, Stop};
        match self {
            Form::Circle { .. } => &Anomaly::ALL,
            Form::Torus { .. } => &[Open, Die, Radius, Stop, Frequency],
            Form::Clusters { .. } | Form::Signal { .. } => &[Split, Die, Radius, Stop, Frequency],
            Form::Noise { .. } => &[Radius],
        }
    }

    /// Points in a turn.
    pub(super) fn period(&self) -> f64 {
        match self {
            Form::Circle { period, .. }
            | Form::Torus { period, .. }
            | Form::Clusters { period, .. }
            | Form::Signal { period, .. } => *period,
            Form::Noise { .. } => 1.0,
        }
    }

    /// Appends the values of the point of a moment.
    pub(super) fn point(&self, moment: &Moment, values: &mut Vec<f32>) {
        match *self {
            Form::Circle { radius, noise, .. } => {
                values.extend(moment.noisy(moment.circle(radius), noise));
            }
            Form::Torus { radius, tube, noise, .. } => {
                values.extend(moment.noisy(moment.torus(radius, tube), noise));
            }
            Form::Clusters { count, distance, spread, .. } => {
                let wider = if moment.is(Anomaly::Radius) { 3.0 } else { 1.0 };
                let centre = moment.cluster(count, distance, spread);
                values.extend(moment.noisy(centre, wider * spread));
            }
            Form::Signal { amplitude, harmonics, noise, .. } => {
                values.extend(moment.noisy([moment.signal(amplitude, harmonics)], noise));
            }
            Form::Noise { dimension, spread } => {
                let spread = if moment.is(Anomaly::Radius) { 3.0 * spread } else { spread };
                let value = |n| (spread * moment.random.normal(n)) as f32;
                values.extend((0..dimension as u64).map(value));
            }
        }
    }
}

impl Moment {
    fn is(&self, anomaly: Anomaly) -> bool {
        self.anomaly == Some(anomaly)
    }

    fn noisy<const N: usize>(&self, values: [f64; N], noise: f64) -> [f32; N] {
        std::array::from_fn(|n| (values[n] + noise * self.random.normal(n as u64)) as f32)
    }

    /// The angle, or what is left of it when the loop is open.
    fn opened(&self) -> f64 {
        match self.is(Anomaly::Open) {
            true => OPEN * self.angle.rem_euclid(TAU),
            false => self.angle,
        }
    }

    fn circle(&self, radius: f64) -> [f64; 2] {
        let (sin, cos) = self.opened().sin_cos();
        match self.anomaly {
            Some(Anomaly::Split) => {
                let side = if self.index.is_multiple_of(2) { 0.5 } else { -0.5 };
                [radius * (side + 0.5 * cos), radius * 0.5 * sin]
            }
            Some(Anomaly::Die) => {
                let within = radius * self.random.unit(CHOICE).sqrt();
                [within * cos, within * sin]
            }
            Some(Anomaly::Radius) => [0.5 * radius * cos, 0.5 * radius * sin],
            _ => [radius * cos, radius * sin],
        }
    }

    fn torus(&self, radius: f64, tube: f64) -> [f64; 3] {
        let (along_sin, along_cos) = self.opened().sin_cos();
        let (around_sin, around_cos) = (WINDINGS * self.angle).sin_cos();
        let tube = match self.anomaly {
            Some(Anomaly::Die) => tube * self.random.unit(CHOICE).sqrt(),
            Some(Anomaly::Radius) => 0.5 * tube,
            _ => tube,
        };
        let out = radius + tube * around_cos;
        [out * along_cos, out * along_sin, tube * around_sin]
    }

    /// The middle of the cluster that the point belongs to.
    fn cluster(&self, count: f64, distance: f64, spread: f64) -> [f64; 2] {
        let which = self.random.below(CHOICE, count as u64) as f64;
        let (sin, cos) = (self.angle + TAU * which / count).sin_cos();
        let distance = match self.anomaly {
            Some(Anomaly::Die) => 0.0,
            Some(Anomaly::Split) if self.random.unit(CHOICE + 1) < 0.5 => distance + 4.0 * spread,
            Some(Anomaly::Split) => distance - 4.0 * spread,
            _ => distance,
        };
        [distance * cos, distance * sin]
    }

    fn signal(&self, amplitude: f64, harmonics: f64) -> f64 {
        let every_other = (self.angle / TAU).rem_euclid(2.0) >= 1.0;
        let amplitude = match self.anomaly {
            Some(Anomaly::Die) => 0.0,
            Some(Anomaly::Radius) => 0.5 * amplitude,
            Some(Anomaly::Split) if every_other => 0.5 * amplitude,
            _ => amplitude,
        };
        let term = |n: u32| (f64::from(n) * self.angle).sin() / f64::from(n * n);
        amplitude * (1..=harmonics as u32).map(term).sum::<f64>()
    }
}
