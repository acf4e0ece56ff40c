//! Who the worker is to the brokers, and how it knows them. Secrets stand in files, which are read
//! whenever a client is made: what was rotated is taken up by the next client.

mod secret;

#[cfg(test)]
mod tests;

pub use secret::Secret;

use crate::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Who the worker is to the brokers, and how it knows them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// Encrypted connections, on which brokers show who they are; `{}` for the defaults. Default:
    /// none.
    pub tls: Option<Tls>,
    /// A name and a password to sign in with. Default: none.
    pub sasl: Option<Sasl>,
}

/// Encrypted connections. All files are in the PEM format.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificates of the authorities that the brokers' certificates are checked with. Default:
    /// those of the system.
    pub ca_file: Option<PathBuf>,
    /// The certificate by which the worker shows who it is, the authorities between after it.
    /// Default: none.
    pub certificate_file: Option<PathBuf>,
    /// The private key of that certificate.
    pub key_file: Option<PathBuf>,
    /// A file that holds the password of an encrypted key.
    pub key_password_file: Option<PathBuf>,
}

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    /// How the password is shown.
    pub mechanism: Mechanism,
    /// The name.
    pub username: String,
    /// A file that holds the password; a line break at its end does not count.
    pub password_file: PathBuf,
}

/// How a password is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mechanism {
    /// As it is, which needs `tls`.
    #[serde(rename = "PLAIN")]
    Plain,
    /// By a proof that does not reveal it (RFC 7677).
    #[serde(rename = "SCRAM-SHA-256")]
    Scram256,
    /// The same with SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    Scram512,
}

/// Properties of librdkafka that hold secrets, and what takes their place.
const SECRET: [(&str, &str); 10] = [
    ("sasl.password", "name a file in kafka.security.sasl.password_file"),
    ("ssl.key.password", "name a file in kafka.security.tls.key_password_file"),
    ("ssl.key.pem", "name a file in kafka.security.tls.key_file"),
    (
        "ssl.keystore.password",
        "convert the store to PEM, and name files in kafka.security.tls.certificate_file and key_file",
    ),
    ("ssl_key", "name a file in kafka.security.tls.key_file"),
    ("sasl.oauthbearer.client.secret", "sign in by kafka.security.sasl"),
    ("sasl.oauthbearer.client.credentials.client.secret", "sign in by kafka.security.sasl"),
    ("sasl.oauthbearer.assertion.private.key.pem", "sign in by kafka.security.sasl"),
    ("sasl.oauthbearer.assertion.private.key.passphrase", "sign in by kafka.security.sasl"),
    ("sasl.oauthbearer.config", "sign in by kafka.security.sasl"),
];

/// Properties that the section sets.
const OURS: [&str; 8] = [
    "security.protocol",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.keystore.location",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
];

impl Security {
    /// What does not make sense or cannot be read: where, and what is wrong. No secret is in it.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let Some(tls) = &self.tls {
            tls.problems(&mut |field, message| found.push((format!("tls.{field}"), message)));
        }
        if let Some(sasl) = &self.sasl {
            let mut say = |field, message| found.push((format!("sasl.{field}"), message));
            sasl.problems(self.tls.is_some(), &mut say);
        }
        found
    }

    /// Why a property of librdkafka may not be given, if so.
    pub fn refusal(&self, property: &str) -> Option<String> {
        if let Some((_, instead)) = SECRET.iter().find(|(name, _)| *name == property) {
            return Some(format!("a secret does not belong into a configuration: {instead}"));
        }
        let set = *self != Security::default() && OURS.contains(&property);
        set.then(|| "kafka.security says this already; remove one of the two".into())
    }

    /// The properties of librdkafka that say so.
    ///
    /// # Errors
    /// When a secret cannot be read.
    pub(crate) fn properties(&self) -> Result<Vec<(&'static str, Secret)>, Error> {
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => return Ok(Vec::new()),
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        let mut properties = vec![("security.protocol", Secret::from(protocol))];
        if let Some(tls) = &self.tls {
            let files = [
                ("ssl.ca.location", &tls.ca_file),
                ("ssl.certificate.location", &tls.certificate_file),
                ("ssl.key.location", &tls.key_file),
            ];
            let files = files.into_iter().filter_map(|(name, file)| Some((name, file.as_ref()?)));
            properties.extend(files.map(|(name, file)| (name, file.to_string_lossy().into())));
            if let Some(file) = &tls.key_password_file {
                properties.push(("ssl.key.password", read(file)?));
            }
        }
        if let Some(sasl) = &self.sasl {
            properties.push(("sasl.mechanism", sasl.mechanism.name().into()));
            properties.push(("sasl.username", sasl.username.as_str().into()));
            properties.push(("sasl.password", read(&sasl.password_file)?));
        }
        Ok(properties)
    }
}

fn read(file: &Path) -> Result<Secret, Error> {
    Secret::read(file).map_err(|reason| Error::Secret { file: file.into(), reason })
}

type Say<'a> = &'a mut dyn FnMut(&'static str, String);

impl Tls {
    fn problems(&self, say: Say<'_>) {
        for (field, file, holds) in [
            ("ca_file", &self.ca_file, "CERTIFICATE-----"),
            ("certificate_file", &self.certificate_file, "CERTIFICATE-----"),
            ("key_file", &self.key_file, "PRIVATE KEY-----"),
        ] {
            if let Some(Err(reason)) = file.as_deref().map(|file| pem(file, holds)) {
                say(field, reason);
            }
        }
        if let Some(Err(reason)) = self.key_password_file.as_deref().map(Secret::read) {
            say("key_password_file", reason);
        }
        match (&self.certificate_file, &self.key_file) {
            (Some(_), None) => say("key_file", "the certificate needs its key".into()),
            (None, Some(_)) => say("certificate_file", "the key needs its certificate".into()),
            _ => {}
        }
        let encrypted = self.key_file.as_deref().is_some_and(|file| pem(file, "ENCRYPTED").is_ok());
        if encrypted && self.key_password_file.is_none() {
            say("key_password_file", "the key is encrypted: name a file with its password".into());
        }
        if self.key_password_file.is_some() && self.key_file.is_none() {
            say("key_file", "there is a password, but no key".into());
        }
    }
}

impl Sasl {
    fn problems(&self, encrypted: bool, say: Say<'_>) {
        if self.username.is_empty() {
            say("username", "it is empty".into());
        }
        if let Err(reason) = Secret::read(&self.password_file) {
            say("password_file", reason);
        }
        if self.mechanism == Mechanism::Plain && !encrypted {
            let message = "PLAIN shows the password to everybody between here and the brokers: add \
                           kafka.security.tls, or use SCRAM-SHA-512";
            say("mechanism", message.into());
        }
    }
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Scram256 => "SCRAM-SHA-256",
            Mechanism::Scram512 => "SCRAM-SHA-512",
        }
    }
}

/// Whether a file can be read, and holds something in the PEM format.
fn pem(file: &Path, holds: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    match text.contains(holds) {
        true => Ok(()),
        false => {
            let what = holds.trim_end_matches('-').to_lowercase();
            Err(format!("{} holds no {what} in the PEM format", file.display()))
        }
    }
}
