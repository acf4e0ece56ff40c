use hashbrown::HashMap;
use std::collections::{BTreeSet, HashSet};

/// Which series fell silent, of scales whose outputs cannot be foreseen.
///
/// When such a scale begins is found out from the values, but then it goes on at a steady step,
/// for as long as there are samples. An output that is missing at the end is not told from one
/// that was never due; several are.
#[derive(Clone, Debug, Default)]
pub(super) struct Silence {
    series: HashMap<Box<str>, Series>,
}

#[derive(Clone, Debug, Default)]
struct Series {
    /// Samples so far.
    samples: u64,
    /// By scale.
    heard: HashMap<u16, Heard>,
    /// Scales whose last output came so long after its sample that nobody knows with which.
    late: HashSet<u16>,
}

/// With which samples outputs came.
#[derive(Clone, Copy, Debug)]
struct Heard {
    first: u64,
    last: u64,
    /// The widest step from one to the next.
    widest: Option<u64>,
}

/// Steps without an output after which a series is silent.
const STEPS: u64 = 2;

impl Silence {
    /// Takes sample `number` of a series. With the first one, it begins anew.
    pub(super) fn sample(&mut self, series: &str, number: u64) {
        match self.series.get_mut(series) {
            Some(series) if number > 1 => series.samples = number,
            _ => {
                let new = Series { samples: number, ..Series::default() };
                self.series.insert(series.into(), new);
            }
        }
    }

    /// Takes an output that came with sample `number` of a series.
    pub(super) fn hear(&mut self, series: &str, scale: u16, number: u64) {
        let series = self.series.get_mut(series).filter(|series| number <= series.samples);
        let Some(series) = series else { return };
        series.late.remove(&scale);
        let new = Heard { first: number, last: number, widest: None };
        let heard = series.heard.entry(scale).or_insert(new);
        if number > heard.last {
            heard.widest = heard.widest.max(Some(number - heard.last));
            heard.last = number;
        }
    }

    /// Takes an output that came with a sample of a series that is not remembered: until one comes
    /// whose sample is, it cannot be said that the series is silent.
    pub(super) fn hear_late(&mut self, series: &str, scale: u16) {
        if let Some(series) = self.series.get_mut(series) {
            series.late.insert(scale);
        }
    }

    /// The series in which outputs of a scale stopped well before the samples, or never began
    /// although others needed far fewer samples to begin.
    pub(super) fn silent(&self, scale: u16) -> BTreeSet<&str> {
        let firsts =
            self.series.values().filter_map(|series| Some(series.heard.get(&scale)?.first));
        let latest = firsts.max();
        let is_silent = |series: &Series| match (series.heard.get(&scale), latest) {
            _ if series.late.contains(&scale) => false,
            (Some(heard), _) => heard.is_silent(series.samples),
            (None, Some(latest)) => series.samples > STEPS * latest,
            (None, None) => false,
        };
        let silent = self.series.iter().filter(|(_, series)| is_silent(series));
        silent.map(|(name, _)| &**name).collect()
    }
}

impl Heard {
    /// Of a single output the step is not known, but it is no longer than what came before.
    fn is_silent(&self, samples: u64) -> bool {
        samples - self.last > STEPS * self.widest.unwrap_or(self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Series of so many samples, with outputs from one sample to another, every tenth.
    fn silent(series: &[(u64, std::ops::RangeInclusive<u64>)]) -> Vec<usize> {
        let mut silence = Silence::default();
        for (name, (samples, outputs)) in series.iter().enumerate() {
            for number in 1..=*samples {
                silence.sample(&name.to_string(), number);
                if outputs.contains(&number) && number.is_multiple_of(10) {
                    silence.hear(&name.to_string(), 0, number);
                }
            }
        }
        silence.silent(0).into_iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_series_whose_outputs_stop_well_before_its_samples_is_silent() {
        assert!(silent(&[(200, 50..=200), (209, 50..=209), (115, 50..=115)]).is_empty());
        assert_eq!(silent(&[(200, 50..=100), (200, 50..=200)]), [0]);
        // One that is missing may not have been due yet; the step of a single one is not known.
        assert_eq!(silent(&[(129, 50..=119), (140, 50..=50), (151, 50..=50)]), [2]);
    }

    #[test]
    fn a_series_that_never_begins_is_silent_when_others_begin_soon() {
        assert_eq!(silent(&[(200, 50..=200), (100, 300..=300), (101, 300..=300)]), [2]);
        // When none has begun it is not known whether they should have.
        assert!(silent(&[(200, 300..=300), (200, 300..=300)]).is_empty());
    }

    #[test]
    fn a_series_that_begins_anew_may_be_silent_as_long_as_any() {
        let mut silence = Silence::default();
        (1..=100).for_each(|number| silence.sample("s", number));
        [50, 60, 70].into_iter().for_each(|number| silence.hear("s", 0, number));
        assert_eq!(silence.silent(0).len(), 1);
        (1..=40).for_each(|number| silence.sample("s", number));
        silence.hear("s", 0, 80);
        assert!(silence.silent(0).is_empty());
    }
}
