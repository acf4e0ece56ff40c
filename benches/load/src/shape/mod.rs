//! How many points a second, as a function of time: values that are put together.

mod inverse;
mod parse;

use std::f64::consts::TAU;
use std::fmt;

/// A rate in points a second, as a function of the seconds since the start.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Always the same.
    Constant(f64),
    /// From one rate to another in a straight line, then on at the latter.
    Ramp {
        /// The rate at the start.
        from: f64,
        /// The rate at the end.
        to: f64,
        /// Seconds in between.
        over: f64,
    },
    /// Nothing, and from a moment on a rate.
    Step {
        /// The moment, in seconds.
        at: f64,
        /// The rate from then on.
        rate: f64,
    },
    /// Nothing but for some seconds.
    Spike {
        /// When it begins, in seconds.
        at: f64,
        /// The rate while it lasts.
        rate: f64,
        /// How long it lasts, in seconds.
        lasting: f64,
    },
    /// A sine about a mean, which is where it begins, rising.
    Wave {
        /// The mean.
        mean: f64,
        /// From the mean to the highest; at most the mean.
        amplitude: f64,
        /// Seconds from one highest to the next.
        period: f64,
    },
    /// Both at once.
    Sum(Box<Shape>, Box<Shape>),
    /// So many times as much.
    Scaled(f64, Box<Shape>),
    /// The beginning of a shape, so many seconds of it; then nothing.
    For(Box<Shape>, f64),
    /// A shape that ends, and at its end another.
    Then(Box<Shape>, Box<Shape>),
}

/// Why a shape has no meaning.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Meaningless {
    /// A rate or a factor is negative or not finite.
    #[error("a rate and a factor are finite and not negative, not {0}")]
    Rate(f64),
    /// A duration is zero, negative or not finite.
    #[error("a duration is finite and above zero, not {0} s")]
    Duration(f64),
    /// A wave would be below zero.
    #[error(
        "a wave of mean {0} and amplitude {1} would be below zero: the mean is at least the amplitude"
    )]
    Wave(f64, f64),
    /// What `then` follows does not end.
    #[error(
        "`{0}` never ends, so that nothing can follow: say how long, as in `{0} for 5m then …`"
    )]
    Endless(Shape),
}

use Shape::*;

impl Shape {
    /// Points a second at `t` seconds.
    pub fn rate(&self, t: f64) -> f64 {
        match self {
            Constant(rate) => *rate,
            Ramp { from, to, over } => from + (to - from) * (t / over).clamp(0.0, 1.0),
            Step { at, rate } => {
                if t >= *at {
                    *rate
                } else {
                    0.0
                }
            }
            Spike { at, rate, lasting } => match t >= *at && t < at + lasting {
                true => *rate,
                false => 0.0,
            },
            Wave { mean, amplitude, period } => mean + amplitude * (TAU * t / period).sin(),
            Sum(a, b) => a.rate(t) + b.rate(t),
            Scaled(factor, shape) => factor * shape.rate(t),
            For(shape, end) => {
                if t < *end {
                    shape.rate(t)
                } else {
                    0.0
                }
            }
            Then(first, rest) => match t - first.length() {
                after if after < 0.0 => first.rate(t),
                after => rest.rate(after),
            },
        }
    }

    /// Points from the start to `t` seconds: the integral of the rate, in closed form.
    pub fn points(&self, t: f64) -> f64 {
        match self {
            Constant(rate) => rate * t,
            Ramp { from, to, over } => {
                let rising = t.min(*over);
                from * rising + (to - from) * rising * rising / (2.0 * over) + to * (t - rising)
            }
            Step { at, rate } => rate * (t - at).max(0.0),
            Spike { at, rate, lasting } => rate * (t - at).clamp(0.0, *lasting),
            Wave { mean, amplitude, period } => {
                // 1 − cos x, without the cancellation near 0.
                let half = (TAU * t / period / 2.0).sin();
                mean * t + amplitude * period / TAU * 2.0 * half * half
            }
            Sum(a, b) => a.points(t) + b.points(t),
            Scaled(factor, shape) => factor * shape.points(t),
            For(shape, end) => shape.points(t.min(*end)),
            Then(first, rest) => match t - first.length() {
                after if after < 0.0 => first.points(t),
                after => first.points(first.length()) + rest.points(after),
            },
        }
    }

