//! Every input matched with the outputs that it has to cause.
//!
//! The audit takes inputs in the order of their partition and outputs in the order in which they
//! came, in any interleaving of the two, and does no input or output itself.

mod cadence;
mod expectation;
mod silence;
mod verdict;

pub use cadence::Cadence;
pub use expectation::{Cause, Expectation, Matching, Name, Rule};
pub use verdict::{Examples, Repetitions, Verdict};

use hashbrown::HashMap;
use lru::LruCache;
use mesh::schema::Kind;
use silence::Silence;
use std::collections::VecDeque;
use std::time::Duration;

/// When a point was to be sent and when it was, since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// When it was to be sent.
    pub intended: Duration,
    /// When it was.
    pub sent: Duration,
}

/// An output that came for the first time, and the point that caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What it is about.
    pub kind: Kind,
    /// Of the point.
    pub times: Times,
    /// When the output could be read, since the start of the run.
    pub at: Duration,
}

/// Inputs and outputs so far.
#[derive(Debug)]
pub struct Audit {
    expectation: Expectation,
    /// Samples of each series so far, by partition.
    samples: HashMap<i32, LruCache<Box<str>, u64>>,
    /// First and last offset of the inputs of each partition.
    reaches: HashMap<i32, (i64, i64)>,
    outputs: HashMap<Name, Output>,
    /// The last points of each partition, for outputs that cannot be foreseen.
    recent: HashMap<i32, VecDeque<Point>>,
    silence: Silence,
    /// The last cause of each series, kind and scale.
    last: HashMap<Box<str>, HashMap<(Kind, u16), Cause>>,
    owed: u64,
    verdict: Verdict,
}

/// A point, for outputs of it that cannot be foreseen.
#[derive(Clone, Copy, Debug)]
struct Point {
    cause: Cause,
    times: Times,
    /// Which sample of its series it is, from 1.
    number: u64,
}

/// Points of a partition that are kept for outputs that cannot be foreseen.
const RECENT: usize = 1 << 18;

/// An output that has come, or has to.
#[derive(Clone, Copy, Debug, Default)]
struct Output {
    /// Of the point that caused it, once that is known.
    times: Option<Times>,
    expected: bool,
    /// When it first came, and the fingerprint of its bytes.
    came: Option<(Duration, u64)>,
}

impl Audit {
    /// Nothing yet.
    pub fn new(expectation: Expectation) -> Audit {
        Audit {
            expectation,
            samples: HashMap::new(),
            reaches: HashMap::new(),
            outputs: HashMap::new(),
            recent: HashMap::new(),
            silence: Silence::default(),
            last: HashMap::new(),
            owed: 0,
            verdict: Verdict::default(),
        }
    }

    /// What is expected.
    pub fn expectation(&self) -> &Expectation {
        &self.expectation
    }

    /// Outputs that have to come and have not yet.
    pub fn owed(&self) -> u64 {
        self.owed
    }

    /// The counts so far; what is lost or unexpected is known at the end only.
    pub fn so_far(&self) -> &Verdict {
        &self.verdict
    }

    /// Takes the next point of a partition. Gives the outputs of it that had come before.
    pub fn input(&mut self, cause: Cause, series: &str, times: Times) -> Vec<Settled> {
        self.verdict.inputs += 1;
        let reach = self.reaches.entry(cause.partition).or_insert((cause.offset, cause.offset));
        reach.1 = reach.1.max(cause.offset);
        let number = self.count(cause, series);
        if !self.expectation.foresees_all() {
            self.silence.sample(series, number);
            self.remember(Point { cause, times, number });
        }
        let mut settled = Vec::new();
        for scale in 0..self.expectation.rules.len() {
            let rule = &self.expectation.rules[scale];
            let kinds = if rule.judged { &Kind::ALL[..] } else { &Kind::ALL[..1] };
            let due = rule.cadence.map(|cadence| cadence.is_due(number));
            let names = kinds.iter().map(|&kind| Name { cause, kind, scale: scale as u16 });
            match due {
                Some(false) => {}
                Some(true) => settled.extend(names.filter_map(|name| self.expect(name, times))),
                None => {
                    settled.extend(names.filter_map(|name| self.admit(name, series, times, number)))
                }
            }
        }
        settled
    }

