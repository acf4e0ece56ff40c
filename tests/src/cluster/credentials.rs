//! Who is who in a cluster: certificates and kubeconfigs.

use crate::certificates::{Authority, Signed};
use crate::command::run;
use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

const CLIENT: &str = "extendedKeyUsage=clientAuth";
const SERVER: &str = "extendedKeyUsage=serverAuth";
const BOTH: &str = "extendedKeyUsage=clientAuth,serverAuth";
/// What the API server is called within a cluster.
const NAMES: &str = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,\
                     DNS:kubernetes.default.svc.cluster.local,DNS:localhost";

/// The files that the programs of a cluster know each other by, all in one folder.
pub(super) struct Credentials {
    folder: PathBuf,
    /// Where the API server is.
    server: String,
    pub(super) authority: Authority,
    /// Signs the API server as it calls servers of APIs that extend its own.
    pub(super) front: Authority,
    pub(super) front_client: Signed,
    pub(super) apiserver: Signed,
    /// What the API server shows a kubelet.
    pub(super) kubelet_client: Signed,
}

impl Credentials {
    /// Makes those of a cluster whose API server is at `server`, under all these addresses.
    pub(super) fn make(folder: &Path, server: String, at: &[IpAddr]) -> Result<Credentials> {
        fs::create_dir_all(folder)?;
        let authority = Authority::make(folder, "ca")?;
        let front = Authority::make(folder, "front-proxy-ca")?;
        let addresses: String = at.iter().map(|address| format!(",IP:{address}")).collect();
        let names = format!("subjectAltName={NAMES}{addresses}");
        let credentials = Credentials {
            front_client: front.sign("front-proxy-client", "/CN=front-proxy-client", &[CLIENT])?,
            apiserver: authority.sign("apiserver", "/CN=kube-apiserver", &[SERVER, &names])?,
            kubelet_client: authority.sign(
                "apiserver-kubelet-client",
                "/O=system:masters/CN=kube-apiserver-kubelet-client",
                &[CLIENT],
            )?,
            authority,
            front,
            server,
            folder: folder.into(),
        };
        credentials.service_account_key()?;
        Ok(credentials)
    }

    /// The kubeconfig of a member of the control plane: `name` in the group `system:`.
    pub(super) fn system(&self, name: &str) -> Result<PathBuf> {
        self.certified(name, &self.client(name, &format!("/CN=system:{name}"))?)
    }

    /// The kubeconfig of who may do everything.
    pub(super) fn admin(&self) -> Result<PathBuf> {
        self.certified("admin", &self.client("admin", "/O=system:masters/CN=admin")?)
    }

    /// The kubeconfig of a node's kubelet, which also serves with its certificate.
    pub(super) fn node(&self, name: &str, address: IpAddr) -> Result<(PathBuf, Signed)> {
        let subject = format!("/O=system:nodes/CN=system:node:{name}");
        let names = format!("subjectAltName=DNS:{name},IP:{address}");
        let signed = self.authority.sign(name, &subject, &[BOTH, &names])?;
        Ok((self.certified(name, &signed)?, signed))
    }

    /// The kubeconfig of an account of pods, by a token of it.
    pub(super) fn account(&self, name: &str, token: &str) -> Result<PathBuf> {
        self.kubeconfig(name, &json!({"token": token}))
    }

    /// The key that the tokens of service accounts are signed with; its public half is in it.
    pub(super) fn tokens(&self) -> PathBuf {
        self.folder.join("service-accounts.key")
    }

    /// Where the kubeconfig of this name is, once it was made.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.kubeconfig"))
    }

    fn service_account_key(&self) -> Result<()> {
        let mut openssl = Command::new("openssl");
        openssl.args(["ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out"]);
        run(openssl.arg(self.tokens()), crate::certificates::NO_OPENSSL)
    }

    fn client(&self, name: &str, subject: &str) -> Result<Signed> {
        self.authority.sign(name, subject, &[CLIENT])
    }

    fn certified(&self, user: &str, signed: &Signed) -> Result<PathBuf> {
        let by = json!({
            "client-certificate-data": inline(&signed.certificate)?,
            "client-key-data": inline(&signed.key)?,
        });
        self.kubeconfig(user, &by)
    }

    /// With everything inside, so that it can be copied elsewhere.
    fn kubeconfig(&self, user: &str, by: &Value) -> Result<PathBuf> {
        // YAML understands JSON.
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "streaming-tda", "cluster": {
                "server": self.server,
                "certificate-authority-data": inline(&self.authority.certificate)?,
            }}],
            "users": [{"name": user, "user": by}],
            "contexts": [{
                "name": "streaming-tda",
                "context": {"cluster": "streaming-tda", "user": user},
            }],
            "current-context": "streaming-tda",
        });
        let path = self.path_of(user);
        fs::write(&path, serde_json::to_string_pretty(&config)?)?;
        Ok(path)
    }
}

fn inline(path: &Path) -> Result<String> {
    let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(BASE64_STANDARD.encode(file))
}
