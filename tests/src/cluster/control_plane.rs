//! etcd, kube-apiserver and kube-controller-manager.

use super::audit::{Asked, Audit};
use super::client::Client;
use super::credentials::Credentials;
use super::folder::Folder;
use super::programs::Programs;
use super::site::Site;
use crate::process::Process;
use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

/// A running control plane without nodes: objects are stored, validated, and tended by
/// controllers, but no pod runs. It ends when dropped, and when this process ends.
pub struct ControlPlane {
    client: Client,
    kubeconfig: PathBuf,
    pub(super) credentials: Credentials,
    programs: Programs,
    site: Site,
    logs: PathBuf,
    audit: Audit,
    // Dropped in this order: none misses another that it depends on.
    others: Vec<Process>,
    apiserver: Process,
    etcd: Process,
    _folder: Option<Folder>,
}

impl ControlPlane {
    /// Starts one on free ports of localhost, with an empty store. It needs no privileges.
    ///
    /// # Errors
    /// When it cannot be built or started; says what is missing.
    pub fn start() -> Result<ControlPlane> {
        ControlPlane::start_with("")
    }

    /// The same, with these documents of YAML applied before the controllers start: they look for
    /// definitions that are new every 30 seconds only.
    ///
    /// # Errors
    /// When it cannot be built or started, or a document is refused.
    pub fn start_with(manifests: &str) -> Result<ControlPlane> {
        let folder = Folder::make()?;
        let mut plane = ControlPlane::begin(Site::local()?, folder.path(), manifests)?;
        plane._folder = Some(folder);
        Ok(plane)
    }

    /// Starts one somewhere, with its files in `folder`.
    pub(super) fn at(site: Site, folder: &Path) -> Result<ControlPlane> {
        ControlPlane::begin(site, folder, "")
    }

    fn begin(site: Site, folder: &Path, manifests: &str) -> Result<ControlPlane> {
        let programs = Programs::built()?;
        let logs = folder.join("logs");
        fs::create_dir_all(&logs)?;
        let etcd = site.start(&programs, &logs, "etcd", etcd(&site, folder))?;
        let server = format!("https://{}:{}", site.address, site.port);
        let credentials =
            Credentials::make(&folder.join("credentials"), server, &site.addresses())?;
        let audit = Audit::prepare(&logs)?;
        let arguments = apiserver(&site, &credentials, &audit);
        let apiserver = site.start(&programs, &logs, "kube-apiserver", arguments)?;
        let kubeconfig = credentials.admin()?;
        let mut plane = ControlPlane {
            client: Client::of(&kubeconfig)?,
            kubeconfig,
            credentials,
            programs,
            site,
            logs,
            audit,
            others: Vec::new(),
            apiserver,
            etcd,
            _folder: None,
        };
        plane.wait_until_ready()?;
        if !manifests.is_empty() {
            plane.client.apply(manifests)?;
            plane.wait_for_definitions()?;
        }
        // Before that they would find no roles of theirs, and end.
        let kubeconfig = plane.credentials.system("kube-controller-manager")?;
        let arguments = controllers(&plane.credentials, &kubeconfig);
        plane.run("kube-controller-manager", arguments)?;
        plane.wait_for_service_accounts()?;
        Ok(plane)
    }

