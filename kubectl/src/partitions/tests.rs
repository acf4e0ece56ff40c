#![allow(clippy::unwrap_used)]

use super::*;
use crate::tests::{golden, seen};
use crate::worker::WorkerStatus;
use serde_json::json;

fn answers(partitions: &[&[i32]]) -> Vec<Answer> {
    let owned = |partition: &i32| match partition {
        0 => json!({
            "partition": 0, "state": "Running", "next_offset": 123, "end_offset": 130,
            "lag_records": 7, "lag_seconds": 0.4, "series": 3, "points_per_second": 360.0,
        }),
        1 => json!({"partition": 1, "state": "Replaying", "next_offset": 5, "lag_seconds": null}),
        partition => json!({"partition": partition, "state": "Running"}),
    };
    let status = |partitions: &&[i32]| -> WorkerStatus {
        let owned: Vec<_> = partitions.iter().map(owned).collect();
        let status = json!({
            "group": "prod.ready", "topic": "points", "revision": null, "threads": 2,
            "partitions_total": 4, "busy_percent": 12.3, "partitions": owned,
        });
        serde_json::from_value(status).unwrap()
    };
    let answer = |(index, partitions)| Answer {
        pod: format!("ready-5d0c1f2a3b-{index}"),
        revision: Some("5d0c1f2a3b".into()),
        status: Ok(status(partitions)),
    };
    partitions.iter().enumerate().map(answer).collect()
}

fn silent(pod: &str) -> Answer {
    let status = Err(Trouble("it did not answer within 5 s".into()));
    Answer { pod: pod.into(), revision: None, status }
}

#[test]
fn owners_are_shown_with_what_is_unowned_and_owned_twice() {
    let view = view(&seen("ready"), &answers(&[&[0, 1], &[1, 3]]));
    golden("partitions.txt", &lines(&view));
    assert_eq!((view.unowned.as_slice(), view.twice.as_slice()), (&[2][..], &[1][..]));
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["partitions"][0]["lagRecords"], 7);
}

#[test]
fn workers_that_do_not_answer_are_named() {
    let mut some = answers(&[&[0, 1]]);
    some.push(silent("ready-5d0c1f2a3b-x"));
    golden("partitions-silent.txt", &lines(&view(&seen("ready"), &some)));
    let lines = lines(&view(&seen("abandoned"), &[silent("a")]));
    assert!(lines[1].text(false).starts_with("no worker answers"), "{lines:?}");
}

#[test]
fn scripts_are_told_of_unowned_partitions() {
    let exit = |resource: &str, answers: &[Answer]| super::exit(&view(&seen(resource), answers));
    assert_eq!(exit("ready", &answers(&[&[0, 1], &[2, 3]])), Exit::Good);
    assert_eq!(exit("ready", &answers(&[&[0, 1], &[3]])), Exit::Bad);
    assert_eq!(exit("ready", &answers(&[&[0, 1, 2, 3], &[3]])), Exit::Bad);
    let mut unsure = answers(&[&[0, 1]]);
    unsure.push(silent("x"));
    assert_eq!(exit("ready", &unsure), Exit::NotYet);
    assert_eq!(exit("abandoned", &[]), Exit::NotYet);
    // The operator has counted them.
    assert_eq!(exit("ready", &[]), Exit::Bad);
}

/// A revision that is only compared has a group of its own.
#[test]
fn owners_in_different_groups_are_not_rivals() {
    let mut answers = answers(&[&[0, 1, 2, 3], &[0, 1, 2, 3]]);
    answers[1].status.as_mut().unwrap().group = Some("prod.ready.9be77c01".into());
    assert_eq!(exit(&view(&seen("ready"), &answers)), Exit::Good);
}
