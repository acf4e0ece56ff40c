//! All that happened so far, as the page, the terminal and the report tell it.

use super::history::History;
use super::latency::Durations;
use super::progress::Progress;
use super::records::Record;
use super::reference;
use super::scene::{Alert, Frame, Piece, Pulse, Scene, Setup, Shape, Totals};
use super::scrape::{Buckets, Reading};
use super::signal::Signal;
use crate::emission::Emission;
use crate::filter::Filters;
use std::sync::Arc;
use std::time::Duration;

/// Seconds of signal that are kept for the pictures.
pub(super) const KEPT: f64 = 600.0;
/// Pairs of a diagram that are shown, the most persistent ones.
const SHOWN: usize = 400;
/// Windows that wait for the rest of their records.
const RECENT: usize = 256;
/// Alerts whose window is kept for the report.
const PICTURES: usize = 400;

/// All that happened so far.
pub(super) struct Story {
    setup: Setup,
    signal: Arc<Signal>,
    filters: Filters,
    stride: u64,
    fed: u64,
    raw: History<f32>,
    filtered: History<f32>,
    marks: Vec<f64>,
    seams: Vec<f64>,
    scores: History<(f64, Option<f32>)>,
    alerts: Vec<Alert>,
    recent: History<(u64, Shape)>,
    now: Option<Shape>,
    pulse: History<Pulse>,
    emissions: u64,
    /// Time of the first score.
    first_score: Option<f64>,
    end_to_end: Durations,
    lately: Durations,
    reading: Reading,
    wall: Duration,
    resting: bool,
    finished: bool,
    /// Counts at the last pulse.
    counted: (Duration, u64, u64),
    engine_then: Buckets,
}

/// Up to where a reader of the story has read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    raw: u64,
    filtered: u64,
    marks: usize,
    seams: usize,
    alerts: usize,
    scores: u64,
    pulse: u64,
}

impl Story {
    /// Nothing has happened. `filters` are those of the worker; every `stride`-th sample enters
    /// the pictures.
    pub(super) fn new(setup: Setup, signal: Arc<Signal>, filters: Filters, stride: u64) -> Story {
        let kept = (KEPT * setup.point_rate) as usize;
        let first = filters.newest_input(0) / stride;
        Story {
            raw: History::new(0, kept),
            filtered: History::new(first, kept),
            scores: History::new(0, kept),
            recent: History::new(0, RECENT),
            pulse: History::new(0, 3600),
            marks: Vec::new(),
            seams: Vec::new(),
            alerts: Vec::new(),
            now: None,
            emissions: 0,
            first_score: None,
            end_to_end: Durations::default(),
            lately: Durations::default(),
            reading: Reading::default(),
            wall: Duration::ZERO,
            resting: false,
            finished: false,
            counted: (Duration::ZERO, 0, 0),
            engine_then: Buckets::default(),
            fed: 0,
            setup,
            signal,
            filters,
            stride,
        }
    }

    /// What stays the same.
    pub(super) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The alerts so far.
    pub(super) fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The pulse of the last second.
    pub(super) fn last_pulse(&self) -> Option<&Pulse> {
        self.pulse.since(self.pulse.end().saturating_sub(1)).next()
    }

    /// What the worker told of itself last.
    pub(super) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Seconds of signal that were fed.
    pub(super) fn at(&self) -> f64 {
        self.fed as f64 / self.setup.rate
    }

    /// Goes on to where the feeder is.
    pub(super) fn follow(&mut self, progress: &Progress) {
        let (from, appended) = (self.at(), progress.appended());
        for number in self.fed..appended {
            let sample = self.signal.at(number);
            if number.is_multiple_of(self.stride) {
                self.raw.push(sample);
            }
            if let Some((_, point)) = self.filters.push(&[sample]) {
                self.filtered.push(point[0]);
            }
        }
        self.fed = appended;
        if !self.resting {
            self.wall = progress.wall();
        }
        let to = self.at();
        if let Some(marks) = &self.signal.marks {
            self.marks.extend(marks.between(from, to));
        }
        let passes = |time: f64| (time / self.setup.length) as u64;
        let seams = passes(from) + 1..=passes(to);
        self.seams.extend(seams.map(|pass| pass as f64 * self.setup.length));
    }