    /// A client that may do everything.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The file by which others reach it, who then may do everything.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The file by which pods under this account reach it, and the rights that they have.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn kubeconfig_of(&self, namespace: &str, account: &str) -> Result<PathBuf> {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let token = self.client.send(Method::POST, &path, "application/json", &token_request())?;
        let token = token["status"]["token"].as_str().context("the API server gives no token")?;
        self.credentials.account(account, token)
    }

    /// Kills the API server, as when its machine runs out of memory, and starts it again after a
    /// while; the store stays. Returns when it answers.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn restart_apiserver(&mut self, after: Duration) -> Result<()> {
        self.apiserver.end();
        std::thread::sleep(after);
        let arguments = apiserver(&self.site, &self.credentials, &self.audit);
        self.apiserver =
            self.site.start(&self.programs, &self.logs, "kube-apiserver", arguments)?;
        self.wait_until_ready()
    }

    /// What accounts of pods have asked for until now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn asked(&self) -> Result<Vec<Asked>> {
        self.audit.read()
    }

    /// The programs that it consists of, and those for its users.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Starts another member beside the API server.
    pub(super) fn run(&mut self, program: &str, arguments: Vec<String>) -> Result<()> {
        self.others.push(self.site.start(&self.programs, &self.logs, program, arguments)?);
        Ok(())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.client.text("/readyz").is_err() {
            self.etcd.check()?;
            self.apiserver.check()?;
            if Instant::now() > deadline {
                self.client.text("/readyz").with_context(|| {
                    format!("no answer within {PATIENCE:?}:\n{}", self.apiserver.log())
                })?;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn wait_for_definitions(&self) -> Result<()> {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let established = |definition: &Value| {
            let conditions = definition["status"]["conditions"].as_array();
            let holds = |c: &Value| c["type"] == "Established" && c["status"] == "True";
            conditions.is_some_and(|conditions| conditions.iter().any(holds))
        };
        self.client.wait_until("definitions are in force", PATIENCE, |client| {
            let all = client.get(path)?.context("there are no definitions")?;
            Ok(all["items"].as_array().is_some_and(|all| all.iter().all(established)))
        })
    }

    /// Without its service account, a namespace takes no pods.
    fn wait_for_service_accounts(&self) -> Result<()> {
        let path = "/api/v1/namespaces/default/serviceaccounts/default";
        let what = "the controllers work";
        self.client.wait_until(what, PATIENCE, |client| Ok(client.get(path)?.is_some()))
    }
}

fn etcd(site: &Site, folder: &Path) -> Vec<String> {
    let clients = format!("http://127.0.0.1:{}", site.etcd);
    let peers = format!("http://127.0.0.1:{}", site.peers);
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // Nothing here outlives a crash of the machine.
        "--unsafe-no-fsync".into(),
        "--log-level=warn".into(),
    ]
}

fn token_request() -> Value {
    json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    })
}

fn apiserver(site: &Site, credentials: &Credentials, audit: &Audit) -> Vec<String> {
    let file = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    let Credentials { authority, front, front_client, apiserver, kubelet_client, .. } = credentials;
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", site.etcd),
        format!("--secure-port={}", site.port),
        format!("--bind-address={}", site.address),
        format!("--advertise-address={}", site.address),
        format!("--endpoint-reconciler-type={}", site.reconciler()),
        format!("--service-cluster-ip-range={}", site.services),
        file("client-ca-file", &authority.certificate),
        file("tls-cert-file", &apiserver.certificate),
        file("tls-private-key-file", &apiserver.key),
        file("kubelet-certificate-authority", &authority.certificate),
        file("kubelet-client-certificate", &kubelet_client.certificate),
        file("kubelet-client-key", &kubelet_client.key),
        "--kubelet-preferred-address-types=InternalIP".into(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
        file("service-account-key-file", &credentials.tokens()),
        file("service-account-signing-key-file", &credentials.tokens()),
        file("audit-policy-file", &audit.policy),
        file("audit-log-path", &audit.log),
        "--authorization-mode=Node,RBAC".into(),
        "--enable-admission-plugins=NodeRestriction".into(),
        "--allow-privileged=true".into(),
        "--profiling=false".into(),
        file("requestheader-client-ca-file", &front.certificate),
        "--requestheader-allowed-names=front-proxy-client".into(),
        "--requestheader-username-headers=X-Remote-User".into(),
        "--requestheader-group-headers=X-Remote-Group".into(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".into(),
        file("proxy-client-cert-file", &front_client.certificate),
        file("proxy-client-key-file", &front_client.key),
        "--enable-aggregator-routing=true".into(),
    ]
}

fn controllers(credentials: &Credentials, kubeconfig: &Path) -> Vec<String> {
    let file = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    vec![
        file("kubeconfig", kubeconfig),
        file("service-account-private-key-file", &credentials.tokens()),
        file("root-ca-file", &credentials.authority.certificate),
        file("cluster-signing-cert-file", &credentials.authority.certificate),
        file("cluster-signing-key-file", &credentials.authority.key),
        "--use-service-account-credentials=true".into(),
        "--leader-elect=false".into(),
        "--allocate-node-cidrs=false".into(),
        // It serves nothing that a test asks for.
        "--secure-port=0".into(),
        // With the limits that it has otherwise, it takes five seconds to begin.
        "--kube-api-qps=300".into(),
        "--kube-api-burst=600".into(),
        "--concurrent-gc-syncs=20".into(),
        // A dead node is known as such after 20 seconds, not 50.
        "--node-monitor-period=2s".into(),
        "--node-monitor-grace-period=20s".into(),
    ]
}
