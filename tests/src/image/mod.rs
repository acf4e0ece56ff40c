//! Container images, made without a container engine.
//!
//! An image is one layer: a program, the libraries that it is linked with, and what else it is
//! given. The same content gives the same bytes. The archive is an OCI image layout, which
//! `ctr images import` takes, with the manifest that `docker load` asks for.

mod archive;
mod libraries;
mod ours;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How large an image of ours may be, bytes.
pub const MAX_SIZE: usize = 60_000_000;

/// An image to be written.
#[derive(Clone, Debug)]
pub struct Image {
    name: String,
    entries: BTreeMap<String, Entry>,
    config: Value,
}

#[derive(Clone, Debug)]
enum Entry {
    Folder { mode: u32 },
    File { content: Vec<u8>, mode: u32 },
    Link { target: String },
}

impl Image {
    /// An empty image of this full name, such as `localhost/worker:1`.
    pub fn new(name: &str) -> Image {
        let path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
        let config = json!({"Env": [format!("PATH={path}")]});
        Image { name: name.into(), entries: BTreeMap::new(), config }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes of its files.
    pub fn size(&self) -> usize {
        let size = |entry: &Entry| match entry {
            Entry::File { content, .. } => content.len(),
            Entry::Folder { .. } | Entry::Link { .. } => 0,
        };
        self.entries.values().map(size).sum()
    }

    /// With this text as a file that all may read.
    pub fn text(self, at: &str, text: &str) -> Image {
        self.entry(at, Entry::File { content: text.into(), mode: 0o644 })
    }

    /// With a copy of this file, of mode 644.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file(self, at: &str, source: &Path) -> Result<Image> {
        Ok(self.entry(at, Entry::File { content: read(source)?, mode: 0o644 }))
    }

    /// With this program, and the libraries that it is linked with where it looks for them.
    ///
    /// # Errors
    /// When a library is missing.
    pub fn program(mut self, at: &str, source: &Path) -> Result<Image> {
        for library in libraries::of(source)? {
            let at = library.display().to_string();
            self = self.entry(&at, Entry::File { content: read(&library)?, mode: 0o755 });
        }
        Ok(self.entry(at, Entry::File { content: read(source)?, mode: 0o755 }))
    }

    /// With a symbolic link.
    pub fn link(self, at: &str, target: &str) -> Image {
        self.entry(at, Entry::Link { target: target.into() })
    }

    /// With a folder of this mode.
    pub fn folder(self, at: &str, mode: u32) -> Image {
        self.entry(at, Entry::Folder { mode })
    }

    /// That runs this, unless told otherwise.
    pub fn entrypoint(mut self, line: &[&str]) -> Image {
        self.config["Entrypoint"] = json!(line);
        self
    }

    /// Whose processes run as this user and group, such as `65532:65532`.
    pub fn user(mut self, user: &str) -> Image {
        self.config["User"] = json!(user);
        self
    }

    /// Writes the archive.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, archive: &Path) -> Result<()> {
        let written = archive::write(&self.name, &self.entries, &self.config, archive);
        written.with_context(|| format!("cannot write the image {}", archive.display()))
    }

    fn entry(mut self, at: &str, entry: Entry) -> Image {
        let at = at.trim_matches('/');
        for (end, _) in at.match_indices('/') {
            let parent = at[..end].to_owned();
            self.entries.entry(parent).or_insert(Entry::Folder { mode: 0o755 });
        }
        self.entries.insert(at.into(), entry);
        self
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {} for an image", path.display()))
}