    /// Takes a record of the scale in the pictures that was due with sample `number`.
    pub(super) fn tell(&mut self, number: u64, record: Record) {
        let time = number as f64 / self.setup.rate;
        match record {
            Record::Diagrams(emission) => {
                self.emissions += 1;
                let shape = self.shape(number, time);
                (shape.h0, shape.h1) = (pairs(&emission, 0), pairs(&emission, 1));
            }
            Record::Features(features, score) => {
                self.shape(number, time).betti = Some(features.betti);
                let score = score.map(|score| score.value);
                self.first_score = self.first_score.or(score.map(|_| time));
                self.scores.push((time, score));
            }
            Record::Alert(alert) => self.alert(time, alert),
        }
        self.complete(number);
    }

    /// Takes the time from a point's append to the moment its result was readable.
    pub(super) fn readable(&mut self, after: Duration) {
        self.end_to_end.record(after);
        self.lately.record(after);
    }

    /// Takes what the worker tells of itself.
    pub(super) fn read(&mut self, reading: Reading) {
        self.reading = reading;
    }

    /// Closes a second of wall time, with what the worker tells of itself.
    pub(super) fn beat(&mut self, reading: Reading) {
        let (then, points, emissions) = self.counted;
        let seconds = (self.wall - then).as_secs_f64().max(1e-3);
        self.pulse.push(Pulse {
            wall: self.wall.as_secs_f64(),
            points_per_second: (self.fed - points) as f64 / seconds,
            emissions_per_second: (self.emissions - emissions) as f64 / seconds,
            engine: reading.engine.since(&self.engine_then).percentiles(),
            end_to_end: self.lately.percentiles(),
        });
        self.lately.clear();
        self.counted = (self.wall, self.fed, self.emissions);
        self.engine_then = reading.engine.clone();
        self.reading = reading;
    }

    /// All that was fed has been computed: the clock stops.
    pub(super) fn rest(&mut self) {
        self.resting = true;
    }

    /// Nothing more will happen.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// Sums since the start.
    pub(super) fn totals(&self) -> Totals {
        let wall = self.wall.as_secs_f64();
        let bytes = &self.reading.window_bytes;
        Totals {
            points: self.fed,
            emissions: self.emissions,
            alerts: self.alerts.len() as u64,
            matched: self.alerts.iter().filter(|alert| alert.mark.is_some()).count() as u64,
            marks: self.marks.len() as u64,
            memory_bytes: bytes.get(&self.setup.scale.name).copied(),
            wall,
            points_per_second: self.fed as f64 / wall.max(1e-3),
            emissions_per_second: self.emissions as f64 / wall.max(1e-3),
            engine: self.reading.engine.percentiles(),
            end_to_end: self.end_to_end.percentiles(),
            finished: self.finished,
        }
    }

    /// The marks that were played, and those of them played since scores began.
    pub(super) fn marks(&self) -> (&[f64], &[f64]) {
        let scored = self.first_score.unwrap_or(f64::INFINITY);
        let first = self.marks.partition_point(|&mark| mark < scored);
        (&self.marks, &self.marks[first..])
    }

    /// Everything that is kept, for a report.
    pub(super) fn whole(&self, made: f64) -> Scene {
        let history = self.since(&self.cursor(f64::NEG_INFINITY), true);
        Scene { setup: self.setup.clone(), history, made: Some(made) }
    }

    /// The last `seconds` of signal, for a page that has just connected; and where to go on.
    pub(super) fn scene(&self, seconds: f64) -> (Scene, Cursor) {
        let history = self.since(&self.cursor(self.at() - seconds), false);
        (Scene { setup: self.setup.clone(), history, made: None }, self.end())
    }

    /// What is new since `cursor`.
    pub(super) fn frame(&self, cursor: &Cursor) -> (Frame, Cursor) {
        (self.since(cursor, false), self.end())
    }

    /// Where the story is now.
    pub(super) fn end(&self) -> Cursor {
        Cursor {
            raw: self.raw.end(),
            filtered: self.filtered.end(),
            marks: self.marks.len(),
            seams: self.seams.len(),
            alerts: self.alerts.len(),
            scores: self.scores.end(),
            pulse: self.pulse.end(),
        }
    }

