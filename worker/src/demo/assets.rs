//! The page as one self-contained file: the live page and the report are the same drawing.

use super::scene::Scene;

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPTS: [&str; 11] = [
    include_str!("page/plot.js"),
    include_str!("page/story.js"),
    include_str!("page/strip.js"),
    include_str!("page/cloud.js"),
    include_str!("page/diagram.js"),
    include_str!("page/betti.js"),
    include_str!("page/pulse.js"),
    include_str!("page/words.js"),
    include_str!("page/live.js"),
    include_str!("page/report.js"),
    include_str!("page/start.js"),
];

/// The live page, or the report of a scene.
pub(super) fn html(scene: Option<&Scene>) -> String {
    let scene = scene.map_or("null".to_owned(), |scene| {
        let json = serde_json::to_string(scene).expect("a scene has string keys only");
        // Nothing in the data can end the script that it stands in.
        json.replace('<', "\\u003c")
    });
    let (head, rest) = cut(PAGE, "/*STYLE*/");
    let (middle, rest) = cut(rest, "/*SCENE*/null");
    let (before, end) = cut(rest, "/*SCRIPT*/");
    [head, STYLE, middle, &scene, before, &SCRIPTS.join("\n"), end].concat()
}

fn cut<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_once(mark).expect("the page has a place for every part")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_needs_nothing_from_outside() {
        let page = super::html(None);
        assert!(page.contains("const REPORT = null;"));
        for outside in ["https://", "http://", "@import", "src=", "url("] {
            let found = page.replace("http://www.w3.org/2000/svg", "").contains(outside);
            assert!(!found, "the page mentions {outside}");
        }
        assert!(!page.contains("/*S"), "a part is missing");
    }
}
