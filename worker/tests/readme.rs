//! What the documentation shows is what happens.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use worker::config::Config;
use worker::emission::Emission;

const README: &str = include_str!("../../README.md");

#[test]
fn the_example_configuration_is_valid() {
    let config = Config::from_yaml(include_str!("../../docs/worker.yaml")).unwrap();
    assert_eq!(config.scales.len(), 2);
}

/// The wave that the README makes with awk.
fn wave() -> String {
    let sample = |t: i32| {
        let t = f64::from(t);
        let moving = if t > 1500.0 && t < 1600.0 { 0.0 } else { 1.0 };
        moving * (t / 10.0).sin() + 0.1 * (t * t).sin()
    };
    let lines: Vec<String> = (0..3000).map(|t| format!("{:.3}\n", sample(t))).collect();
    format!("x\n{}", lines.concat())
}

/// The newest sample and the longest loop, as the README prints them.
fn longest_loop(line: &str) -> String {
    let emission: Emission = serde_json::from_str(line).unwrap();
    let loops = emission.diagrams[1].iter().map(|(birth, death)| death.unwrap_or(2.0) - birth);
    format!("{} {:.2}", emission.end + 16, loops.fold(0.0, f32::max))
}

#[test]
fn the_example_of_the_readme_finds_where_the_wave_stops() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(folder.join("readme.csv"), wave()).unwrap();
    let options = "--window 126 --hop 21 --delay 16 --embedding 2 --max-radius 2";
    assert!(README.contains(&format!("diagrams wave.csv {options} > diagrams.jsonl")));
    let output = Command::new(env!("CARGO_BIN_EXE_streaming-tda-worker"))
        .args(["diagrams", "readme.csv"])
        .args(options.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let (first, _) = printed.split_once(",0.0").unwrap();
    assert!(README.contains(first), "{first}");
    let loops: Vec<String> = printed.lines().map(longest_loop).collect();
    let shown = loops.iter().position(|l| l.starts_with("1506 ")).unwrap();
    let shown = loops[shown..shown + 6].join("\n");
    assert!(README.contains(&shown), "{shown}\n{first}");
}