    /// Takes the next output that came, of that key and with bytes of that fingerprint. Gives it
    /// back with the point that caused it, when it is the first time and that is known.
    pub fn output(
        &mut self,
        name: Name,
        series: &str,
        at: Duration,
        bytes: u64,
    ) -> Option<Settled> {
        let output = self.outputs.entry(name).or_default();
        if let Some((_, first)) = output.came {
            self.verdict.duplicated += 1;
            self.verdict.differing += u64::from(first != bytes);
            let examples = &mut self.verdict.examples.duplicated;
            Examples::keep(examples, || self.expectation.id(&name));
            return None;
        }
        output.came = Some((at, bytes));
        let (times, expected) = (output.times, output.expected);
        let point = self.remembered(name.cause);
        match point {
            Some(Point { number, .. }) => self.hear(name, series, Some(number)),
            None if self.is_forgotten(name.cause) => self.hear(name, series, None),
            None => {}
        }
        let times = times.or(point.map(|point| point.times));
        self.owed -= u64::from(expected);
        self.verdict.arrived += 1;
        self.follow(name, series);
        times.map(|times| Settled { kind: name.kind, times, at })
    }

    /// Notes an output that does not say what caused it.
    pub fn stray(&mut self, what: &str) {
        self.verdict.unexpected += 1;
        Examples::keep(&mut self.verdict.examples.unexpected, || what.to_owned());
    }