    /// When it ends, in seconds: when it comes to rest, or when its last part does. `None` when it
    /// goes on for ever.
    pub fn end(&self) -> Option<f64> {
        match self {
            Constant(_) | Step { .. } | Wave { .. } => None,
            Ramp { over, .. } => Some(*over),
            Spike { at, lasting, .. } => Some(at + lasting),
            Sum(a, b) => Some(a.end()?.max(b.end()?)),
            Scaled(_, shape) => shape.end(),
            For(_, end) => Some(*end),
            Then(first, rest) => Some(first.length() + rest.end()?),
        }
    }

    /// Whether it has a meaning.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check(&self) -> Result<(), Meaningless> {
        match self {
            Constant(rate) => sound(*rate),
            Ramp { from, to, over } => sound(*from).and(sound(*to)).and(lasts(*over)),
            Step { at, rate } => sound(*rate).and(begins(*at)),
            Spike { at, rate, lasting } => sound(*rate).and(begins(*at)).and(lasts(*lasting)),
            Wave { mean, amplitude, period } => {
                sound(*mean).and(sound(*amplitude)).and(lasts(*period))?;
                match amplitude <= mean {
                    true => Ok(()),
                    false => Err(Meaningless::Wave(*mean, *amplitude)),
                }
            }
            Sum(a, b) => a.check().and(b.check()),
            Scaled(factor, shape) => sound(*factor).and(shape.check()),
            For(shape, end) => lasts(*end).and(shape.check()),
            Then(first, rest) => {
                first.check().and(rest.check())?;
                first.end().map(|_| ()).ok_or_else(|| Meaningless::Endless(*first.clone()))
            }
        }
    }

    /// Of a shape that another follows.
    fn length(&self) -> f64 {
        self.end().unwrap_or(f64::INFINITY)
    }
}

fn sound(rate: f64) -> Result<(), Meaningless> {
    if rate.is_finite() && rate >= 0.0 { Ok(()) } else { Err(Meaningless::Rate(rate)) }
}

fn begins(at: f64) -> Result<(), Meaningless> {
    if at == 0.0 { Ok(()) } else { lasts(at) }
}

fn lasts(seconds: f64) -> Result<(), Meaningless> {
    match seconds.is_finite() && seconds > 0.0 {
        true => Ok(()),
        false => Err(Meaningless::Duration(seconds)),
    }
}

/// As it is written on the command line.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constant(rate) => write!(f, "constant({rate})"),
            Ramp { from, to, over } => write!(f, "ramp({from}, {to}, {over}s)"),
            Step { at, rate } => write!(f, "step({at}s, {rate})"),
            Spike { at, rate, lasting } => write!(f, "spike({at}s, {rate}, {lasting}s)"),
            Wave { mean, amplitude, period } => write!(f, "wave({mean}, {amplitude}, {period}s)"),
            Sum(a, b) => write!(f, "{} + {}", Within(a, SUM), Within(b, TERM)),
            Scaled(factor, shape) => write!(f, "{factor} * {}", Within(shape, TERM)),
            For(shape, end) => write!(f, "{} for {end}s", Within(shape, SUM)),
            Then(first, rest) => {
                write!(f, "{} then {}", Within(first, CHAIN), Within(rest, PHASE))
            }
        }
    }
}

/// A part of a shape, in brackets when it binds less than this.
struct Within<'a>(&'a Shape, u8);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.binds() < self.1 {
            true => write!(f, "({})", self.0),
            false => write!(f, "{}", self.0),
        }
    }
}

/// How strongly a shape holds together when it is written, from the weakest.
const CHAIN: u8 = 0;
const PHASE: u8 = 1;
const SUM: u8 = 2;
const TERM: u8 = 3;

impl Shape {
    fn binds(&self) -> u8 {
        match self {
            Then(..) => CHAIN,
            For(..) => PHASE,
            Sum(..) => SUM,
            _ => TERM,
        }
    }
}

#[cfg(test)]
mod tests;
