//! A detector over streams of diagrams.

use detection::features::Level;
use detection::{
    Alert, Channel, Detector, DetectorConfig, LoopScore, Observation, Outcome, Radii, Score, Span,
};
use persistence::{Diagram, Diagrams, Pair};
use proptest::prelude::*;

/// Pseudo-random numbers in [0, 1), the same on every machine.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 40) as f32 / (1u32 << 24) as f32
    }
}

/// Diagrams of a window of ten points with a loop of persistence about `size`.
fn emission(noise: &mut Noise, size: f32) -> (Diagrams, Level) {
    let inf = f32::INFINITY;
    let merges = (0..9).map(|_| Pair { birth: 0.0, death: 0.1 + 0.05 * noise.next() });
    let h0: Diagram = merges.chain([Pair { birth: 0.0, death: inf }]).collect();
    let large = Pair { birth: 0.2, death: 0.2 + size * (1.0 + 0.1 * noise.next()) };
    let small = Pair { birth: 0.3, death: 0.35 + 0.02 * noise.next() };
    let level = Level { mean: vec![noise.next()], deviation: vec![1.0 + noise.next()] };
    ([h0, [large, small].into_iter().collect()].into_iter().collect(), level)
}

fn observe(detector: &mut Detector, noise: &mut Noise, t: u64, size: f32) -> Outcome {
    let (diagrams, level) = emission(noise, size);
    let radii = Radii { h0: 0.12 + 0.05 * noise.next(), h1: 1.2 };
    let time = 1.7e12 + 100.0 * t as f64;
    detector.observe(&Observation { end: t, time, diagrams: &diagrams, cap: 1.5, radii, level })
}

fn config() -> DetectorConfig {
    DetectorConfig {
        memory: Span::Emissions(60),
        warm_up: Span::Emissions(40),
        ..DetectorConfig::default()
    }
}

fn detector(config: &DetectorConfig) -> Detector {
    Detector::new(config, 10, 3).expect("the configuration is valid")
}

#[test]
fn the_warm_up_is_silent_and_a_large_loop_is_told_about() {
    let (mut detector, mut noise) = (detector(&config()), Noise(1));
    for t in 0..40 {
        let outcome = observe(&mut detector, &mut noise, t, if t == 20 { 1.0 } else { 0.5 });
        assert_eq!((outcome.score, outcome.alert), (None, None), "at {t}");
    }
    for t in 40..80 {
        let outcome = observe(&mut detector, &mut noise, t, 0.5);
        assert!(outcome.score.unwrap().value < 6.0, "at {t}");
        assert_eq!(outcome.alert, None);
    }
    let outcome = observe(&mut detector, &mut noise, 80, 1.0);
    let alert = outcome.alert.unwrap();
    assert_eq!((alert.end, alert.window, alert.channel), (80, 10, Channel::H1));
    assert!(alert.score >= 6.0 && alert.score == outcome.score.unwrap().value);
    let moved = alert.moved.iter().find(|m| m.feature == "h1.max").unwrap();
    assert_eq!(moved.value, outcome.features.h1.max);
    assert!(moved.z > 6.0 && moved.reference > 0.5 && moved.reference < 0.56);
    assert!(alert.moved.windows(2).all(|m| m[0].z.abs() >= m[1].z.abs()));
}

