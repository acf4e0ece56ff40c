use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Span;

/// MAD to standard deviation, for normally distributed values.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// The MAD counts at least as this share of the median,
const SHARE_OF_MEDIAN: f64 = 0.02;
/// and at least as this share of what it was when the warm-up ended.
const SHARE_OF_FIRST: f64 = 0.05;

/// What a feature usually is: the running median and MAD over the last emissions, delayed, so
/// that an anomaly does not hide itself.
///
/// Rows of features wait until `delay` newer ones have come. The state is those rows, once each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Rows", into = "Rows")]
pub(super) struct Reference {
    rows: Rows,
    /// The rows that count, feature by feature, in order.
    sorted: Vec<Vec<f32>>,
}

/// The part of a reference that cannot be derived.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rows {
    memory: Span,
    limit: usize,
    delay: usize,
    features: usize,
    /// Times of the rows, the oldest first, in milliseconds.
    times: VecDeque<f64>,
    /// The features of the rows, row by row.
    values: VecDeque<f32>,
    /// The MADs when the warm-up ended.
    first: Option<Vec<f64>>,
}

/// The largest z-score, either way: what has never deviated has a MAD of 0 when there is no floor,
/// and JSON has no infinity.
const MOST: f64 = 1e9;

/// A value against what it usually is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Deviation {
    pub(super) median: f64,
    pub(super) z: f64,
}

impl Reference {
    /// Keeps `features` numbers an emission for as long as `memory`, and no more than `limit`
    /// emissions, of which the last `delay` do not count.
    pub(super) fn new(memory: Span, limit: usize, delay: usize, features: usize) -> Reference {
        let (times, values) = (VecDeque::new(), VecDeque::new());
        let rows = Rows { memory, limit, delay, features, times, values, first: None };
        Reference { rows, sorted: vec![Vec::new(); features] }
    }

    /// Emissions that count.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Takes a row; the row that is `delay` older begins to count.
    pub(super) fn push(&mut self, time: f64, row: &[f32]) {
        self.rows.times.push_back(time);
        self.rows.values.extend(row);
        if let Some(newest) = self.rows.len().checked_sub(1) {
            let entering = self.rows.row(newest);
            for (sorted, value) in self.sorted.iter_mut().zip(entering) {
                sorted.insert(sorted.partition_point(|x| x.total_cmp(&value).is_lt()), value);
            }
        }
        while self.rows.expired() {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        self.rows.times.pop_front();
        let leaving = self.rows.values.drain(..self.rows.features);
        for (sorted, value) in self.sorted.iter_mut().zip(leaving) {
            sorted.remove(sorted.partition_point(|x| x.total_cmp(&value).is_lt()));
        }
    }

    /// The robust z-scores, (value − median) / (1.4826 MAD), of the first numbers of a row. The
    /// MAD counts at least as `floors`, as 2 % of the median, and, once the warm-up has
    /// ended, as 5 % of what it was then. None is beyond ±[`MOST`]. Without rows all are 0.
    pub(super) fn deviations(&self, row: &[f32], floors: &[f64]) -> Vec<Deviation> {
        (0..row.len()).map(|i| self.deviation(i, row[i], floors[i])).collect()
    }

    /// The robust z-score of the number at `index` of a row.
    pub(super) fn deviation(&self, index: usize, value: f32, floor: f64) -> Deviation {
        let median = median(&self.sorted[index]);
        let first = self.rows.first.as_ref().map_or(0.0, |first| first[index]);
        let mad = absolute_deviation(&self.sorted[index], median)
            .max(SHARE_OF_MEDIAN * median.abs())
            .max(SHARE_OF_FIRST * first)
            .max(floor);
        let difference = f64::from(value) - median;
        let known = self.len() > 0 && difference != 0.0;
        let z = if known { difference / (MAD_TO_DEVIATION * mad) } else { 0.0 };
        Deviation { median, z: z.clamp(-MOST, MOST) }
    }

    /// Remembers the MADs, when the warm-up ends; later calls change nothing.
    pub(super) fn settle(&mut self) {
        let mad = |sorted: &Vec<f32>| absolute_deviation(sorted, median(sorted));
        let sorted = &self.sorted;
        self.rows.first.get_or_insert_with(|| sorted.iter().map(mad).collect());
    }
}

impl Rows {
    /// Rows kept, of which the last `delay` do not count.
    fn len(&self) -> usize {
        self.times.len().saturating_sub(self.delay)
    }

    fn row(&self, index: usize) -> Vec<f32> {
        self.values.range(index * self.features..(index + 1) * self.features).copied().collect()
    }

    /// Whether the oldest row counts no longer. One always remains.
    fn expired(&self) -> bool {
        let newest = self.len().max(1) - 1;
        let old = match self.memory {
            Span::Emissions(n) => newest >= n,
            Span::Seconds(s) => self.times[newest] - self.times[0] > s * 1000.0,
        };
        newest > 0 && (old || newest >= self.limit)
    }
}

impl TryFrom<Rows> for Reference {
    type Error = String;

