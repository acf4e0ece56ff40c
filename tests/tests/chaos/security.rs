//! Brokers that ask who is there.

use crate::scene::{Scene, alone};
use harness::certificates::Certificates;
use harness::kafka::{Kafka, Options, Security};
use harness::setting::Setting;
use harness::worker::Worker;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PASSWORD: &str = "not-to-be-seen-4711";
/// Longer than a worker tries to reach brokers that do not let it in.
const REFUSED: Duration = Duration::from_secs(60);

/// The section of a configuration.
fn section(lines: &str) -> String {
    format!("  security: {{{lines}}}")
}

fn authority(made: &Certificates) -> String {
    format!("ca_file: '{}'", made.authority.display())
}

/// The worker's own certificate.
fn own(made: &Certificates) -> String {
    let (certificate, key) = (made.client.display(), made.client_key.display());
    format!("certificate_file: '{certificate}', key_file: '{key}'")
}

fn scram(password: &Path) -> String {
    let file = password.display();
    format!("sasl: {{mechanism: SCRAM-SHA-512, username: ada, password_file: '{file}'}}")
}

/// A file with a password, as secrets are mounted.
fn mounted(folder: &Path, password: &str) -> PathBuf {
    let file = folder.join("password");
    fs::write(&file, format!("{password}\n")).unwrap();
    file
}

fn start(security: Security) -> Kafka {
    Kafka::with(&Options { security, ..Options::default() }).unwrap()
}

fn shows_no_secret(log: &str) {
    assert!(!log.contains(PASSWORD) && !log.contains("PRIVATE KEY"), "a secret is logged:\n{log}");
}

/// A worker with this section does its work, and logs no secret.
fn serves(name: &str, kafka: &Kafka, security: &str) {
    let mut scene = Scene::new(kafka, name).with(&section(security));
    scene.hire();
    scene.feed();
    scene.reach(10);
    shows_no_secret(&scene.workers[0].1.log());
    scene.conclude();
}

/// A worker with this section ends, and says what to check.
#[track_caller]
fn is_refused(kafka: &Kafka, security: &str, says: &[&str]) {
    let mut setting = Setting::new(kafka, "refused", "refused-out").unwrap();
    setting.kafka = section(security);
    let log = Worker::start(&setting.yaml()).unwrap().fails(REFUSED).unwrap();
    shows_no_secret(&log);
    let last = log.trim_end().lines().last().unwrap_or_default();
    assert!(says.iter().all(|text| last.contains(text)), "no {says:?} in the last line of:\n{log}");
}

#[test]
fn tls_by_which_both_show_who_they_are() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path()).unwrap();
    let kafka = start(Security::MutualTls(made.clone()));
    serves("chaos-mtls", &kafka, &format!("tls: {{{}, {}}}", authority(&made), own(&made)));
    is_refused(
        &kafka,
        &format!("tls: {{{}}}", authority(&made)),
        &["bad certificate", "certificate_file"],
    );

    let other = tempfile::tempdir().unwrap();
    let stranger = Certificates::make(other.path()).unwrap();
    let tls = format!("tls: {{{}, {}}}", authority(&stranger), own(&made));
    is_refused(&kafka, &tls, &["certificate verify failed", "ca_file"]);
}

#[test]
fn a_name_and_a_password_by_scram_over_tls() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path()).unwrap();
    let (user, password) = ("ada".into(), PASSWORD.into());
    let kafka = start(Security::Scram { certificates: made.clone(), user, password });
    let tls = format!("tls: {{{}}}", authority(&made));
    let right = mounted(folder.path(), PASSWORD);
    serves("chaos-auth", &kafka, &format!("{tls}, {}", scram(&right)));

    let wrong = mounted(folder.path(), &format!("{PASSWORD}x"));
    is_refused(
        &kafka,
        &format!("{tls}, {}", scram(&wrong)),
        &["Authentication failed", "password_file"],
    );
    is_refused(&kafka, "", &["kafka.security"]);
}
