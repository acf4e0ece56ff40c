//! Distances and features as GUDHI and persim find them: see `goldens/make.py`.

use detection::Bar;
use detection::distance::{Order, bottleneck_of_bars, wasserstein_of_bars};
use detection::features::{LandscapeNorms, Loops};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    a: Vec<(f32, f32)>,
    b: Vec<(f32, f32)>,
    bottleneck: f64,
    /// Of order 1 and 2.
    wasserstein: (f64, f64),
    /// Of `a`, in nats.
    entropy: Option<f64>,
    /// L1 and L2 of all landscapes of `a`.
    landscape: Option<(f64, f64)>,
}

fn bars(pairs: &[(f32, f32)]) -> Vec<Bar> {
    pairs.iter().map(|&(birth, death)| Bar { birth, death }).collect()
}

fn assert_close(found: f64, expected: f64, what: &str, case: usize) {
    let tolerance = 1e-6 * (1.0 + expected.abs());
    assert!((found - expected).abs() < tolerance, "{what} of {case}: {found}, not {expected}");
}

#[test]
fn other_packages_find_the_same() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("goldens/diagrams.json")).unwrap();
    assert_eq!(cases.len(), 14);
    for (i, case) in cases.iter().enumerate() {
        let (a, b) = (bars(&case.a), bars(&case.b));
        assert_close(bottleneck_of_bars(&a, &b), case.bottleneck, "bottleneck", i);
        let (one, two) = case.wasserstein;
        assert_close(wasserstein_of_bars(&a, &b, Order::One), one, "1-Wasserstein", i);
        assert_close(wasserstein_of_bars(&a, &b, Order::Two), two, "2-Wasserstein", i);
        if let Some(entropy) = case.entropy {
            assert_close(Loops::of(&a).entropy.into(), entropy, "entropy", i);
        }
        if let Some((one, two)) = case.landscape {
            let found = LandscapeNorms::of(&a, usize::MAX);
            assert_close(found.l1.into(), one, "landscape L1", i);
            assert_close(found.l2.into(), two, "landscape L2", i);
        }
    }
}
