//! Certificates of an authority of our own, made with OpenSSL.

use crate::command::run;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NO_OPENSSL: &str = "the tests make certificates with it (Debian: apt-get install openssl)";

/// Files in the PEM format.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The certificate of the authority.
    pub authority: PathBuf,
    /// Key and certificates of the broker at 127.0.0.1, in one file.
    pub broker: PathBuf,
    /// The certificate of a client.
    pub client: PathBuf,
    /// The key of the client.
    pub client_key: PathBuf,
}

impl Certificates {
    /// Makes an authority and what it signs in `folder`.
    ///
    /// # Errors
    /// When OpenSSL is missing or refuses.
    pub fn make(folder: &Path) -> Result<Certificates> {
        let at = |name: &str| folder.join(name);
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
        let mut authority = Command::new("openssl");
        authority.args(new).args(["-nodes", "-days", "3650", "-subj", "/CN=authority", "-keyout"]);
        authority.arg(at("authority.key")).arg("-out").arg(at("authority.pem"));
        run(&mut authority, NO_OPENSSL)?;
        for name in ["broker", "client"] {
            let mut signed = Command::new("openssl");
            signed
                .args(new)
                .args(["-nodes", "-days", "3650"])
                .args(["-subj", &format!("/CN={name}")]);
            signed.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
            signed.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
            signed.arg("-CA").arg(at("authority.pem")).arg("-CAkey").arg(at("authority.key"));
            signed.arg("-keyout").arg(at(&format!("{name}.key")));
            signed.arg("-out").arg(at(&format!("{name}.pem")));
            run(&mut signed, NO_OPENSSL)?;
        }
        let parts = ["broker.key", "broker.pem", "authority.pem"].map(at).map(fs::read_to_string);
        let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
        fs::write(at("broker.all.pem"), parts.concat())?;
        Ok(Certificates {
            authority: at("authority.pem"),
            broker: at("broker.all.pem"),
            client: at("client.pem"),
            client_key: at("client.key"),
        })
    }
}
