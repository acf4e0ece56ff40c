//! The programs of Kubernetes, built once from the Go modules that `tests/cluster` names.

use crate::command::{cache, root, run};
use crate::image::Image;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const KUBERNETES: &str = "v1.34.4";
const HELM: &str = "v3.19.5";
/// What one binary is, by the name that it is called by.
const NAMES: [&str; 7] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
];
const PACKAGES: [&str; 4] = ["./kubernetes", "./coredns", "./pause", "helm.sh/helm/v3/cmd/helm"];
const SOURCES: [&str; 5] =
    ["go.mod", "go.sum", "kubernetes/main.go", "coredns/main.go", "pause/main.go"];
/// What runs in containers, on every node.
const IMAGES: [&str; 2] = ["pause", "coredns"];
const NO_GO: &str = "it needs Go, version 1.21 or later, which fetches the version that it needs \
                     (Debian 13: apt-get install golang-go); make installs it";

/// A folder of programs.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds them when they are not there: 13 minutes of processor time, and a good gigabyte of Go
    /// modules, the first time. `target/cluster/bin` leads to them.
    ///
    /// # Errors
    /// When Go is missing, or the modules cannot be fetched.
    pub fn built() -> Result<Programs> {
        let sources = root().join("tests/cluster");
        let kept = cache().join("cluster");
        let folder = kept.join(format!("programs-{}", version(&sources)?));
        fs::create_dir_all(&kept)?;
        // Two builds at a time would take each other's time.
        let lock = File::create(kept.join("programs.lock"))?;
        lock.lock().context("cannot lock the programs of Kubernetes")?;
        if !folder.exists() {
            let built = tempfile::Builder::new().prefix("building-").tempdir_in(&kept)?;
            build(&sources, built.path()).context("cannot build Kubernetes")?;
            remove_others(&kept)?;
            fs::rename(built.keep(), &folder).context("cannot keep the programs of Kubernetes")?;
            let bin = kept.join("bin");
            let _ = fs::remove_file(&bin);
            symlink(&folder, &bin)?;
        }
        Ok(Programs { folder })
    }

    /// One of them: `kube-apiserver`, `kubectl`, `helm` and so on.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where they all are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Equal when the same programs would be built.
fn version(sources: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for file in SOURCES {
        let path = sources.join(file);
        hash.update(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    hash.update(flags());
    Ok(hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

fn build(sources: &Path, folder: &Path) -> Result<()> {
    // Not by `eprintln!`, which the test runner keeps to itself: it would seem to hang.
    let what = format!("building Kubernetes {KUBERNETES} from its Go modules");
    let _ = writeln!(std::io::stderr(), "{what}: many minutes, the first time");
    let mut go = Command::new("go");
    go.current_dir(sources).env("CGO_ENABLED", "0").env_remove("GOFLAGS");
    go.args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", &flags()]);
    // A trailing slash makes it a folder.
    go.arg("-o").arg(folder.join("")).args(PACKAGES);
    run(&mut go, NO_GO)?;
    for name in NAMES {
        symlink("kubernetes", folder.join(name))?;
    }
    for name in IMAGES {
        let at = format!("/{name}");
        let image = Image::new(&format!("localhost/{name}:1")).entrypoint(&[&at]);
        let image = image.program(&at, &folder.join(name))?;
        image.write(&folder.join("images").join(format!("{name}.tar")))?;
    }
    Ok(())
}

/// Without symbols, and with the versions that `kubectl version` and charts ask for.
fn flags() -> String {
    let parts: Vec<_> = KUBERNETES.trim_start_matches('v').split('.').collect();
    let of = |name: &str, value: &str| format!(" -X k8s.io/component-base/version.{name}={value}");
    [
        "-s -w".to_owned(),
        of("gitVersion", KUBERNETES),
        of("gitMajor", parts[0]),
        of("gitMinor", parts[1]),
        of("gitTreeState", "clean"),
        format!(" -X helm.sh/helm/v3/internal/version.version={HELM}"),
    ]
    .concat()
}

/// Removes what was built from other sources, and what a build that was ended has left.
fn remove_others(kept: &Path) -> Result<()> {
    for entry in fs::read_dir(kept)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("programs-") {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