    fn cursor(&self, time: f64) -> Cursor {
        let point = (time.max(0.0) * self.setup.point_rate) as u64;
        Cursor {
            raw: point,
            filtered: point,
            marks: self.marks.partition_point(|&mark| mark < time),
            seams: self.seams.partition_point(|&seam| seam < time),
            alerts: self.alerts.partition_point(|alert| alert.time < time),
            scores: self.scores.find(|(t, _)| *t >= time),
            pulse: if time.is_finite() { self.pulse.end().saturating_sub(180) } else { 0 },
        }
    }

    fn since(&self, cursor: &Cursor, with_shapes: bool) -> Frame {
        let shown = |alert: &Alert| {
            let shape = alert.shape.as_ref().filter(|_| with_shapes).cloned();
            Alert { shape, points: alert.points.clone(), ..*alert }
        };
        Frame {
            at: self.at(),
            wall: self.wall.as_secs_f64(),
            signal: piece(&self.raw, cursor.raw),
            points: piece(&self.filtered, cursor.filtered),
            marks: self.marks[cursor.marks..].to_vec(),
            seams: self.seams[cursor.seams..].to_vec(),
            alerts: self.alerts[cursor.alerts..].iter().map(shown).collect(),
            scores: self.scores.since(cursor.scores).copied().collect(),
            pulse: self.pulse.since(cursor.pulse).cloned().collect(),
            now: self.now.clone(),
            totals: self.totals(),
        }
    }

    fn alert(&mut self, time: f64, alert: detection::Alert) {
        let mark = reference::beat_of(&self.marks, time);
        let responsible = alert.responsible;
        self.alerts.push(Alert {
            time,
            score: alert.score,
            mark,
            delay_ms: mark.map(|mark| 1000.0 * (time - mark)),
            birth: responsible.as_ref().map(|found| found.birth),
            death: responsible.as_ref().and_then(|found| found.death),
            points: responsible
                .map(|found| found.points.into_iter().map(|point| point.values).collect())
                .unwrap_or_default(),
            shape: None,
        });
    }

    /// The window that was due with sample `number`, which may be new.
    fn shape(&mut self, number: u64, time: f64) -> &mut Shape {
        if !self.recent.newest_mut().any(|(known, _)| *known == number) {
            self.recent.push((number, Shape { time, ..Shape::default() }));
        }
        let found = self.recent.newest_mut().find(|(known, _)| *known == number);
        &mut found.expect("it was just pushed").1
    }

    /// Shows the window of sample `number` once all of its records are there.
    fn complete(&mut self, number: u64) {
        let Some((_, shape)) = self.recent.newest_mut().find(|(known, _)| *known == number) else {
            return;
        };
        if shape.h0.is_empty() || shape.betti.is_none() {
            return;
        }
        let shape = shape.clone();
        for alert in self.alerts.iter_mut().rev().take(8).filter(|a| a.time == shape.time) {
            alert.shape = Some(Box::new(shape.clone()));
        }
        if let Some(old) = self.alerts.len().checked_sub(PICTURES + 1) {
            self.alerts[old].shape = None;
        }
        if self.now.as_ref().is_none_or(|now| now.time <= shape.time) {
            self.now = Some(shape);
        }
    }
}

fn piece(history: &History<f32>, number: u64) -> Piece {
    let values = history.since(number).map(|&value| brief(value)).collect();
    Piece { start: history.start(number), values }
}

/// Rounded to five significant digits: enough for a picture, and short.
fn brief(value: f32) -> f32 {
    let scale = 10f32.powi(4 - value.abs().max(1e-30).log10().floor() as i32);
    let rounded = (value * scale).round() / scale;
    if rounded.is_finite() { rounded } else { value }
}

/// The pairs of a degree, the most persistent ones when there are very many.
fn pairs(emission: &Emission, degree: usize) -> Vec<(f32, Option<f32>)> {
    let mut pairs = emission.diagrams.get(degree).cloned().unwrap_or_default();
    if pairs.len() > SHOWN {
        let length = |&(birth, death): &(f32, Option<f32>)| death.unwrap_or(f32::INFINITY) - birth;
        pairs.sort_by(|a, b| length(b).total_cmp(&length(a)));
        pairs.truncate(SHOWN);
    }
    pairs
}