#[test]
fn what_moves_for_the_first_time_without_a_cap_has_a_finite_score() {
    // Nothing has ever deviated, and without a cap there is no length to compare with.
    let (mut detector, radii) = (
        detector(&DetectorConfig { h1_score: LoopScore::Max, ..config() }),
        Radii { h0: f32::INFINITY, h1: f32::INFINITY },
    );
    let components: Diagram = [(0.0, 1.0), (0.0, f32::INFINITY)].map(pair).into_iter().collect();
    let mut observe = |t: u64, loops: &[(f32, f32)]| {
        let loops: Diagram = loops.iter().copied().map(pair).collect();
        let diagrams: Diagrams = [components.clone(), loops].into_iter().collect();
        let level = Level { mean: vec![0.0], deviation: vec![0.0] };
        let (time, cap) = (t as f64, f32::INFINITY);
        detector.observe(&Observation { end: t, time, diagrams: &diagrams, cap, radii, level })
    };
    (0..60).for_each(|t| _ = observe(t, &[]));
    let outcome = observe(60, &[(0.5, 0.75)]);
    let (score, alert) = (outcome.score.unwrap(), outcome.alert.unwrap());
    assert_eq!((score.h1, score.value), (1e9, 1e9));
    assert!(alert.moved.iter().any(|m| m.feature == "h1.max" && m.z == 1e9), "{alert:?}");
    let text = serde_json::to_string(&(&score, &alert)).unwrap();
    assert_eq!(serde_json::from_str::<(Score, Alert)>(&text).unwrap(), (score, alert));
}

fn pair((birth, death): (f32, f32)) -> Pair {
    Pair { birth, death }
}

#[test]
fn an_anomaly_counts_only_once_its_window_has_passed() {
    let (mut detector, mut noise) = (detector(&config()), Noise(3));
    for t in 0..60 {
        observe(&mut detector, &mut noise, t, 0.5);
    }
    // With ten points and a hop of three, an emission shares a point with the three before it.
    let rows = |detector: &Detector| {
        serde_json::to_value(detector).unwrap()["reference"]["times"].as_array().unwrap().len()
    };
    assert_eq!(rows(&detector), 60);
    for t in 60..90 {
        observe(&mut detector, &mut noise, t, 0.5);
    }
    assert_eq!(rows(&detector), 60 + 3);
}

#[test]
fn alerts_rest_for_the_refractory_time() {
    let (mut detector, mut noise) = (detector(&config()), Noise(5));
    let alerts = |detector: &mut Detector, noise: &mut Noise, range: std::ops::Range<u64>, size| {
        range.filter(|t| observe(detector, noise, *t, size).alert.is_some()).collect::<Vec<u64>>()
    };
    assert!(alerts(&mut detector, &mut noise, 0..60, 0.5).is_empty());
    assert_eq!(alerts(&mut detector, &mut noise, 60..82, 1.0), [60, 70, 80]);
    // The clock is set back.
    assert_eq!(alerts(&mut detector, &mut noise, 50..51, 1.0), [50]);
}

#[test]
fn only_the_channels_asked_for_raise_alerts() {
    let loud = |channels: &[Channel]| {
        let config = DetectorConfig { channels: channels.to_vec(), ..config() };
        let (mut detector, mut noise) = (detector(&config), Noise(7));
        for t in 0..60 {
            observe(&mut detector, &mut noise, t, 0.5);
        }
        observe(&mut detector, &mut noise, 60, 1.0).alert.map(|a| a.channel)
    };
    assert_eq!(loud(&[Channel::H0, Channel::Level]), None);
    assert_eq!(loud(&[Channel::H0, Channel::H1]), Some(Channel::H1));
}

#[test]
fn the_score_of_the_largest_loop_has_a_sign() {
    let config = DetectorConfig { h1_score: LoopScore::Max, ..config() };
    let (mut detector, mut noise) = (detector(&config), Noise(9));
    for t in 0..60 {
        observe(&mut detector, &mut noise, t, 0.5);
    }
    let small = observe(&mut detector, &mut noise, 60, 0.1).score.unwrap();
    let large = observe(&mut detector, &mut noise, 61, 0.9).score.unwrap();
    assert!(small.h1 < -6.0 && large.h1 > 6.0);
}