    /// What is to be said when nothing more comes. Outputs of records from before the first input
    /// of their partition are not counted: they are not of this audit.
    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict { arrived: 0, ..self.verdict.clone() };
        let mut names: Vec<&Name> = self.outputs.keys().collect();
        names.sort_unstable();
        for name in names {
            let output = &self.outputs[name];
            let judged = self.judge(name, output);
            let examples = &mut verdict.examples;
            let id = || self.expectation.id(name);
            match judged {
                Judged::Lost => {
                    verdict.lost += 1;
                    Examples::keep(&mut examples.lost, id);
                }
                Judged::Unexpected => {
                    verdict.unexpected += 1;
                    Examples::keep(&mut examples.unexpected, id);
                }
                Judged::Expected => verdict.arrived += 1,
                Judged::Alert => verdict.alerts += 1,
                Judged::Unforeseen => verdict.unforeseen += 1,
                Judged::Earlier | Judged::Absent => {}
            }
            verdict.expected += u64::from(output.expected);
        }
        self.add_silent(&mut verdict);
        verdict
    }

    fn judge(&self, name: &Name, output: &Output) -> Judged {
        match (output.expected, output.came) {
            (true, None) => Judged::Lost,
            (true, Some(_)) => Judged::Expected,
            (false, None) => Judged::Absent,
            (false, Some(_)) => self.judge_unasked(name, output),
        }
    }

    fn judge_unasked(&self, name: &Name, output: &Output) -> Judged {
        let Cause { partition, offset, .. } = name.cause;
        let rule = &self.expectation.rules[usize::from(name.scale)];
        let reach = self.reaches.get(&partition);
        match reach {
            None => Judged::Earlier,
            Some((first, _)) if offset < *first => Judged::Earlier,
            Some((_, last)) if rule.cadence.is_none() && offset <= *last => Judged::Unforeseen,
            _ if output.times.is_some() => Judged::Alert,
            _ => Judged::Unexpected,
        }
    }

    /// Counts a sample of a series; the series that was not seen for longest is forgotten.
    fn count(&mut self, cause: Cause, series: &str) -> u64 {
        let samples = self.samples.entry(cause.partition).or_insert_with(LruCache::unbounded);
        // Room is made between records: a series belongs to a record as a whole.
        while cause.row == 0 && self.expectation.most_series.is_some_and(|m| samples.len() > m) {
            samples.pop_lru();
        }
        if let Some(number) = samples.get_mut(series) {
            *number += 1;
            return *number;
        }
        samples.push(series.into(), 1);
        1
    }

    /// Notes that an output has to come; an alert may.
    fn expect(&mut self, name: Name, times: Times) -> Option<Settled> {
        let expected = name.kind != Kind::Alerts;
        let output = self.outputs.entry(name).or_default();
        (output.times, output.expected) = (Some(times), expected);
        self.owed += u64::from(expected && output.came.is_none());
        output.came.map(|(at, _)| Settled { kind: name.kind, times, at })
    }

    /// Notes that an output of a scale without a cadence may come.
    fn admit(&mut self, name: Name, series: &str, times: Times, number: u64) -> Option<Settled> {
        let output = self.outputs.get_mut(&name)?;
        output.times = Some(times);
        let (at, _) = output.came?;
        self.hear(name, series, Some(number));
        Some(Settled { kind: name.kind, times, at })
    }

    /// Notes that there is an output with a sample of a series, if it is of a scale without a
    /// cadence; with which one is not known when the output came long after it.
    fn hear(&mut self, name: Name, series: &str, number: Option<u64>) {
        let unforeseen = self.expectation.rules[usize::from(name.scale)].cadence.is_none();
        if unforeseen && name.kind == Kind::Diagrams {
            match number {
                Some(number) => self.silence.hear(series, name.scale, number),
                None => self.silence.hear_late(series, name.scale),
            }
        }
    }

    /// Counts the series that fell silent, for each scale without a cadence.
    fn add_silent(&self, verdict: &mut Verdict) {
        for (rule, scale) in self.expectation.rules.iter().zip(0..) {
            if rule.cadence.is_some() {
                continue;
            }
            for series in self.silence.silent(scale) {
                verdict.silent += 1;
                Examples::keep(&mut verdict.examples.silent, || format!("{series}/{}", rule.scale));
            }
        }
    }

    /// Keeps the last points of each partition.
    fn remember(&mut self, point: Point) {
        let recent = self.recent.entry(point.cause.partition).or_default();
        recent.push_back(point);
        if recent.len() > RECENT {
            recent.pop_front();
        }
    }

    /// Whether a point was taken so long ago that it is not remembered.
    fn is_forgotten(&self, cause: Cause) -> bool {
        let oldest = self.recent.get(&cause.partition).and_then(|recent| recent.front());
        let reach = self.reaches.get(&cause.partition);
        reach.is_some_and(|(first, _)| cause.offset >= *first)
            && oldest.is_some_and(|oldest| cause < oldest.cause)
    }

    fn remembered(&self, cause: Cause) -> Option<Point> {
        let recent = self.recent.get(&cause.partition)?;
        let found = recent.binary_search_by_key(&cause, |point| point.cause).ok()?;
        Some(recent[found])
    }

    /// Sees whether an output came after a later one.
    fn follow(&mut self, name: Name, series: &str) {
        if !self.last.contains_key(series) {
            self.last.insert(series.into(), HashMap::new());
        }
        let Some(of_series) = self.last.get_mut(series) else { return };
        let last = of_series.entry((name.kind, name.scale)).or_insert(name.cause);
        if name.cause.partition == last.partition && name.cause < *last {
            self.verdict.out_of_order += 1;
            let examples = &mut self.verdict.examples.out_of_order;
            Examples::keep(examples, || self.expectation.id(&name));
        } else {
            *last = name.cause;
        }
    }
}

/// What is to be said about an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// It had to come and has.
    Expected,
    /// It had to come and has not.
    Lost,
    /// It was allowed and has not come.
    Absent,
    /// Nothing asked for it.
    Unexpected,
    /// An alert, where there may be one.
    Alert,
    /// Of a scale that finds out by itself when.
    Unforeseen,
    /// Of a record from before the audit.
    Earlier,
}

#[cfg(test)]
mod tests;
