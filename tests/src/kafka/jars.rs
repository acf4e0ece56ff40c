use crate::command::{cache, root, run};
use crate::guard::guarded;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "4.1.1";
pub(super) const NO_JAVA: &str = "the tests need a Java runtime, version 17 or later \
                       (Debian: apt-get install openjdk-17-jre-headless); make test installs it";
const NO_MAVEN: &str = "the tests fetch Apache Kafka with Maven \
                        (Debian: apt-get install maven); make test installs it";

/// The folder of the jars, fetched when they are not there.
pub(super) fn libraries() -> Result<PathBuf> {
    let folder = cache().join("kafka");
    let libraries = folder.join(format!("libs-{VERSION}"));
    if libraries.join("complete").exists() {
        return Ok(libraries);
    }
    fs::create_dir_all(&folder)?;
    let fetched = tempfile::tempdir_in(&folder)?;
    let mut maven = Command::new("mvn");
    maven
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(root().join("tests/kafka/pom.xml"))
        .arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", fetched.path().display()))
        .arg("-DincludeScope=runtime");
    run(&mut maven, NO_MAVEN).context("cannot fetch Apache Kafka")?;
    File::create(fetched.path().join("complete"))?;
    let _ = fs::remove_dir_all(&libraries);
    match fs::rename(fetched.path(), &libraries) {
        Err(_) if libraries.join("complete").exists() => Ok(libraries),
        renamed => renamed.map(|()| libraries).context("cannot keep the jars of Kafka"),
    }
}

/// A broker, which ends with this process.
pub(super) fn server(libraries: &Path) -> Command {
    with_arguments(guarded("java"), libraries, "kafka.Kafka", "-Xmx512m")
}

/// A tool that ends by itself.
pub(super) fn tool(libraries: &Path, class: &str) -> Command {
    with_arguments(Command::new("java"), libraries, class, "-Xmx256m")
}

fn with_arguments(mut java: Command, libraries: &Path, class: &str, heap: &str) -> Command {
    let logging = root().join("tests/kafka/log4j2.yaml");
    java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", heap]);
    java.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
    java.arg("-cp").arg(libraries.join("*")).arg(class);
    java
}
