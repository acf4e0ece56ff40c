//! What Ripser and GUDHI find for the same points, recorded by `goldens/make.py`.
//!
//! They are given lengths computed in `f64`, which Ripser rounds to `f32`. A squared length in
//! `f32` is off by at most a rounding of each difference (counted twice), of each square and of
//! each sum: in eight dimensions by 10 · 2⁻²⁴ of itself, so that a length is off by less than
//! 4 · 10⁻⁷ of itself. No bar is longer than the radius, and by the stability of persistence
//! (Cohen-Steiner, Edelsbrunner, Harer, 2007) births and deaths move no further than lengths do.
//! The tolerance of 3 · 10⁻⁶ · max(1, r), r the radius or the diameter, leaves room for that, and is
//! far below any bar that is compared; bars shorter than three tolerances may come from rounding
//! alone and are left out.

use std::fs;
use std::path::PathBuf;

use persistence::{Config, Diagrams, Path, Window, batch};

type Bar = (f32, f32);

fn rows(name: &str) -> Vec<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn number(text: &str) -> f32 {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// What a tool recorded for a degree.
fn recorded(case: &str, tool: &str, degree: usize) -> Vec<Bar> {
    let bars = rows(&format!("{case}.{tool}.csv")).into_iter();
    let of_degree = bars.filter(|row| row[0] == degree.to_string());
    of_degree.map(|row| (number(&row[1]), number(&row[2]))).collect()
}

fn found(diagrams: &Diagrams, degree: usize) -> Vec<Bar> {
    diagrams.degree(degree).pairs().iter().map(|p| (p.birth, p.death)).collect()
}

fn compare(case: &str, diagrams: &Diagrams, tolerance: f32) {
    for tool in ["ripser", "gudhi"] {
        for degree in 0..=1 {
            let long = |bars: Vec<Bar>| -> Vec<Bar> {
                bars.into_iter().filter(|b| b.1 - b.0 > 3.0 * tolerance).collect()
            };
            let expected = long(recorded(case, tool, degree));
            let found = long(found(diagrams, degree));
            assert!(expected.len() > 10, "{case}: {tool} recorded bars of degree {degree}");
            assert_eq!(found.len(), expected.len(), "{case}: {tool}, degree {degree}");
            let matched = matched(&found, &expected, tolerance);
            assert_eq!(matched, found.len(), "{case}: {tool}, degree {degree}");
        }
    }
}

/// The size of a largest matching of bars whose ends differ by no more than the tolerance.
fn matched(ours: &[Bar], theirs: &[Bar], tolerance: f32) -> usize {
    let near = |a: f32, b: f32| a == b || (a - b).abs() <= tolerance;
    let alike = |a: &Bar, b: &Bar| near(a.0, b.0) && near(a.1, b.1);
    let candidates: Vec<Vec<usize>> = ours
        .iter()
        .map(|a| (0..theirs.len()).filter(|&b| alike(a, &theirs[b])).collect())
        .collect();
    let mut owner = vec![None; theirs.len()];
    let mut claim = |bar| claim(bar, &candidates, &mut owner, &mut vec![false; theirs.len()]);
    (0..ours.len()).filter(|&bar| claim(bar)).count()
}

/// Whether `bar` gets a partner, if need be by sending an earlier owner on to another.
fn claim(
    bar: usize,
    candidates: &[Vec<usize>],
    owner: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    for &partner in &candidates[bar] {
        if !asked[partner] {
            asked[partner] = true;
            if owner[partner].is_none_or(|earlier| claim(earlier, candidates, owner, asked)) {
                owner[partner] = Some(bar);
                return true;
            }
        }
    }
    false
}

#[test]
fn diagrams_are_those_of_ripser_and_gudhi() {
    let cases = rows("cases.csv");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let (name, size) = (&case[0], number(&case[1]) as usize);
        let points: Vec<Vec<f32>> = rows(&format!("{name}.points.csv"))
            .iter()
            .map(|r| r.iter().map(|x| number(x)).collect())
            .collect();
        let config = Config::new(points[0].len(), size, number(&case[2]));
        let held = &points[points.len() - size..];
        let tolerance = 3e-6 * diameter(held).min(config.max_radius).max(1.0);

        let from_scratch = batch::diagrams(&held.concat(), &config).unwrap();
        compare(name, &from_scratch, tolerance);
        for hop in [1, 13] {
            for path in [Path::Dense, Path::Sparse] {
                assert_eq!(slid(&points, &config, hop, path), from_scratch, "{name}, {path:?}");
            }
        }
    }
}

/// The diagrams at the end of the points, after asking for them on the way.
fn slid(points: &[Vec<f32>], config: &Config, hop: usize, path: Path) -> Diagrams {
    let mut window = Window::with_path(config, path).expect("a good configuration");
    for (seen, point) in points.iter().enumerate() {
        window.push(point).expect("a good point");
        if seen >= config.window && seen % hop == 0 {
            window.diagrams();
        }
    }
    window.diagrams()
}

fn diameter(points: &[Vec<f32>]) -> f32 {
    let distance =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>();
    let squared = points.iter().flat_map(|a| points.iter().map(move |b| distance(a, b)));
    squared.fold(0.0, f32::max).sqrt()
}
