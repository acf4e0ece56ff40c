//! Certificates of an authority of our own, made with OpenSSL.

use crate::command::run;
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const NO_OPENSSL: &str =
    "the tests make certificates with it (Debian: apt-get install openssl)";
const LOCALHOST: &str = "subjectAltName=IP:127.0.0.1";

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
        let authority = Authority::make(folder, "authority")?;
        let sign = |name| authority.sign(name, &format!("/CN={name}"), &[LOCALHOST]);
        let (broker, client) = (sign("broker")?, sign("client")?);
        let parts = [&broker.key, &broker.certificate, &authority.certificate];
        let parts = parts.map(fs::read_to_string).into_iter().collect::<Result<Vec<_>, _>>()?;
        let all = folder.join("broker.all.pem");
        fs::write(&all, parts.concat())?;
        Ok(Certificates {
            authority: authority.certificate,
            broker: all,
            client: client.certificate,
            client_key: client.key,
        })
    }
}

/// Who signs certificates.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    folder: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A certificate that an authority has signed, and its key.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    /// Makes the files `<name>.pem` and `<name>.key` in `folder`.
    pub(crate) fn make(folder: &Path, name: &str) -> Result<Authority> {
        let Signed { certificate, key } = Signed::at(folder, name);
        run(&mut new(&format!("/CN={name}"), &certificate, &key), NO_OPENSSL)?;
        Ok(Authority { folder: folder.into(), certificate, key })
    }

    /// Makes `<name>.pem` and `<name>.key` beside the authority's own, with these extensions.
    pub(crate) fn sign(&self, name: &str, subject: &str, extensions: &[&str]) -> Result<Signed> {
        let signed = Signed::at(&self.folder, name);
        let mut openssl = new(subject, &signed.certificate, &signed.key);
        openssl.arg("-CA").arg(&self.certificate).arg("-CAkey").arg(&self.key);
        for extension in ["basicConstraints=critical,CA:FALSE"].iter().chain(extensions) {
            openssl.args(["-addext", extension]);
        }
        run(&mut openssl, NO_OPENSSL)?;
        Ok(signed)
    }
}

impl Signed {
    fn at(folder: &Path, name: &str) -> Signed {
        let file = |ending| folder.join(format!("{name}.{ending}"));
        Signed { certificate: file("pem"), key: file("key") }
    }
}

fn new(subject: &str, certificate: &Path, key: &Path) -> Command {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "3650", "-subj", subject]);
    openssl.arg("-keyout").arg(key).arg("-out").arg(certificate);
    openssl
}
