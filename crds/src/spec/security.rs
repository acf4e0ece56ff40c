use super::{FileSource, SecretSource};
use crate::schema::{rule, rule_at};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who the workers are to the brokers, and how they know them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("x-kubernetes-validations" = [rule_at(
    "sasl",
    "!has(self.sasl) || self.sasl.mechanism != 'PLAIN' || has(self.tls)",
    "PLAIN shows the password to everybody between the workers and the brokers: add tls: {}, or use \
     SCRAM-SHA-512",
)]))]
pub struct Security {
    /// Encrypted connections, on which brokers show who they are; `{}` for the defaults. Default:
    /// none.
    pub tls: Option<Tls>,
    /// A name and a password to sign in with. Default: none.
    pub sasl: Option<Sasl>,
}

/// Encrypted connections. Everything is in the PEM format.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    rule(
        "has(self.certificate) == has(self.key)",
        "a certificate needs its key, and a key its certificate: name both, or none",
    ),
    rule(
        "!has(self.keyPassword) || has(self.key)",
        "keyPassword is the password of key: name that too, or remove keyPassword",
    ),
]))]
pub struct Tls {
    /// Certificates of the authorities that the brokers' certificates are checked with. Default:
    /// those of the image.
    pub ca: Option<FileSource>,
    /// The certificate by which the workers show who they are, the authorities between after it.
    /// Default: none.
    pub certificate: Option<SecretSource>,
    /// The private key of that certificate. Default: none.
    pub key: Option<SecretSource>,
    /// The password of an encrypted key. Default: none.
    pub key_password: Option<SecretSource>,
}

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sasl {
    /// How the password is shown.
    pub mechanism: Mechanism,
    /// The name to sign in with.
    #[schemars(length(min = 1, max = 256))]
    pub username: String,
    /// The password; a line break at its end does not count.
    pub password: SecretSource,
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
