//! What a cluster could leave behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the traces of a cluster would be.
pub(crate) struct Traces {
    folder: PathBuf,
    /// What its network interface and control groups are called.
    name: String,
}

impl Traces {
    /// Of the cluster with this kubeconfig, which tells its number by its address.
    pub(crate) fn of(kubeconfig: &Path) -> Traces {
        let config = fs::read_to_string(kubeconfig).unwrap();
        let (_, address) = config.split_once("https://10.").unwrap();
        let number = address.split('.').next().unwrap().parse::<u8>().unwrap() - 240;
        let folder = kubeconfig.ancestors().nth(3).unwrap().into();
        Traces { folder, name: format!("stda{number}") }
    }

    /// Mounts, network interfaces and processes: what ends by itself.
    pub(crate) fn alive(&self) -> Vec<String> {
        let mut found = processes_with(&self.folder);
        found.extend(names("/sys/class/net").into_iter().filter(|name| name.ends_with(&self.name)));
        let folder = self.folder.to_str().unwrap();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        found.extend(mounts.lines().filter(|line| line.contains(folder)).map(str::to_owned));
        found
    }

    /// Control groups, and the folder.
    pub(crate) fn kept(&self) -> Vec<String> {
        let mut folders = names("/sys/fs/cgroup");
        folders.extend(folders.clone().iter().flat_map(|hierarchy| names(hierarchy)));
        let group = format!("/{}-", self.name);
        folders.retain(|folder| folder.contains(&group));
        if self.folder.exists() {
            folders.push(self.folder.display().to_string());
        }
        folders
    }
}

/// Waits until there is nothing of this any more.
pub(crate) fn gone(traces: impl Fn() -> Vec<String>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !traces().is_empty() {
        assert!(Instant::now() < deadline, "{:?}", traces());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The command lines of processes that have this in them.
pub(crate) fn processes_with(text: &Path) -> Vec<String> {
    let text = text.to_str().unwrap();
    let lines = names("/proc").into_iter().filter_map(|folder| {
        let line = fs::read(Path::new(&folder).join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(text)).collect()
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}
