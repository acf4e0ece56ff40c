//! The points of a series, as a function of the seed, the series and the index: shapes whose
//! topology is known, and what happens to it at known places.

mod anomaly;
mod form;
mod parse;

pub use anomaly::{Anomalies, Anomaly, Stretch};
pub use form::Form;

use crate::random::Random;
use form::Moment;
use std::f64::consts::TAU;

/// The points of all series.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// What the series are like: series n is like form n, counted again from the first after the
    /// last.
    pub forms: Vec<Form>,
    /// What happens to them.
    pub anomalies: Option<Anomalies>,
    /// The seed of all of it.
    pub seed: u64,
}

/// One series, from its first point on.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    form: &'a Form,
    anomalies: Option<&'a Anomalies>,
    random: Random,
    /// Index of the next point.
    next: u64,
    /// The stretch that the next point lies in or before.
    stretch: Option<Stretch>,
    /// Points by which the turning is ahead, for all stretches before that one.
    ahead: f64,
}

/// A point, and in what stretch it lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Index in the series, from 0.
    pub index: u64,
    /// What happens there, if anything does.
    pub stretch: Option<Stretch>,
}

const NOISE: u64 = 0;
const STRETCHES: u64 = 1;
const PHASE: u64 = 2;
const SALT: u64 = 0x706f_696e;

impl Points {
    /// Numbers in a point.
    ///
    /// # Errors
    /// When the forms disagree, or there is none.
    pub fn dimension(&self) -> Result<usize, String> {
        let first = self.forms.first().ok_or("there is no form")?;
        match self.forms.iter().find(|form| form.dimension() != first.dimension()) {
            None => Ok(first.dimension()),
            Some(other) => Err(format!(
                "{first} has points of {} numbers, {other} of {}: they must have as many",
                first.dimension(),
                other.dimension()
            )),
        }
    }

    /// Whether everything that is to happen can.
    ///
    /// # Errors
    /// Names the form and the anomaly that it cannot have.
    pub fn check(&self) -> Result<(), String> {
        self.dimension()?;
        let kinds = self.anomalies.iter().flat_map(|anomalies| &anomalies.kinds);
        for (kind, form) in kinds.flat_map(|kind| self.forms.iter().map(move |f| (kind, f))) {
            if !form.allows().contains(kind) {
                let allowed: Vec<String> = form.allows().iter().map(Anomaly::to_string).collect();
                let allowed = allowed.join(", ");
                return Err(format!("{form} has no anomaly {kind}: it has {allowed}"));
            }
        }
        Ok(())
    }

    /// A series from its first point on.
    pub fn series(&self, series: usize) -> Walk<'_> {
        let random = Random::new(self.seed).part(SALT).part(series as u64);
        let anomalies = self.anomalies.as_ref();
        Walk {
            form: &self.forms[series % self.forms.len()],
            anomalies,
            random,
            next: 0,
            stretch: anomalies.map(|anomalies| anomalies.stretch(random.part(STRETCHES), 0)),
            ahead: 0.0,
        }
    }
}

impl Walk<'_> {
    /// Writes the next point over what is in `values`.
    pub fn step(&mut self, values: &mut Vec<f32>) -> Step {
        let index = self.next;
        self.next += 1;
        while let Some(stretch) = self.stretch.filter(|stretch| stretch.end <= index) {
            self.ahead += stretch.ahead(index);
            let random = self.random.part(STRETCHES);
            self.stretch = self.anomalies.map(|a| a.stretch(random, stretch.number + 1));
        }
        let turned = index as f64 + self.ahead + self.stretch.map_or(0.0, |s| s.ahead(index));
        let stretch = self.stretch.filter(|stretch| stretch.begin <= index);
        let moment = Moment {
            index,
            angle: TAU * (self.random.part(PHASE).unit(0) + turned / self.form.period()),
            anomaly: stretch.map(|stretch| stretch.anomaly),
            random: self.random.part(NOISE).part(index),
        };
        values.clear();
        self.form.point(&moment, values);
        Step { index, stretch }
    }
}

#[cfg(test)]
mod tests;
