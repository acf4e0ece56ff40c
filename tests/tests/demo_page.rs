//! The demo's page and report in a real browser: they draw, move, fit and do not complain.
#![allow(clippy::unwrap_used)]

use harness::browser::{Browser, Tab};
use harness::demo::Demo;
use serde_json::Value;
use std::time::Duration;

const PANELS: [&str; 7] =
    ["signal", "cloud", "diagram", "barcode", "betti", "latency", "throughput"];

/// Defined in the page: how much of a canvas is drawn upon, and a sum that tells pictures apart.
const PROBE: &str = "
    window.pixels = name => {
        const canvas = document.getElementById(name);
        const copy = document.createElement('canvas');
        [copy.width, copy.height] = [canvas.width, canvas.height];
        const pen = copy.getContext('2d', { willReadFrequently: true });
        pen.drawImage(canvas, 0, 0);
        return pen.getImageData(0, 0, copy.width, copy.height).data;
    };
    window.probe = name => {
        const data = pixels(name);
        let drawn = 0, sum = 0;
        for (let i = 0; i < data.length; i += 4) if (data[i + 3]) {
            drawn++;
            sum = (sum * 31 + data[i] + 256 * data[i + 1] + 65536 * data[i + 2] + i) % 4294967291;
        }
        return { drawn, sum };
    };
    window.coloured = (name, variable) => {
        const style = getComputedStyle(document.documentElement);
        const colour = style.getPropertyValue(variable).trim();
        const want = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
        const data = pixels(name);
        let found = 0;
        for (let i = 0; i < data.length; i += 4)
            if (data[i + 3] > 250 && want.every((c, k) => Math.abs(c - data[i + k]) < 3)) found++;
        return found;
    };";

fn probe(tab: &mut Tab) -> Vec<(i64, i64)> {
    tab.evaluate(PROBE).unwrap();
    let of = |name: &&str| {
        let found = tab.evaluate(&format!("probe('{name}')")).unwrap();
        (found["drawn"].as_i64().unwrap(), found["sum"].as_i64().unwrap())
    };
    PANELS.iter().map(of).collect()
}

fn assert_drawn(tab: &mut Tab, place: &str) {
    for (name, (drawn, _)) in PANELS.iter().zip(probe(tab)) {
        assert!(drawn > 1000, "{name} has {drawn} pixels on {place}");
    }
}

fn number(tab: &mut Tab, expression: &str) -> f64 {
    tab.evaluate(expression).unwrap().as_f64().unwrap_or_else(|| panic!("{expression}"))
}

fn assert_fits(tab: &mut Tab, place: &str) {
    let excess = "document.documentElement.scrollWidth - innerWidth";
    assert!(number(tab, excess) <= 0.0, "the page is wider than {place}");
    let ends = "Math.max(...[...document.querySelectorAll('.panel, .tile, canvas')]
        .map(node => node.getBoundingClientRect().right)) - innerWidth";
    assert!(number(tab, ends) <= 0.0, "something ends outside of {place}");
}

fn left(tab: &mut Tab, panel: &str) -> f64 {
    let of = format!("document.getElementById('{panel}').getBoundingClientRect().left");
    number(tab, &of)
}

fn assert_silent(tab: &mut Tab) {
    assert!(tab.problems().unwrap().is_empty(), "{:#?}", tab.problems().unwrap());
}

