//! The format: <https://github.com/opencontainers/image-spec>.

use super::Entry;
use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use tar::{Builder, EntryType, Header};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

pub(super) fn write(
    name: &str,
    entries: &BTreeMap<String, Entry>,
    config: &Value,
    archive: &Path,
) -> Result<()> {
    let layer = Blob::new(LAYER, layer(entries)?);
    let config = Blob::new(CONFIG, image_config(config, &layer).to_string().into_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    });
    let manifest = Blob::new(MANIFEST, manifest.to_string().into_bytes());
    let mut listed = manifest.descriptor();
    listed["annotations"] = json!({"io.containerd.image.name": name});
    let index = json!({"schemaVersion": 2, "manifests": [listed]});
    let for_docker =
        json!([{"Config": config.path(), "RepoTags": [name], "Layers": [layer.path()]}]);

    // Whoever finds the archive finds all of it.
    let folder = archive.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
    let mut tar = Builder::new(&mut unfinished);
    let text = |value: Value| value.to_string().into_bytes();
    append(&mut tar, "oci-layout", &text(json!({"imageLayoutVersion": "1.0.0"})))?;
    append(&mut tar, "index.json", &text(index))?;
    append(&mut tar, "manifest.json", &text(for_docker))?;
    for blob in [&manifest, &config, &layer] {
        append(&mut tar, &blob.path(), &blob.bytes)?;
    }
    tar.into_inner()?.flush()?;
    let kept: File = unfinished.persist(archive)?;
    kept.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(())
}

/// Something that is called by the hash of its content.
struct Blob {
    media_type: &'static str,
    hash: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Blob {
        let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Blob { media_type, hash, bytes }
    }

    fn digest(&self) -> String {
        format!("sha256:{}", self.hash)
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.hash)
    }

    fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest(), "size": self.bytes.len()})
    }
}

fn image_config(config: &Value, layer: &Blob) -> Value {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.digest()]},
        "history": [{"created": "1970-01-01T00:00:00Z", "comment": "made without an engine"}],
    })
}

fn layer(entries: &BTreeMap<String, Entry>) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (path, entry) in entries {
        let (kind, mode, content) = match entry {
            Entry::Folder { mode } => (EntryType::Directory, *mode, &[][..]),
            Entry::File { content, mode } => (EntryType::Regular, *mode, &content[..]),
            Entry::Link { .. } => (EntryType::Symlink, 0o777, &[][..]),
        };
        let mut header = header(kind, mode, content.len());
        match entry {
            Entry::Link { target } => tar.append_link(&mut header, path, target)?,
            _ => tar.append_data(&mut header, path, content)?,
        }
    }
    Ok(tar.into_inner()?)
}

fn append(tar: &mut Builder<impl Write>, path: &str, bytes: &[u8]) -> Result<()> {
    let mut header = header(EntryType::Regular, 0o644, bytes.len());
    Ok(tar.append_data(&mut header, path, bytes)?)
}

/// Of root, and as old as can be.
fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}