    fn try_from(rows: Rows) -> Result<Reference, String> {
        let first = rows.first.as_ref().map_or(rows.features, Vec::len);
        if rows.values.len() != rows.times.len() * rows.features || first != rows.features {
            return Err("the rows of a reference have different lengths".to_owned());
        }
        let mut sorted = vec![Vec::new(); rows.features];
        for index in 0..rows.len() {
            sorted.iter_mut().zip(rows.row(index)).for_each(|(s, value)| s.push(value));
        }
        sorted.iter_mut().for_each(|s| s.sort_unstable_by(f32::total_cmp));
        Ok(Reference { rows, sorted })
    }
}

impl From<Reference> for Rows {
    fn from(reference: Reference) -> Rows {
        reference.rows
    }
}

/// The median of ascending values, 0 for none.
fn median(sorted: &[f32]) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    (f64::from(sorted[last / 2]) + f64::from(sorted[sorted.len() / 2])) / 2.0
}

/// The median of the distances of ascending values from `centre`, 0 for none: the distances come
/// in ascending order when walked outwards from the centre on both sides.
fn absolute_deviation(sorted: &[f32], centre: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let mut above = sorted.partition_point(|x| f64::from(*x) < centre);
    let mut below = above;
    let mut outwards = || {
        let right = sorted.get(above).map_or(f64::INFINITY, |x| f64::from(*x) - centre);
        let left = below.checked_sub(1).map_or(f64::INFINITY, |b| centre - f64::from(sorted[b]));
        if right <= left {
            above += 1;
            right
        } else {
            below -= 1;
            left
        }
    };
    let lower = (0..=last / 2).map(|_| outwards()).fold(0.0, |_, d| d);
    if last.is_multiple_of(2) { lower } else { (lower + outwards()) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_definition(values: &[f32]) -> (f64, f64) {
        let middle = |mut v: Vec<f64>| {
            v.sort_by(f64::total_cmp);
            (v[(v.len() - 1) / 2] + v[v.len() / 2]) / 2.0
        };
        let median = middle(values.iter().map(|x| f64::from(*x)).collect());
        let mad = middle(values.iter().map(|x| (f64::from(*x) - median).abs()).collect());
        (median, mad)
    }

    proptest! {
        #[test]
        fn the_reference_is_the_median_and_mad_of_the_delayed_rows(
            raw in prop::collection::vec((-20i8..20, 1u8..5), 1..60),
            memory in 1usize..20,
            delay in 0usize..6,
            seconds: bool,
        ) {
            let span = if seconds { Span::Seconds(memory as f64) } else { Span::Emissions(memory) };
            let mut reference = Reference::new(span, 15, delay, 1);
            let mut time = 0.0;
            let mut history: Vec<(f64, f32)> = Vec::new();
            for (value, step) in raw {
                let value = f32::from(value) / 4.0;
                time += f64::from(step) * 500.0;
                history.push((time, value));
                reference.push(time, &[value]);
                let counted = &history[..history.len().saturating_sub(delay)];
                let kept: Vec<f32> = counted.iter().rev().enumerate()
                    .filter(|(age, (t, _))| *age < 15 && match span {
                        Span::Emissions(n) => *age < n,
                        Span::Seconds(s) => counted[counted.len() - 1].0 - t <= s * 1000.0,
                    })
                    .map(|(_, (_, v))| *v).collect();
                prop_assert_eq!(reference.len(), kept.len());
                if kept.is_empty() { continue }
                let (median, mad) = by_definition(&kept);
                prop_assert_eq!(super::median(&reference.sorted[0]), median);
                prop_assert_eq!(absolute_deviation(&reference.sorted[0], median), mad);
            }
        }
    }

    #[test]
    fn regular_stretches_do_not_make_the_score_explode() {
        let mut reference = Reference::new(Span::Emissions(50), 100, 0, 2);
        for t in 0..50 {
            reference.push(f64::from(t), &[100.0 + (t % 3) as f32, 0.0]);
        }
        reference.settle();
        for t in 50..100 {
            reference.push(f64::from(t), &[100.0, 0.0]);
        }
        let found = reference.deviations(&[102.0, 0.2], &[0.0, 0.1]);
        assert_eq!(found[0], Deviation { median: 100.0, z: 2.0 / (1.4826 * 2.0) });
        assert_eq!(reference.deviation(0, 102.0, 5.0).z, 2.0 / (1.4826 * 5.0));
        assert!((found[1].z - 2.0 / 1.4826).abs() < 1e-6);
    }

    #[test]
    fn the_mad_of_the_warm_up_keeps_its_say() {
        let mut reference = Reference::new(Span::Emissions(50), 100, 0, 1);
        for t in 0..50 {
            reference.push(f64::from(t), &[if t % 2 == 0 { 400.0 } else { -400.0 }]);
        }
        reference.settle();
        for t in 50..100 {
            reference.push(f64::from(t), &[0.0]);
        }
        assert_eq!(reference.deviation(0, 40.0, 0.0).z, 40.0 / (1.4826 * 20.0));
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused() {
        let mut reference = Reference::new(Span::Emissions(5), 9, 1, 2);
        reference.push(1.0, &[1.0, 2.0]);
        let text = serde_json::to_string(&reference).unwrap();
        assert!(serde_json::from_str::<Reference>(&text).is_ok());
        assert!(serde_json::from_str::<Reference>(&text.replace("[1.0,2.0]", "[1.0]")).is_err());
    }
}
