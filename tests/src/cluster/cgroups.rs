//! The control groups of a node, in which the kubelet puts those of its pods.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ROOT: &str = "/sys/fs/cgroup";
/// What a kubelet needs in version 2.
const CONTROLLERS: [&str; 4] = ["cpuset", "cpu", "memory", "pids"];
/// How long the processes of a machine may take to be gone after it has ended.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether there are any, and more can be made.
pub(super) fn check() -> Result<()> {
    let name = format!("stda-check-{}", std::process::id());
    make(&name)?;
    remove(&name)
}

/// Makes the group `name` wherever the kernel has groups.
pub(super) fn make(name: &str) -> Result<()> {
    let made = match version()? {
        Version::One(hierarchies) => hierarchies.iter().try_for_each(|h| make_in(h, name)),
        Version::Two => make_with_controllers(Path::new(ROOT), name),
    };
    made.with_context(|| {
        format!(
            "cannot make a control group in {ROOT}, which must be mounted, and writable by root"
        )
    })
}

/// Removes the groups whose names begin so, when their processes are gone.
pub(super) fn remove(prefix: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = groups(prefix)?;
        for group in &left {
            remove_tree(group);
        }
        if left.iter().all(|group| !group.exists()) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("processes are left in the control groups {left:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The groups there are whose names begin so.
fn groups(prefix: &str) -> Result<Vec<PathBuf>> {
    let parents = match version()? {
        // runc makes groups in all hierarchies, also in that of version 2 beside those of 1.
        Version::One(_) => folders(Path::new(ROOT))?,
        Version::Two => vec![ROOT.into()],
    };
    let mut found = Vec::new();
    for parent in parents {
        let named = |group: &PathBuf| {
            group.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
        };
        found.extend(folders(&parent)?.into_iter().filter(named));
    }
    Ok(found)
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(parent).with_context(|| format!("{ROOT} is not mounted"))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

enum Version {
    /// With the folders of its hierarchies.
    One(Vec<PathBuf>),
    Two,
}

fn version() -> Result<Version> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").exists() {
        return Ok(Version::Two);
    }
    // The second version, mounted beside the first, has no file `tasks`.
    let hierarchies: Vec<_> =
        folders(root)?.into_iter().filter(|folder| folder.join("tasks").exists()).collect();
    if hierarchies.is_empty() {
        bail!("the kernel has no control groups in {ROOT}");
    }
    Ok(Version::One(hierarchies))
}

fn make_in(hierarchy: &Path, name: &str) -> Result<()> {
    let group = hierarchy.join(name);
    fs::create_dir_all(&group)?;
    // A group without processors and memory takes no process.
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if let Ok(inherited) = fs::read(hierarchy.join(file)) {
            fs::write(group.join(file), inherited)?;
        }
    }
    // Refused where it is so already.
    let _ = fs::write(group.join("memory.use_hierarchy"), "1");
    Ok(())
}

fn make_with_controllers(root: &Path, name: &str) -> Result<()> {
    let group = root.join(name);
    fs::create_dir_all(&group)?;
    for controller in CONTROLLERS.iter().chain(&["io", "hugetlb"]) {
        let _ = fs::write(root.join("cgroup.subtree_control"), format!("+{controller}"));
    }
    let given = fs::read_to_string(group.join("cgroup.controllers"))?;
    let missing: Vec<_> =
        CONTROLLERS.iter().filter(|name| given.split_whitespace().all(|g| g != **name)).collect();
    if !missing.is_empty() {
        bail!("the kernel gives no control over {missing:?}");
    }
    Ok(())
}

/// From the leaves up; what still has processes stays.
fn remove_tree(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}
