#![allow(clippy::unwrap_used)]

use super::*;
use crate::diagnose::archive::Report;
use flate2::read::GzDecoder;
use serde_json::json;
use std::fs::File;
use std::io::Read;

/// A secret of its own for each place, so that a leak says where it is. Each part of it between
/// characters that end other things is known by itself.
struct Seeds(usize);

impl Seeds {
    fn next(&mut self) -> String {
        self.0 += 1;
        let part = format!("hunter{:03}x", self.0);
        format!(")/{part},{part};{part}}}{part}]{part}")
    }
}

/// The secret in the few characters that a token has.
fn token(seed: &str) -> String {
    seed.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// An object with a secret in every place that one gets into, and none that is to stay.
fn pod(seeds: &mut Seeds) -> Value {
    let mut seed = || seeds.next();
    let applied = format!("{{\"env\":[{{\"name\":\"A\",\"value\":\"{}\"}}]}}", seed());
    json!({
        "kind": "Pod",
        "metadata": {
            "name": "ecg-1",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": applied,
                "example.com/api-token": seed(),
                "example.com/link": format!("https://eve:{}@example.com/x", seed()),
            },
            "managedFields": [{"fieldsV1": {"f:x": seed()}}],
        },
        "spec": {
            "containers": [{
                "name": "worker",
                "env": [
                    {"name": "HARMLESS", "value": seed()},
                    {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "kafka", "key": "password"}}},
                ],
                "args": [
                    "--password", seed(), format!("--token={}", seed()),
                    format!("--sasl-password={} {}", seed(), seed()),
                    format!("export PASSWORD={}; run", seed()), "--config", "/etc/worker.yaml",
                ],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": seed()}]}},
            }],
            "imagePullSecrets": [{"name": "registry"}],
            "tolerations": [{"key": "node-kind", "operator": "Exists"}],
            "volumes": [{"name": "f", "secret": {"secretName": "tls", "items": [{"key": "tls.key", "path": "k"}]}}],
            "caBundle": seed(),
            "nested": {"credentials": {"deep": [{"x": seed()}, seed()], "number": 12345}},
            "items": [{"key": seed()}],
            "secrets": [seed()],
            "sasl.jaas.config": format!("Plain required password=\"{}\";", seed()),
        },
    })
}

fn config_map(seeds: &mut Seeds) -> Value {
    let mut seed = || seeds.next();
    let worker = json!({"kafka": {
        "brokers": "kafka:9092",
        "security": {"sasl": {"password_file": "/etc/streaming-tda/secrets/kafka/password", "user": seed()}},
        "properties": {"ssl.key.password": seed(), "client.id": "ecg"},
        "registry": format!("http://me:{}@registry:8081", seed()),
    }});
    json!({
        "kind": "ConfigMap",
        "data": {
            "worker.yaml": worker.to_string(),
            "token": seed(),
            "credentials.json": json!({"user": seed(), "items": [{"x": seed()}]}).to_string(),
            "plain.properties": format!("a.password = {}\nb=1\nc: {{", seed()),
            "ca.crt": pem(&seed()),
        },
        "binaryData": {"x": seed()},
    })
}

fn pem(seed: &str) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{seed}\n-----END PRIVATE KEY-----\n")
}

fn log(seeds: &mut Seeds) -> String {
    let mut seed = || seeds.next();
    [
        format!("password={} user=eve", seed()),
        format!("torn password=\"{} {}", seed(), seed()),
        format!("--password '{} {}' --key -{}", seed(), seed(), seed()),
        format!("{{\"sasl.password\":\"{} \\\" {}\",\"topic\":\"ecg\"}}", seed(), seed()),
        format!("said \"{{\\\"apiKey\\\": \\\"{}\\\"}}\"", seed()),
        format!("Authorization: Bearer {}", seed()),
        format!("secret: '{} {}'", seed(), seed()),
        format!("started with --client-secret {} --port 1", seed()),
        format!("connecting to kafka://eve:p@{}@kafka:9092/x", seed()),
        format!("jwt eyJhbGciOi.eyJ{}.{}", token(&seed()), token(&seed())),
        format!("base64 LS0tLS1CRUdJTi{}==", token(&seed())),
        format!("AWS_SECRET_ACCESS_KEY => {}", seed()),
        pem(&seed()),
        format!("torn -----BEGIN CERTIFICATE-----\n{}", seed()),
    ]
    .join("\n")
}

/// All bytes of an archive, unpacked.
fn unpacked(archive: &std::path::Path) -> (Vec<String>, String) {
    let mut tar = tar::Archive::new(GzDecoder::new(File::open(archive).unwrap()));
    let (mut names, mut all) = (Vec::new(), String::new());
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        names.push(entry.path().unwrap().display().to_string());
        entry.read_to_string(&mut all).unwrap();
    }
    (names, all)
}

#[test]
fn no_secret_is_anywhere_in_an_archive() {
    let mut seeds = Seeds(0);
    let mut report = Report::default();
    report.object("pods.yaml", vec![pod(&mut seeds), pod(&mut seeds)].into());
    report.object("config_map.yaml", config_map(&mut seeds));
    report.text("logs/a.log", &log(&mut seeds));
    report.text("summary.txt", &log(&mut seeds));
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("report.tar.gz");
    report.write("report", &archive, 0).unwrap();
    let (names, all) = unpacked(&archive);
    assert_eq!(names[0], "report/summary.txt");
    assert_eq!(names.len(), 4);
    assert!(seeds.0 > 60, "{}", seeds.0);
    let leaked: Vec<&str> =
        all.lines().filter(|line| line.contains("hunter") || line.contains("12345")).collect();
    assert!(leaked.is_empty(), "{leaked:#?}");
    assert!(report.write("report", &archive, 0).is_err(), "it wrote over another report");
}

#[test]
fn what_names_a_secret_stays_and_so_does_the_rest() {
    let pod = object(pod(&mut Seeds(0)));
    let spec = &pod["spec"];
    let kept = json!({"secretKeyRef": {"name": "kafka", "key": "password"}});
    assert_eq!(spec["containers"][0]["env"][1]["valueFrom"], kept);
    assert_eq!(spec["containers"][0]["args"][6], "/etc/worker.yaml");
    assert_eq!(spec["imagePullSecrets"], json!([{"name": "registry"}]));
    assert_eq!(spec["tolerations"][0]["key"], "node-kind");
    assert_eq!(spec["volumes"][0]["secret"]["items"][0]["key"], "tls.key");
    let map = object(config_map(&mut Seeds(0)));
    let kafka = &map["data"]["worker.yaml"]["kafka"];
    assert_eq!(kafka["brokers"], "kafka:9092");
    assert_eq!(kafka["properties"]["client.id"], "ecg");
    let line = "2026-03-01T12:00:00Z INFO partition=3 offset=17 topic=ecg";
    assert_eq!(text(line), line);
}

#[test]
fn all_patterns_are_understood() {
    assert_eq!(PATTERNS.len(), 7);
}