#[test]
fn distances_come_with_the_second_emission_and_the_end_of_the_warm_up() {
    let (mut detector, mut noise) = (detector(&config()), Noise(11));
    for t in 0..60 {
        let distance = observe(&mut detector, &mut noise, t, 0.5).features.distance;
        assert_eq!(distance.previous.is_some(), t > 0);
        assert_eq!(distance.reference.is_some(), t >= 40);
    }
    let still = observe(&mut detector, &mut noise, 60, 0.5).features.distance;
    let moved = observe(&mut detector, &mut noise, 61, 1.0).features.distance;
    let from_reference = |d: detection::features::DistanceFeatures| d.reference.unwrap().h1;
    assert!(from_reference(still).bottleneck < 0.1);
    assert!((0.4..0.6).contains(&from_reference(moved).bottleneck));
}

#[test]
fn every_number_is_finite_whatever_the_window() {
    let mut detector = detector(&config());
    let lone: Diagram = [Pair { birth: 0.0, death: f32::INFINITY }].into_iter().collect();
    let odd: [Diagrams; 4] = [
        [lone.clone(), Diagram::default()].into_iter().collect(),
        [lone.clone()].into_iter().collect(),
        Diagrams::default(),
        emission(&mut Noise(2), 0.5).0,
    ];
    for t in 0..300u32 {
        let infinite = Radii { h0: f32::INFINITY, h1: f32::INFINITY };
        let outcome = detector.observe(&Observation {
            end: t.into(),
            time: f64::from(t),
            diagrams: &odd[(t as usize / 7) % 4],
            cap: if t < 150 { f32::INFINITY } else { 1.5 },
            radii: infinite,
            level: Level { mean: vec![0.0], deviation: vec![0.0] },
        });
        // serde_json writes what is not finite as null.
        let text = serde_json::to_string(&(&outcome.features, &outcome.score)).unwrap();
        let nulls = text.replace(r#""previous":null"#, "").replace(r#""reference":null"#, "");
        assert!(!nulls.replace(",null]", "]").contains("null"), "{text}");
    }
}

#[test]
fn the_bodies_have_the_agreed_names() {
    let (mut detector, mut noise) = (detector(&config()), Noise(1));
    for t in 0..60 {
        observe(&mut detector, &mut noise, t, 0.5);
    }
    let outcome = observe(&mut detector, &mut noise, 60, 1.0);
    let alert = serde_json::to_value(outcome.alert.unwrap()).unwrap();
    let keys: Vec<&String> = alert.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["channel", "end", "loop", "moved", "score", "threshold", "window"]);
    let features = serde_json::to_value(outcome.features).unwrap();
    let keys: Vec<&String> = features.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["betti", "distance", "h0", "h1", "landscape", "level"]);
}

fn bits(score: Option<Score>) -> Option<[u32; 4]> {
    score.map(|s| [s.h0, s.h1, s.level, s.value].map(f32::to_bits))
}

proptest! {
    #[test]
    fn a_detector_read_back_goes_on_with_the_same_bits(
        seed: u64,
        pause in 0u64..150,
        seconds: bool,
        loop_score in prop::sample::select(vec![LoopScore::Rms, LoopScore::Max]),
        large in prop::collection::btree_set(0u64..200, 0..20),
    ) {
        let memory = if seconds { Span::Seconds(4.0) } else { Span::Emissions(50) };
        let config = DetectorConfig { memory, h1_score: loop_score, ..config() };
        let (mut detector, mut noise) = (detector(&config), Noise(seed));
        let size = |t: u64| if large.contains(&t) { 0.9 } else { 0.5 };
        for t in 0..pause {
            observe(&mut detector, &mut noise, t, size(t));
        }
        let text = serde_json::to_string(&detector).unwrap();
        let mut restored: Detector = serde_json::from_str(&text).unwrap();
        let mut again = Noise(noise.0);
        for t in pause..200 {
            let expected = observe(&mut detector, &mut noise, t, size(t));
            let found = observe(&mut restored, &mut again, t, size(t));
            prop_assert_eq!(bits(found.score), bits(expected.score));
            prop_assert_eq!(found, expected);
        }
        prop_assert_eq!(
            serde_json::to_string(&detector).unwrap(),
            serde_json::to_string(&restored).unwrap()
        );
    }
}
