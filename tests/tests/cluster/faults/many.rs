//! Many resources and one operator.

use super::stage::items;
use super::theatre::Theatre;
use crate::operator::example;
use harness::cluster::Client;
use harness::operator::Operator;
use serde_json::{Value, json};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const RESOURCES: usize = 500;
const NAMESPACES: usize = 10;
/// What the operator may need at most, in bytes of resident memory.
const MEMORY: usize = 64 << 20;
/// How long it may take until all have their children.
const PATIENCE: Duration = Duration::from_secs(240);

#[test]
fn five_hundred_resources_fit_into_64_mb() {
    let theatre = Theatre::open();
    make(&theatre.admin);
    let (mut operator, started) = (start(&theatre, "first"), Instant::now());
    theatre
        .plane
        .client()
        .wait_until("all are in force", PATIENCE, |client| {
            operator.check()?;
            // To ask is work for the API server, which has enough.
            thread::sleep(Duration::from_secs(2));
            Ok(in_force(client)? == RESOURCES)
        })
        .unwrap();
    let took = started.elapsed();
    thread::sleep(Duration::from_secs(3));
    let written = metric(&operator, "writes");
    thread::sleep(Duration::from_secs(3));
    assert_eq!(metric(&operator, "writes"), written);
    let peak = operator.peak_bytes().unwrap();
    operator.terminate().unwrap();
    // All that there is comes at once now.
    let (operator, started) = (start(&theatre, "second"), Instant::now());
    let seen = |_: &Client| Ok(metric(&operator, "reconciles") >= RESOURCES as f64);
    theatre.plane.client().wait_until("all were looked at", PATIENCE, seen).unwrap();
    let looked = started.elapsed();
    assert_eq!(metric(&operator, "writes"), 0.0, "{}", operator.log());
    let again = operator.peak_bytes().unwrap();
    println!(
        "{RESOURCES} resources: {took:?}, {written} writes, {} KiB; the next operator: {looked:?}, \
         {} KiB",
        peak >> 10,
        again >> 10,
    );
    assert!(peak < MEMORY && again < MEMORY, "{peak} and {again} bytes");
}

fn start(theatre: &Theatre, identity: &str) -> Operator {
    Operator::start_with(&theatre.rights, identity, &["--alone"]).unwrap()
}

/// None while the operator does not answer yet.
fn metric(operator: &Operator, what: &str) -> f64 {
    operator.metric(&format!("stda_operator_{what}_total")).unwrap_or_default()
}

fn make(admin: &Path) {
    let of = |namespace: String| {
        let metadata = json!({"name": namespace});
        let here = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        let each = (0..RESOURCES / NAMESPACES).map(|number| resource(&namespace, number));
        let all: Vec<String> = [here].into_iter().chain(each).map(|v| v.to_string()).collect();
        Client::of(admin).unwrap().apply(&all.join("\n---\n")).unwrap();
    };
    thread::scope(|scope| {
        for namespace in 0..NAMESPACES {
            scope.spawn(move || of(format!("many-{namespace}")));
        }
    });
}

/// Without pods, of which the operator would keep where they are.
fn resource(namespace: &str, number: usize) -> Value {
    let mut resource = example();
    resource["metadata"] = json!({"name": format!("ecg-{number}"), "namespace": namespace});
    resource["spec"]["replicas"] = json!(0);
    resource
}

fn in_force(client: &Client) -> anyhow::Result<usize> {
    let all = client.get("/apis/streamingtda.io/v1alpha1/streamingtdas")?.unwrap_or_default();
    let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
    let conditions = |r: &Value| r["status"]["conditions"].as_array().cloned().unwrap_or_default();
    Ok(items(&all).iter().filter(|r| conditions(r).iter().any(ready)).count())
}
