//! The folder of a control plane, which goes even where its process was killed.

use crate::command::cache;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::Path;
use tempfile::TempDir;

/// Held by the process that uses the folder: the kernel lets go of it when that ends.
const LOCK: &str = "lock";

/// A folder that is removed when this is dropped, or else before the next one is made.
pub(super) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    pub(super) fn make() -> Result<Folder> {
        let all = cache().join("cluster/control-planes");
        let made = (|| {
            fs::create_dir_all(&all)?;
            // A folder is not yet locked when it has just been made.
            let making = File::create(all.join(LOCK))?;
            making.lock()?;
            sweep(&all)?;
            let folder = tempfile::tempdir_in(&all)?;
            let lock = File::create(folder.path().join(LOCK))?;
            lock.lock()?;
            anyhow::Ok(Folder { folder, _lock: lock })
        })();
        made.with_context(|| format!("cannot make a folder in {}", all.display()))
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders that no process uses.
fn sweep(all: &Path) -> Result<()> {
    for entry in fs::read_dir(all)? {
        let path = entry?.path();
        let used = File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err());
        if path.is_dir() && !used {
            // Another user's stays.
            let _ = fs::remove_dir_all(path);
        }
    }
    Ok(())
}
