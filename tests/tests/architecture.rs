//! The invariants of `ARCHITECTURE.md`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

static METADATA: LazyLock<Metadata> = LazyLock::new(|| MetadataCommand::new().exec().unwrap());

/// What a derive of `thiserror` or `serde` needs while compiling.
const MACROS: [&str; 4] = ["proc-macro2", "quote", "syn", "unicode-ident"];

fn package(name: &str) -> &'static Package {
    METADATA.workspace_packages().into_iter().find(|p| p.name == name).unwrap()
}

/// The names of all packages that `name` is built with, itself excluded.
fn built_with(name: &str) -> BTreeSet<&'static str> {
    let nodes = &METADATA.resolve.as_ref().unwrap().nodes;
    let direct = |id: &PackageId| {
        let node = nodes.iter().find(|n| n.id == *id).unwrap();
        let normal = node
            .deps
            .iter()
            .filter(|d| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
        normal.map(|d| d.pkg.clone()).collect::<Vec<_>>()
    };
    let mut found = BTreeSet::new();
    let mut ahead = direct(&package(name).id);
    while let Some(id) = ahead.pop() {
        if found.insert(METADATA[&id].name.as_str()) {
            ahead.extend(direct(&id));
        }
    }
    found
}

fn set(names: &[&'static [&'static str]]) -> BTreeSet<&'static str> {
    names.concat().into_iter().collect()
}

fn persistence_may_use() -> BTreeSet<&'static str> {
    set(&[&["hashbrown", "foldhash", "thiserror", "thiserror-impl"], &MACROS])
}

fn sources(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "target" {
            found.extend(sources(path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// The file without its comments and tests, each run of blanks a single one.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let product = text.split("#[cfg(test)]").next().unwrap();
    let lines = product.lines().map(|line| line.split("//").next().unwrap());
    let lines: Vec<&str> = lines.collect();
    lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the code names `std::module`, alone or in a group.
fn uses_std(code: &str, module: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.split("std::").skip(1).any(|after| match after.strip_prefix('{') {
        Some(group) => group
            .split('}')
            .next()
            .is_some_and(|g| g.split(',').any(|m| m.trim().split("::").next() == Some(module))),
        None => after.split(|c| !word(c)).next() == Some(module),
    })
}

/// Nothing outside a function's arguments decides what it gives.
fn is_pure(crate_folder: &Path) {
    for path in sources(crate_folder.join("src")) {
        let code = code(&path);
        let place = path.display();
        for module in ["env", "fs", "io", "net", "os", "process", "thread", "time"] {
            assert!(!uses_std(&code, module), "{place} uses std::{module}");
        }
        for printing in ["println!", "print!", "eprintln!", "eprint!", "dbg!"] {
            assert!(!code.contains(printing), "{place} calls {printing}");
        }
    }
}

fn folder(package_name: &str) -> &'static Path {
    package(package_name).manifest_path.parent().unwrap().as_std_path()
}

#[test]
fn persistence_is_built_with_nothing_but_containers_and_errors() {
    let surplus = &built_with("streaming-tda-persistence") - &persistence_may_use();
    assert!(surplus.is_empty(), "persistence must not be built with {surplus:?}");
}

#[test]
fn persistence_does_no_io_and_knows_no_clock() {
    is_pure(folder("streaming-tda-persistence"));
}

#[test]
fn detection_is_built_with_persistence_and_serialisation() {
    let may = set(&[
        &["streaming-tda-persistence", "serde", "serde_core", "serde_derive"],
        &["schemars", "schemars_derive", "serde_derive_internals", "dyn-clone", "ref-cast"],
        &["ref-cast-impl", "serde_json", "itoa", "memchr", "ryu", "zmij"],
    ]);
    let may = &may | &persistence_may_use();
    let surplus = &built_with("streaming-tda-detection") - &may;
    assert!(surplus.is_empty(), "detection must not be built with {surplus:?}");
}

#[test]
fn detection_does_no_io_and_knows_no_clock() {
    is_pure(folder("streaming-tda-detection"));
}

/// The names of all packages that `name` is built with when nothing else is: without the features
/// that other packages of the workspace ask for.
fn built_alone_with(name: &str) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "-p", name]);
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect()
}

#[test]
fn resources_are_types_and_rules_without_a_client() {
    let built = built_alone_with("streaming-tda-crds");
    assert!(built.contains("kube-core"));
    for client in ["kube-client", "kube-runtime", "hyper", "tokio"] {
        assert!(!built.contains(client), "crds must not be built with {client}");
    }
}

