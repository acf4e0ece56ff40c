#![allow(clippy::unwrap_used)]

use super::*;
use crate::status::{Read, exit};
use crate::tests::{NOW, documents, golden, seen};
use crate::{Exit, Trouble};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn read(name: &str) -> Read {
    let mut pods: Vec<Pod> = documents("pods");
    pods.retain(|pod| pod.labels()["streamingtda.io/name"] == name);
    Read { resource: seen(name), pods, events: documents("events"), unread: Vec::new() }
}

#[test]
fn trees_say_who_is_ready_and_why_not() {
    for name in ["ready", "rolling", "stalled", "abandoned"] {
        golden(&format!("status-{name}.txt"), &lines(&read(name).view(now()), now()));
    }
}

#[test]
fn what_cannot_be_read_is_said_and_hides_nothing_else() {
    let mut read = read("rolling");
    read.unread.push(Trouble("cannot list the events: you may not".into()));
    let lines = lines(&read.view(now()), now());
    assert!(lines[0].text(false).starts_with("prod/rolling"));
    let last = lines.last().unwrap().text(false);
    assert_eq!(last, "not read: cannot list the events: you may not");
}

#[test]
fn scripts_are_told_by_the_exit_code() {
    let expected = [
        ("ready", Exit::Good),
        ("rolling", Exit::NotYet),
        ("stalled", Exit::Bad),
        ("unseen", Exit::NotYet),
        ("abandoned", Exit::NotYet),
        ("leaving", Exit::NotYet),
    ];
    for (name, code) in expected {
        assert_eq!(exit(read(name).view(now()).standing), code, "{name}");
    }
}

/// Times go on, and are no news.
#[test]
fn what_is_told_of_changes_only_with_the_resource() {
    let read = read("rolling");
    let later = "2026-03-01T12:00:40Z".parse().unwrap();
    assert_eq!(facts(&read.view(now())), facts(&read.view(later)));
    golden(
        "watch-rolling.txt",
        &facts(&read.view(now())).into_iter().map(|f| f.1).collect::<Vec<_>>(),
    );
}

#[test]
fn programs_get_the_same() {
    let view = serde_json::to_value(read("stalled").view(now())).unwrap();
    assert_eq!(view["standing"], "Stalled");
    let pods = &view["revisions"][0]["pods"];
    assert_eq!(pods[2]["phase"], "CrashLoopBackOff");
    assert_eq!(pods[2]["restarts"], 7);
}
