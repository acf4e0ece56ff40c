//! Premature ventricular beats in a real electrocardiogram: the recipe of the demo.
//!
//! The marks that alerts are held against are those of the classical rule on QRS shape, a proxy,
//! and the recipe was chosen on this very record: the figures here are no measure of how well it
//! does on others.

use detection::features::Level;
use detection::qrs::{Beat, beats};
use detection::signal::{Decimate, HighPass};
use detection::{Channel, Detector, DetectorConfig, Observation, Radii, Span, calibrate, cap};
use persistence::{Config, Embedding, Scale};

/// Five minutes of MIT-BIH record 208: see the README beside it.
const RECORD: &[u8] = include_bytes!("../../src/demo/data/mitbih-208.i16");
const RATE: f64 = 360.0;
const WARM_UP: f64 = 20.0;

fn millivolts() -> Vec<f32> {
    let steps = RECORD.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair));
    steps.map(|step| f32::from(step - 1024) / 200.0).collect()
}

/// The series at 120 Hz without its baseline, each sample with the index of the newest one that
/// it depends on.
fn filtered(samples: &[f32]) -> Vec<(u64, f32)> {
    let mut decimate = Decimate::new(3, 1).expect("the factor is valid");
    let mut high_pass = HighPass::new(76, 1).expect("the length is valid");
    let filter = |(index, sample): (u64, &f32)| {
        let kept = decimate.push(&[*sample])?[0];
        high_pass.push(&[kept]).map(|value| (index, value[0]))
    };
    (0..).zip(samples).filter_map(filter).collect()
}

/// What the detector says at one moment, in seconds.
struct Moment {
    seconds: f64,
    score: Option<f32>,
    alert: bool,
}

fn detect(series: &[(u64, f32)]) -> Vec<Moment> {
    let calm: Vec<f32> = series[..(WARM_UP * RATE / 3.0) as usize].iter().map(|s| s.1).collect();
    let cap = cap(&calm, 1, 8, 3, 2.5);
    let embedding = Embedding::new(3, 8, 1, None).expect("the embedding is valid");
    let mut scale =
        Scale::new(embedding, 1, 6, &Config::new(3, 62, cap)).expect("the scale is valid");
    let config = DetectorConfig {
        h1_degree: Some(32.0),
        channels: vec![Channel::H1],
        memory: Span::Seconds(60.0),
        warm_up: Span::Seconds(WARM_UP),
        refractory_seconds: 0.5,
        ..DetectorConfig::default()
    };
    let mut detector = Detector::new(&config, 62, 6).expect("the configuration is valid");
    let mut moments = Vec::new();
    for (index, value) in series {
        let Some(emission) = scale.push(&[*value]).expect("the samples are finite") else {
            continue;
        };
        let degrees = detector.degrees();
        let window = scale.window_mut();
        let radii = Radii {
            h0: window.radius_at_degree(degrees.h0),
            h1: window.radius_at_degree(degrees.h1),
        };
        let seconds = *index as f64 / RATE;
        let outcome = detector.observe(&Observation {
            end: emission.end,
            time: seconds * 1000.0,
            diagrams: &emission.diagrams,
            cap,
            radii,
            level: Level::of(window.points(), 1),
        });
        let (score, alert) = (outcome.score.map(|s| s.value), outcome.alert.is_some());
        moments.push(Moment { seconds, score, alert });
    }
    moments
}

/// An alert answers a beat from a quarter of a second before its R peak, where wide complexes
/// begin, to a second after it.
fn answers(alert: f64, beat: &Beat) -> bool {
    (-0.25..=1.0).contains(&(alert - beat.seconds))
}

#[test]
fn premature_beats_raise_alerts_and_the_electrode_jump_does_not() {
    let samples = millivolts();
    let beats = beats(&samples, RATE);
    let abnormal: Vec<&Beat> =
        beats.iter().filter(|b| b.abnormal && b.seconds > WARM_UP + 1.0).collect();
    assert!((480..520).contains(&beats.len()), "{} beats", beats.len());
    assert!((90..110).contains(&abnormal.len()), "{} marks", abnormal.len());

    let moments = detect(&filtered(&samples));
    let alerts: Vec<f64> = moments.iter().filter(|m| m.alert).map(|m| m.seconds).collect();
    let delay = |beat: &&Beat| {
        let answer = alerts.iter().find(|&&alert| answers(alert, beat));
        answer.map(|alert| alert - beat.seconds)
    };
    let mut delays: Vec<f64> = abnormal.iter().filter_map(delay).collect();
    delays.sort_by(f64::total_cmp);
    let stray = alerts.iter().filter(|&&a| !abnormal.iter().any(|b| answers(a, b)));
    let (found, stray) = (delays.len() as f64 / abnormal.len() as f64, stray.count());
    let median = delays[delays.len() / 2];
    println!(
        "{} marks, {found:.3} found, {stray} false, median delay {median:.3} s",
        abnormal.len()
    );
    assert!(found >= 0.85, "{found} of the beats are found");
    assert!(stray <= 2, "{stray} alerts are false");
    assert!((0.1..0.5).contains(&median), "the median delay is {median} s");

    let jump = moments.iter().filter(|m| (209.8..214.0).contains(&m.seconds));
    let highest = jump.filter_map(|m| m.score).fold(f32::NEG_INFINITY, f32::max);
    assert!(highest < 3.0, "the electrode jump scores {highest}");
}

#[test]
fn the_warm_up_tells_the_length_of_a_beat() {
    let series = filtered(&millivolts());
    let warm_up: Vec<f32> = series[..2400].iter().map(|s| s.1).collect();
    let found = calibrate(&warm_up, &detection::Search::new(1, 40..=120)).unwrap();
    // 62 samples at 120 Hz are 116 beats a minute.
    assert!((58..=68).contains(&found.period), "{found:?}");
}
