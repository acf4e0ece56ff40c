use super::*;
use persistence::{Config, batch};

fn points(form: &str, anomalies: Option<&str>, seed: u64) -> Points {
    let anomalies = anomalies.map(|text| text.parse().unwrap_or_else(|e| panic!("{e}")));
    let forms = vec![form.parse().unwrap_or_else(|e| panic!("{e}"))];
    Points { forms, anomalies, seed }
}

/// The first points of a series, and where something happens.
fn walk(points: &Points, series: usize, count: usize) -> Vec<(Vec<f32>, Option<Stretch>)> {
    let mut walk = points.series(series);
    let mut values = Vec::new();
    let mut step = || {
        let stretch = walk.step(&mut values).stretch;
        (values.clone(), stretch)
    };
    (0..count).map(|_| step()).collect()
}

/// The lifetimes of the loops of some points, the longest first.
fn loops(points: &[(Vec<f32>, Option<Stretch>)], cap: f32) -> Vec<f32> {
    let dimension = points[0].0.len();
    let flat: Vec<f32> = points.iter().flat_map(|(values, _)| values.clone()).collect();
    let diagrams = batch::diagrams(&flat, &Config::new(dimension, points.len(), cap)).unwrap();
    let pairs = diagrams.all()[1].pairs();
    let mut found: Vec<f32> = pairs.iter().map(|p| p.death.min(cap) - p.birth).collect();
    found.sort_by(|a, b| b.total_cmp(a));
    found.resize(found.len().max(3), 0.0);
    found
}

/// The loops of the points before and in the first stretch.
fn before_and_in(form: &str, anomaly: &str, cap: f32) -> [Vec<f32>; 2] {
    let anomalies = format!("{anomaly} every 400 lasting 200 after 200");
    let all = walk(&points(form, Some(&anomalies), 11), 0, 600);
    let inside: Vec<_> = all.iter().filter(|(_, stretch)| stretch.is_some()).cloned().collect();
    assert_eq!(inside.len(), 200);
    [loops(&all[..200], cap), loops(&inside, cap)]
}

#[test]
fn a_point_is_a_function_of_seed_series_and_index() {
    let anomalies = Some("stop + frequency + open every 300 lasting 50");
    let some = points("circle", anomalies, 1);
    let [whole, again] = [1000, 1000].map(|count| walk(&some, 3, count));
    assert_eq!(whole, again);
    assert_ne!(whole, walk(&some, 4, 1000));
    assert_ne!(whole, walk(&points("circle", anomalies, 2), 3, 1000));
}

#[test]
fn loops_open_split_die_and_shrink() {
    let circle = "circle(noise=0.02, period=100)";
    let [normal, open] = before_and_in(circle, "open", 3.0);
    assert!(normal[0] > 1.4 && normal[1] < 0.2, "{normal:?}");
    // The ends of an arc of 240° are √3 apart, which is when a circle's loop dies.
    assert!(open[0] < 0.3, "{open:?}");
    let [_, split] = before_and_in(circle, "split", 3.0);
    assert!(split[1] > 0.5 && split[0] < 1.0 && split[2] < 0.2, "{split:?}");
    let [_, die] = before_and_in(circle, "die", 3.0);
    assert!(die[0] < 0.5, "{die:?}");
    let [_, radius] = before_and_in(circle, "radius", 3.0);
    assert!((0.55..0.9).contains(&radius[0]) && radius[1] < 0.2, "{radius:?}");
    let [_, stop] = before_and_in(circle, "stop", 3.0);
    assert!(stop[0] < 0.1, "{stop:?}");
}

#[test]
fn a_torus_has_two_loops_and_clusters_have_none() {
    let torus = walk(&points("torus(noise=0)", None, 1), 0, 500);
    let found = loops(&torus, 2.2);
    assert!(found[1] > 0.5 && found[2] < 0.5 * found[1], "{:?}", &found[..4]);
    let clusters = walk(&points("clusters(count=3, spread=0.05)", None, 1), 0, 300);
    assert!(loops(&clusters, 3.0)[0] < 0.2);
    let angle = |(values, _): &(Vec<f32>, _)| f64::from(values[1]).atan2(f64::from(values[0]));
    let mut angles: Vec<f64> = clusters.iter().map(angle).collect();
    angles.sort_by(f64::total_cmp);
    let gaps = angles.windows(2).filter(|pair| pair[1] - pair[0] > 1.0).count();
    assert!((2..=3).contains(&gaps), "{gaps} gaps between the clusters");
}

