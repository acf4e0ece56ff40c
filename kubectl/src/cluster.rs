//! The cluster that the kubeconfig names, and what every command asks of it.

use crate::arguments::Global;
use crate::near::near;
use crate::trouble::Trouble;
use crds::labels;
use crds::{StreamingTDA, StreamingTDAStatus};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ApiResource, ListParams, Object};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Error, ResourceExt};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A resource, with as much of its spec as is shown: a spec that another version wrote, with fields that
/// this one does not know, can be told about all the same.
pub(crate) type Seen = Object<Wanted, StreamingTDAStatus>;

/// What is wanted, as far as it is shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Worker pods; 1 when the spec does not say.
    #[serde(default)]
    pub(crate) replicas: Option<i32>,
    /// There when the operator chooses the number of pods.
    #[serde(default)]
    pub(crate) autoscaling: Option<serde_json::Value>,
}

/// A cluster, and the namespace that is asked about.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// How long an answer may take.
    limit: Duration,
}

impl Cluster {
    /// The cluster that the command line and the kubeconfig name.
    pub(crate) async fn connect(global: &Global) -> Result<Cluster, Trouble> {
        let config = config(global).await?;
        let namespace = global.namespace.clone().unwrap_or(config.default_namespace.clone());
        let client = Client::try_from(config)
            .map_err(|error| Trouble(format!("the kubeconfig cannot be used: {error}")))?;
        Ok(Cluster { client, namespace, limit: global.request_timeout })
    }

    /// The namespace `prod` of the server that a test has.
    #[cfg(test)]
    pub(crate) fn of_test(client: Client) -> Cluster {
        Cluster { client, namespace: "prod".into(), limit: Duration::from_secs(30) }
    }

    /// The answer to a question, within the time for one. `what` says what is asked for, such as
    /// `list the pods of ecg`.
    pub(crate) async fn ask<T>(
        &self,
        what: &str,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Trouble> {
        match self.answer(answer).await {
            Some(answer) => answer.map_err(|error| Trouble::asking(what, &error)),
            None => Err(self.late(what)),
        }
    }

    async fn answer<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Option<Result<T, Error>> {
        tokio::time::timeout(self.limit, answer).await.ok()
    }

    fn late(&self, what: &str) -> Trouble {
        Trouble::late(what, self.limit.as_secs_f64())
    }

    /// The resources of this namespace.
    pub(crate) fn resources(&self) -> Api<Seen> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind())
    }

    /// The resources of this namespace, or of all.
    pub(crate) async fn list(&self, everywhere: bool) -> Result<Vec<Seen>, Trouble> {
        let api = match everywhere {
            true => Api::all_with(self.client.clone(), &kind()),
            false => self.resources(),
        };
        let what = "list StreamingTDA resources";
        let list = ListParams::default();
        match self.answer(api.list(&list)).await.ok_or_else(|| self.late(what))? {
            Ok(list) => Ok(list.items),
            Err(Error::Api(status)) if status.code == 404 => Err(undefined()),
            Err(error) => Err(Trouble::asking(what, &error)),
        }
    }

    /// A resource of this namespace.
    pub(crate) async fn resource(&self, name: &str) -> Result<Seen, Trouble> {
        match self.find(name).await? {
            Some(resource) => Ok(resource),
            None => Err(self.missing(name).await?),
        }
    }

    /// A resource of this namespace, if it is there.
    pub(crate) async fn find(&self, name: &str) -> Result<Option<Seen>, Trouble> {
        let what = format!("read the StreamingTDA {name}");
        let api = self.resources();
        match self.answer(api.get(name)).await.ok_or_else(|| self.late(&what))? {
            Ok(resource) => Ok(Some(resource)),
            Err(Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(Trouble::asking(&what, &error)),
        }
    }

    /// What is said of a resource that is not there.
    pub(crate) async fn missing(&self, name: &str) -> Result<Trouble, Trouble> {
        let there: Vec<String> = self.list(false).await?.iter().map(Seen::name_any).collect();
        let names = || there.iter().map(String::as_str);
        let namespace = &self.namespace;
        let hint = match (near(name, names()), there.len()) {
            (Some(near), _) => format!("did you mean {near}?"),
            (None, 0) => {
                "there is none in it; name another with -n, or list all with `kubectl stda \
                          list -A`"
                    .into()
            }
            (None, 1..=10) => format!("there are {}", there.join(", ")),
            (None, _) => "`kubectl stda list` shows those that there are".into(),
        };
        Ok(Trouble(format!("there is no StreamingTDA {name} in the namespace {namespace}: {hint}")))
    }

    /// The pods of this namespace.
    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The worker pods of a resource, by their names.
    pub(crate) async fn workers(&self, resource: &str) -> Result<Vec<Pod>, Trouble> {
        let what = format!("list the pods of {resource}");
        let mut pods = self.ask(&what, self.pods().list(&of(resource))).await?.items;
        pods.sort_by_key(Pod::name_any);
        Ok(pods)
    }
}

/// What belongs to a resource.
pub(crate) fn of(resource: &str) -> ListParams {
    ListParams::default().labels(&format!("{}={resource}", labels::NAME))
}

/// The kind of the resources.
pub(crate) fn kind() -> ApiResource {
    ApiResource::erase::<StreamingTDA>(&())
}

fn undefined() -> Trouble {
    Trouble(
        "this cluster does not know StreamingTDA resources: install them and their operator with \
         `helm install streaming-tda charts/streaming-tda --namespace streaming-tda-system \
         --create-namespace`"
            .into(),
    )
}

async fn config(global: &Global) -> Result<Config, Trouble> {
    let read = match &global.kubeconfig {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    };
    let kubeconfig = match read {
        Ok(kubeconfig) => kubeconfig,
        // In a pod there is none, and none is needed.
        Err(error) if global.kubeconfig.is_some() || global.context.is_some() => {
            return Err(Trouble(format!("the kubeconfig cannot be read: {error}")));
        }
        Err(error) => {
            return Config::incluster().map_err(|_| {
                Trouble(format!(
                    "there is no kubeconfig ({error}): name one with --kubeconfig or KUBECONFIG"
                ))
            });
        }
    };
    let contexts: Vec<String> = kubeconfig.contexts.iter().map(|c| c.name.clone()).collect();
    if let Some(context) = global.context.as_ref().filter(|context| !contexts.contains(context)) {
        return Err(Trouble(format!(
            "the kubeconfig has no context {context}: there are {}",
            contexts.join(", ")
        )));
    }
    let options = KubeConfigOptions { context: global.context.clone(), ..Default::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    config.map_err(|error| Trouble(format!("the kubeconfig cannot be used: {error}")))
}
