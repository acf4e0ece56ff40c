//! Java libraries from Maven Central, and programs on them.

use crate::command::{cache, run};
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to say when there is no Java.
pub const NO_JAVA: &str = "it needs a Java runtime, version 17 or later \
                       (Debian: apt-get install openjdk-17-jre-headless); make installs it";
const NO_MAVEN: &str = "Maven fetches the libraries \
                        (Debian: apt-get install maven); make installs it";
const NO_COMPILER: &str = "it needs a Java compiler, version 17 or later \
                       (Debian: apt-get install openjdk-17-jdk-headless); make installs it";

/// The folder of the jars that a `pom.xml` asks for, fetched when they are not there. It is
/// `target/<name>/libs-<version>`.
///
/// # Errors
/// When they cannot be fetched; says what is missing.
pub fn libraries(name: &str, version: &str, pom: &Path) -> Result<PathBuf> {
    let folder = cache().join(name);
    let libraries = folder.join(format!("libs-{version}"));
    if libraries.join("complete").exists() {
        return Ok(libraries);
    }
    fs::create_dir_all(&folder)?;
    let fetched = tempfile::tempdir_in(&folder)?;
    let mut maven = Command::new("mvn");
    maven
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(pom)
        .arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", fetched.path().display()))
        .arg("-DincludeScope=runtime");
    run(&mut maven, NO_MAVEN).with_context(|| format!("cannot fetch the jars of {name}"))?;
    File::create(fetched.path().join("complete"))?;
    let _ = fs::remove_dir_all(&libraries);
    match fs::rename(fetched.path(), &libraries) {
        Err(_) if libraries.join("complete").exists() => Ok(libraries),
        renamed => {
            let kept = renamed.map(|()| libraries);
            kept.with_context(|| format!("cannot keep the jars of {name}"))
        }
    }
}

/// Compiles one source file on some libraries, into a folder of classes.
///
/// # Errors
/// When there is no compiler, or it finds fault with the source.
pub fn compile(source: &Path, libraries: &Path, classes: &Path) -> Result<()> {
    fs::create_dir_all(classes)?;
    let mut javac = Command::new("javac");
    javac.args(["--release", "17", "-Xlint:all", "-Werror"]).arg("-cp").arg(libraries.join("*"));
    javac.arg("-d").arg(classes).arg(source);
    run(&mut javac, NO_COMPILER).with_context(|| format!("cannot compile {}", source.display()))
}