#[test]
fn a_signal_repeats_with_its_period_and_is_embedded_as_a_loop() {
    let form = "signal(noise=0, period=50, harmonics=3)";
    let signal = walk(&points(form, None, 4), 0, 300);
    for t in 0..250 {
        assert!((signal[t].0[0] - signal[t + 50].0[0]).abs() < 1e-5);
    }
    let embedded: Vec<_> =
        (12..112).map(|t| (vec![signal[t].0[0], signal[t - 12].0[0]], None)).collect();
    assert!(loops(&embedded, 3.0)[0] > 1.0);
}

#[test]
fn the_phase_stops_and_hurries_and_goes_on_without_a_jump() {
    let form = "circle(noise=0, period=100)";
    let angle = |(values, _): &(Vec<f32>, _)| f64::from(values[1]).atan2(f64::from(values[0]));
    for (kind, speed) in [("stop", 0.0), ("frequency", 2.0)] {
        let anomalies = format!("{kind} every 300 lasting 70 after 50");
        let all = walk(&points(form, Some(&anomalies), 9), 0, 2000);
        for pair in all.windows(2) {
            let turned = (angle(&pair[1]) - angle(&pair[0])).rem_euclid(TAU);
            // A point of a stretch moves on as the stretch says, the first ordinary one after it too.
            let expected = if pair[0].1.is_some() { speed } else { 1.0 } * TAU / 100.0;
            let off = (turned - expected).abs();
            assert!(off.min(TAU - off) < 1e-3, "{kind}: {turned} {expected}");
        }
    }
}

#[test]
fn there_is_one_anomaly_in_each_stretch_of_points_and_all_kinds_come() {
    let some = points("circle", Some("open + die + split every 100 lasting 30 after 70"), 2);
    let all = walk(&some, 5, 7070);
    let mut kinds = std::collections::BTreeMap::new();
    assert!(all[..70].iter().all(|(_, stretch)| stretch.is_none()));
    for (number, block) in all[70..].chunks(100).enumerate() {
        let inside: Vec<Stretch> = block.iter().filter_map(|(_, stretch)| *stretch).collect();
        assert_eq!(inside.len(), 30);
        assert!(inside.iter().all(|s| s.number == number as u64 && s.end - s.begin == 30));
        *kinds.entry(inside[0].anomaly.name()).or_insert(0) += 1;
    }
    assert!(kinds.len() == 3 && kinds.values().all(|count| *count > 10), "{kinds:?}");
}

#[test]
fn what_is_written_reads_back() {
    let forms = ["circle", "torus(tube=0.5)", "clusters()", "signal(harmonics=4)", "noise"];
    for text in forms {
        let form: Form = text.parse().unwrap();
        assert_eq!(form.to_string().parse(), Ok(form));
    }
    let anomalies: Anomalies = "open+stop every 5k lasting 300 after 10".parse().unwrap();
    assert_eq!(anomalies.to_string().parse(), Ok(anomalies));
}

#[test]
fn what_is_wrong_is_told_with_what_there_is() {
    let form = |text: &str| text.parse::<Form>().unwrap_err().to_string();
    assert!(form("sphere").contains("there is no form `sphere`: there is circle, torus"));
    assert!(
        form("circle(size=3)").contains("`circle` has no `size`: it has radius, period, noise")
    );
    assert!(form("clusters(count=2.5)").contains("`count` is a whole number, at least 1"));
    assert!(form("circle(period=0.5)").contains("at least 1"));
    assert!(form("circle(period=5").contains("expected `)`"));
    let anomalies = |text: &str| text.parse::<Anomalies>().unwrap_err().to_string();
    assert!(anomalies("explode every 5 lasting 1").contains("no anomaly `explode`: there is open"));
    assert!(anomalies("open every 5 lasting 6").contains("lasts from 1 to 5 points"));
    assert!(anomalies("open lasting 6").contains("expected `every`"));
    let refused = points("signal", Some("open every 100 lasting 10"), 0).check().unwrap_err();
    assert!(refused.contains("has no anomaly open: it has split"), "{refused}");
    let forms = vec!["circle".parse().unwrap(), "signal".parse().unwrap()];
    let mixed = Points { forms, anomalies: None, seed: 0 };
    assert!(mixed.check().unwrap_err().contains("they must have as many"));
}
