//! What the unit tests share: resources as an API server has them, and golden files.
#![allow(clippy::unwrap_used)]

use crate::cluster::Seen;
use crate::text::Line;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};

/// When the tests look.
pub(crate) const NOW: &str = "2026-03-01T12:00:00Z";

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// The documents of a file of `tests/resources`.
pub(crate) fn documents<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let file = folder("resources").join(format!("{name}.yaml"));
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// The resource of this name in `resources.yaml`.
pub(crate) fn seen(name: &str) -> Seen {
    let all: Vec<Seen> = documents("resources");
    all.into_iter().find(|seen| seen.metadata.name.as_deref() == Some(name)).unwrap()
}

/// That lines are those of a golden file; `GOLDEN=write` in the environment makes the file again.
pub(crate) fn golden(name: &str, lines: &[Line]) {
    let text: String = lines.iter().map(|line| line.text(false) + "\n").collect();
    golden_text(name, &text);
}

pub(crate) fn golden_text(name: &str, text: &str) {
    let file = folder("golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|how| how == "write") {
        fs::write(&file, text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{} is another; GOLDEN=write writes it", file.display());
}
