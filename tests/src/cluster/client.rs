//! What tests ask of a cluster, without async around it.

use anyhow::{Context, Result, bail};
use http::{Method, Request};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// How long the API server may take for an answer; a client has no limit of its own.
const ANSWER: Duration = Duration::from_secs(30);
const MANAGER: &str = "streaming-tda-tests";

/// A client of one cluster.
pub struct Client {
    runtime: Runtime,
    client: kube::Client,
}

impl Client {
    /// A client by the current context of a kubeconfig.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn of(kubeconfig: &Path) -> Result<Client> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let read = async {
            let file = Kubeconfig::read_from(kubeconfig)?;
            let options = KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(file, &options).await?;
            anyhow::Ok(kube::Client::try_from(config)?)
        };
        let client = runtime.block_on(read);
        let client = client.with_context(|| format!("cannot use {}", kubeconfig.display()))?;
        Ok(Client { runtime, client })
    }

    /// The client itself; its futures are to be [run](Self::run) here.
    pub fn kube(&self) -> kube::Client {
        self.client.clone()
    }

    /// Waits for a future of the client.
    ///
    /// # Errors
    /// The future's own, or that it takes too long.
    pub fn run<T, E>(&self, future: impl Future<Output = Result<T, E>>) -> Result<T>
    where
        anyhow::Error: From<E>,
    {
        let limited = async { tokio::time::timeout(ANSWER, future).await };
        let answer = self.runtime.block_on(limited);
        Ok(answer.with_context(|| format!("the API server took longer than {ANSWER:?}"))??)
    }

    /// The text at a path, such as `/readyz`.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&self, path: &str) -> Result<String> {
        let request = Request::get(path).body(Vec::new())?;
        self.run(self.client.request_text(request)).with_context(|| format!("cannot get {path}"))
    }

    /// The object at a path, such as `/api/v1/nodes/node1`; none when there is none.
    ///
    /// # Errors
    /// When the API server refuses.
    pub fn get(&self, path: &str) -> Result<Option<Value>> {
        let request = Request::get(path).body(Vec::new())?;
        match self.run(async { Ok::<_, kube::Error>(self.client.request(request).await) })? {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot get {path}")),
        }
    }

    /// Sends a body of this type to a path, and gives the answer.
    ///
    /// # Errors
    /// When the API server refuses; says no more than it does.
    pub fn send(&self, method: Method, path: &str, type_: &str, body: &Value) -> Result<Value> {
        let request = Request::builder().method(method).uri(path).header("content-type", type_);
        self.run(self.client.request(request.body(body.to_string().into_bytes())?))
    }

    /// Makes objects what these documents of YAML say.
    ///
    /// # Errors
    /// When one is malformed or refused; says which.
    pub fn apply(&self, manifests: &str) -> Result<()> {
        for document in serde_saphyr::from_multiple::<Value>(manifests)? {
            self.apply_one(&serde_json::from_value(document)?)?;
        }
        Ok(())
    }

    fn apply_one(&self, object: &DynamicObject) -> Result<()> {
        let types = object.types.as_ref().context("an object has no apiVersion and kind")?;
        let name = object.metadata.name.as_deref().context("an object has no name")?;
        let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types)?);
        let api: Api<DynamicObject> = match &object.metadata.namespace {
            Some(namespace) => Api::namespaced_with(self.kube(), namespace, &resource),
            None => Api::all_with(self.kube(), &resource),
        };
        let how = PatchParams::apply(MANAGER).force().validation_strict();
        let applied = self.run(api.patch(name, &how, &Patch::Apply(object)));
        applied.map(drop).with_context(|| format!("cannot apply the {} {name}", types.kind))
    }

    /// Waits until something is the case; an error is not yet.
    ///
    /// # Errors
    /// When it takes longer; with the last error.
    pub fn wait_until(
        &self,
        what: &str,
        time: Duration,
        mut is: impl FnMut(&Client) -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + time;
        loop {
            let answer = is(self);
            if matches!(answer, Ok(true)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let late = format!("it is not the case within {time:?} that {what}");
                match answer {
                    Err(error) => return Err(error.context(late)),
                    Ok(_) => bail!(late),
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
