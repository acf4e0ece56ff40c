use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Arguments;

/// The file to write to, or standard output, which is flushed after every line.
pub(super) fn open(arguments: &Arguments) -> Result<Box<dyn Write>> {
    let Some(path) = &arguments.output else {
        return Ok(Box::new(io::stdout()));
    };
    if is_same_file(&arguments.input, path) {
        bail!("--output {} is the input itself; name another file", path.display());
    }
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Box::new(BufWriter::new(file)))
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    let identity = |path| fs::metadata(path).map(|m| (m.dev(), m.ino()));
    matches!((identity(a), identity(b)), (Ok(a), Ok(b)) if a == b)
}
