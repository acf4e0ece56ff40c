//! The files of a report, none of which holds a secret, and the archive that they make.

use super::redact;
use crate::Trouble;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tar::{Builder, Header};

/// What is in a report. There is no way into it but through [`redact`].
#[derive(Debug, Default)]
pub(super) struct Report {
    /// By their names in the archive.
    files: BTreeMap<String, String>,
    /// What could not be had, and why.
    pub(super) missing: Vec<(String, Trouble)>,
}

impl Report {
    /// Adds an object, or a list of them.
    pub(super) fn object(&mut self, name: &str, value: Value) {
        let value = match value {
            Value::Array(items) => items.into_iter().map(redact::object).collect(),
            one => redact::object(one),
        };
        // JSON is YAML, if worse to read.
        let text = serde_saphyr::to_string(&value).unwrap_or_else(|_| value.to_string());
        self.files.insert(name.into(), text);
    }

    /// Adds text, such as a log.
    pub(super) fn text(&mut self, name: &str, said: &str) {
        self.files.insert(name.into(), redact::text(said));
    }

    /// Adds what was asked for, or remembers why it could not be had.
    pub(super) fn had<T>(&mut self, what: &str, had: Result<T, Trouble>) -> Option<T> {
        had.map_err(|why| self.missing.push((what.to_owned(), why))).ok()
    }

    /// Writes the archive, for nobody else to read: all files in a folder, the summary first.
    ///
    /// # Errors
    /// When the file cannot be written, or is there already.
    pub(super) fn write(&self, folder: &str, archive: &Path, time: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(archive)?;
        self.pack(folder, file, time).map(drop)
    }

    fn pack(&self, folder: &str, file: File, time: u64) -> io::Result<File> {
        let mut tar = Builder::new(GzEncoder::new(file, Compression::default()));
        let is_summary = |name: &&String| name.as_str() == SUMMARY;
        let first = self.files.keys().filter(is_summary);
        let rest = self.files.keys().filter(|name| !is_summary(name));
        for name in first.chain(rest) {
            let content = self.files[name].as_bytes();
            let mut header = Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(time);
            tar.append_data(&mut header, format!("{folder}/{name}"), content)?;
        }
        let mut file = tar.into_inner()?.finish()?;
        file.flush()?;
        Ok(file)
    }
}

/// What is to be read first.
pub(super) const SUMMARY: &str = "summary.txt";
