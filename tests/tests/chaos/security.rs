//! Brokers that ask who is there.

use crate::scene::{Scene, alone};
use harness::certificates::Certificates;
use harness::kafka::{Kafka, Options, Security};

const PASSWORD: &str = "not-to-be-seen-4711";

/// A worker with these properties of the client does its work, and logs no secret.
fn serves(name: &str, security: Security, properties: &str) {
    let _alone = alone();
    let kafka = Kafka::with(&Options { security, ..Options::default() }).unwrap();
    let mut scene = Scene::with(&kafka, name, &format!("  properties: {{{properties}}}"));
    scene.hire();
    scene.feed();
    scene.reach(10);
    let log = scene.workers[0].1.log();
    assert!(!log.contains(PASSWORD) && !log.contains("PRIVATE KEY"), "a secret is logged:\n{log}");
    scene.conclude();
}

#[test]
fn tls_by_which_both_show_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path()).unwrap();
    let properties = format!(
        "security.protocol: ssl, ssl.ca.location: '{}', ssl.certificate.location: '{}', \
         ssl.key.location: '{}'",
        made.authority.display(),
        made.client.display(),
        made.client_key.display()
    );
    serves("chaos-mtls", Security::MutualTls(made), &properties);
}

#[test]
fn a_name_and_a_password_by_scram_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path()).unwrap();
    let properties = format!(
        "security.protocol: sasl_ssl, ssl.ca.location: '{}', sasl.mechanism: SCRAM-SHA-512, \
         sasl.username: ada, sasl.password: {PASSWORD}",
        made.authority.display()
    );
    let (user, password) = ("ada".into(), PASSWORD.into());
    let security = Security::Scram { certificates: made, user, password };
    serves("chaos-auth", security, &properties);
}
