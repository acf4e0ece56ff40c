use crate::command::root;
use crate::guard::guarded;
use crate::java;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version of Apache Kafka, as `tests/kafka/pom.xml` has it.
pub(super) const VERSION: &str = "4.1.1";

/// The folder of the jars, fetched when they are not there.
pub(super) fn libraries() -> Result<PathBuf> {
    java::libraries("kafka", VERSION, &root().join("tests/kafka/pom.xml"))
}

/// A broker, which ends with this process.
pub(super) fn server(libraries: &Path, quick: bool) -> Command {
    with_arguments(guarded("java"), libraries, "kafka.Kafka", "-Xmx512m", quick)
}

/// A tool that ends by itself.
pub(super) fn tool(libraries: &Path, class: &str) -> Command {
    with_arguments(Command::new("java"), libraries, class, "-Xmx256m", true)
}

/// What starts quickly runs slowly: the second compiler of the JVM takes a while. A broker that is
/// to run fast has a large young generation and one thread that collects it: on few cores that are
/// busy, several threads of the default collector wait for one another, ten times as often.
fn with_arguments(
    mut java: Command,
    libraries: &Path,
    class: &str,
    heap: &str,
    quick: bool,
) -> Command {
    let logging = root().join("tests/kafka/log4j2.yaml");
    if quick {
        java.args(["-XX:TieredStopAtLevel=1", heap]);
    } else {
        java.args(["-Xms1g", "-Xmx1g", "-Xmn700m", "-XX:+AlwaysPreTouch"]);
    }
    java.arg("-XX:+UseSerialGC");
    java.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
    java.arg("-cp").arg(libraries.join("*")).arg(class);
    java
}