#[test]
fn the_live_page_draws_moves_and_fits() {
    let demo = Demo::start(&["--speed", "10"]).unwrap();
    let browser = Browser::start().unwrap();
    let mut tab = browser.tab().unwrap();
    tab.resize(1440, 900).unwrap();
    tab.prefer("light").unwrap();
    tab.open(&demo.page).unwrap();
    // An alert beside a marked beat, and two seconds of pace.
    tab.wait_for("document.querySelectorAll('#alerts td:nth-child(5)').length > 1").unwrap();
    tab.wait_for("document.getElementById('tile-latency').textContent !== '–'").unwrap();
    assert_eq!(tab.evaluate("document.getElementById('status').textContent").unwrap(), "live");

    assert_drawn(&mut tab, "a desktop");
    let before = probe(&mut tab);
    std::thread::sleep(Duration::from_millis(2500));
    for ((name, before), after) in PANELS.iter().zip(before).zip(probe(&mut tab)) {
        assert_ne!(before.1, after.1, "{name} does not move");
    }
    for (panel, colour) in [
        ("signal", "--ink"),
        ("signal", "--score"),
        ("signal", "--alert"),
        ("signal", "--mark"),
        ("diagram", "--h1"),
        ("barcode", "--h0"),
        ("betti", "--h0"),
        ("latency", "--engine"),
        ("throughput", "--h1"),
    ] {
        let found = number(&mut tab, &format!("coloured('{panel}', '{colour}')"));
        assert!(found > 5.0, "{panel} shows {found} pixels of {colour}");
    }
    let drawn = number(&mut tab, "demo.drawn");
    std::thread::sleep(Duration::from_secs(1));
    let frames = number(&mut tab, "demo.drawn") - drawn;
    println!("{frames} frames a second");
    assert!(frames >= 5.0, "{frames} frames a second");

    assert_fits(&mut tab, "a desktop");
    assert_ne!(left(&mut tab, "panel-cloud"), left(&mut tab, "panel-diagram"));
    tab.resize(390, 844).unwrap();
    tab.wait_for("innerWidth === 390").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_fits(&mut tab, "a phone");
    assert_eq!(left(&mut tab, "panel-cloud"), left(&mut tab, "panel-diagram"));
    assert_drawn(&mut tab, "a phone");

    let ink = |tab: &mut Tab| {
        tab.evaluate("getComputedStyle(document.documentElement).backgroundColor").unwrap()
    };
    let light = ink(&mut tab);
    tab.prefer("dark").unwrap();
    tab.wait_for("document.documentElement.dataset.theme === 'dark'").unwrap();
    assert_ne!(ink(&mut tab), light);
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        number(&mut tab, "coloured('signal', '--ink')") > 5.0,
        "the signal is not light on dark"
    );
    assert_drawn(&mut tab, "a dark phone");
    assert_silent(&mut tab);
}

#[test]
fn the_live_page_connects_again() {
    let demo = Demo::start(&["--speed", "10"]).unwrap();
    let port = demo.page.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let browser = Browser::start().unwrap();
    let mut tab = browser.tab().unwrap();
    tab.open(&demo.page).unwrap();
    tab.wait_for("demo.scenes === 1 && demo.frames > 5").unwrap();
    drop(demo);
    tab.wait_for("document.getElementById('status').dataset.state === 'lost'").unwrap();
    let _again = Demo::start(&["--speed", "10", "--port", &port]).unwrap();
    tab.wait_for("demo.scenes === 2").unwrap();
    let frames = number(&mut tab, "demo.frames");
    tab.wait_for(&format!("demo.frames > {frames} + 5")).unwrap();
    assert_eq!(tab.evaluate("document.getElementById('status').textContent").unwrap(), "live");
}

#[test]
fn the_report_draws_and_shows_any_alert() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let demo = Demo::start(&["--speed", "40", "--seconds", "3", "--report", path]).unwrap();
    let (status, said) = demo.wait().unwrap();
    assert!(status.success(), "{said}");
    let browser = Browser::start().unwrap();
    let mut tab = browser.tab().unwrap();
    tab.prefer("light").unwrap();
    for (width, place) in [(1440, "a desktop"), (390, "a phone")] {
        tab.resize(width, 900).unwrap();
        tab.open(&format!("file://{path}/report.html")).unwrap();
        tab.wait_for("demo.drawn > 0").unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert_drawn(&mut tab, place);
        assert_fits(&mut tab, place);
    }
    let rows = number(&mut tab, "document.querySelectorAll('#alerts tr[data-pick]').length");
    let report: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["alerts"].as_f64(), Some(rows));
    assert!(rows > 10.0, "{rows} alerts");
    let before = probe(&mut tab);
    tab.evaluate("document.querySelector('#alerts tr[data-pick]').click()").unwrap();
    let after = probe(&mut tab);
    for panel in [1, 2, 3] {
        assert_ne!(before[panel].1, after[panel].1, "{} is the same", PANELS[panel]);
    }
    assert_silent(&mut tab);
}