/// What the operator plans is a function of what it has observed, and of the time that it is given.
#[test]
fn the_plan_of_the_operator_does_no_io_and_knows_no_clock() {
    let folder = folder("streaming-tda-operator").join("src");
    let impure = [
        "backoff.rs",
        "check.rs",
        "controller.rs",
        "execute.rs",
        "fleet/ask.rs",
        "fleet/mod.rs",
        "fleet/pods.rs",
        "http.rs",
        "leader.rs",
        "lease.rs",
        "lib.rs",
        "main.rs",
        "metrics.rs",
        "observe.rs",
        "run.rs",
        "watches.rs",
    ];
    let files: Vec<PathBuf> = sources(folder);
    let pure = files.iter().filter(|path| !impure.iter().any(|name| path.ends_with(name)));
    let pure: Vec<&PathBuf> = pure.collect();
    assert!(pure.len() > 15, "found only {pure:?}");
    for path in pure {
        let code = code(path);
        let place = path.display();
        for module in ["env", "fs", "io", "net", "os", "process", "thread"] {
            assert!(!uses_std(&code, module), "{place} uses std::{module}");
        }
        for word in ["Instant", "Timestamp::now", "async ", "Client", "Api<", "tracing::"] {
            assert!(!code.contains(word), "{place} has {word}");
        }
    }
}

#[test]
fn only_mesh_knows_kafka() {
    let knows = |p: &&Package| p.dependencies.iter().any(|d| d.name.starts_with("rdkafka"));
    let who: Vec<&str> =
        METADATA.workspace_packages().into_iter().filter(knows).map(|p| p.name.as_str()).collect();
    assert_eq!(who, ["streaming-tda-mesh"]);
}

#[test]
fn dependencies_point_one_way() {
    for (name, must_not) in [
        ("streaming-tda-mesh", "streaming-tda-persistence"),
        ("streaming-tda-mesh", "streaming-tda-detection"),
        ("streaming-tda-mesh", "streaming-tda-worker"),
        ("streaming-tda-crds", "streaming-tda-persistence"),
        ("streaming-tda-crds", "streaming-tda-detection"),
        ("streaming-tda-crds", "streaming-tda-mesh"),
        ("streaming-tda-crds", "streaming-tda-worker"),
        ("streaming-tda-crds", "streaming-tda-operator"),
        ("streaming-tda-operator", "streaming-tda-persistence"),
        ("streaming-tda-operator", "streaming-tda-detection"),
        ("streaming-tda-operator", "streaming-tda-mesh"),
        ("streaming-tda-operator", "streaming-tda-worker"),
        ("streaming-tda-worker", "streaming-tda-operator"),
        ("streaming-tda-kubectl", "streaming-tda-persistence"),
        ("streaming-tda-kubectl", "streaming-tda-mesh"),
        ("streaming-tda-kubectl", "streaming-tda-worker"),
        ("streaming-tda-kubectl", "streaming-tda-operator"),
    ] {
        assert!(!built_with(name).contains(must_not), "{name} must not be built with {must_not}");
    }
}

#[test]
fn unsafe_code_is_in_one_file() {
    let root = METADATA.workspace_root.as_std_path();
    let ours = ["worker", "crds", "operator", "kubectl", "tests/src", "benches"]
        .map(|f| sources(root.join(f)));
    let files: Vec<PathBuf> = ours.concat();
    assert!(files.len() > 20, "found only {files:?}");
    for path in files.iter().filter(|p| !p.ends_with("worker/persistence/src/simd.rs")) {
        let code = code(path);
        let place = path.display();
        let begins = ["{", "fn ", "impl", "trait ", "extern", "(", "mod "];
        let mut unsafes = code.split("unsafe").skip(1).map(str::trim_start);
        assert!(!unsafes.any(|rest| begins.iter().any(|b| rest.starts_with(b))), "{place}");
        assert!(!code.contains("unsafe_code"), "{place} changes the lint");
    }
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    for package in METADATA.workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", package.manifest_path);
    }
}

#[test]
fn what_an_error_of_kafka_asks_for_is_decided_in_one_file() {
    for path in sources(folder("streaming-tda-mesh").join("src")) {
        // The other one puts the codes into words.
        let may = ["class.rs", "error.rs"].iter().any(|name| path.ends_with(name));
        let code = code(&path);
        let decides = ["Some(Code::", "Some(RDKafkaErrorCode::"].iter().any(|c| code.contains(c));
        assert!(may || !decides, "{} decides by a code of its own", path.display());
    }
}

/// The image is built from what `.dockerignore` leaves: without a member there is no workspace.
#[test]
fn an_image_is_built_from_all_crates() {
    let root = METADATA.workspace_root.as_std_path();
    let ignored = fs::read_to_string(root.join(".dockerignore")).unwrap();
    let ignored: Vec<&str> = ignored.lines().filter(|line| !line.is_empty()).collect();
    // What begins elsewhere is not known by its first folder.
    let plain = |line: &&str| !line.contains(['*', '?', '[', '!', '#', '\\']);
    assert!(ignored.iter().all(plain), "this test reads plain paths only: {ignored:?}");
    let manifests = METADATA.workspace_packages().into_iter().map(|package| &package.manifest_path);
    for manifest in manifests {
        let manifest = manifest.as_std_path().strip_prefix(root).unwrap();
        let sources = manifest.with_file_name("src");
        for path in ignored.iter().map(|line| line.trim_matches('/')) {
            let left_out = manifest.starts_with(path) || sources.starts_with(path);
            assert!(!left_out, "{path} of .dockerignore leaves out {}", manifest.display());
        }
    }
}
