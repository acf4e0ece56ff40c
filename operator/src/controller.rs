//! From what is heard of the cluster to one resource after another that is brought to where it should
//! be. One that does not work is tried again by itself, later and later, and stops no other.

use crate::backoff::Backoff;
use crate::conditions::{Standing, conditions};
use crate::events::Event;
use crate::execute;
use crate::fleet::{self, Fleet};
use crate::metrics::Metrics;
use crate::names::MANAGER;
use crate::observe::{observe, resources};
use crate::plan::{IN_MOTION, plan};
use crate::revision::Settings;
use crate::serving::serving;
use crate::watches;
use crds::{StreamingTDA, StreamingTDAStatus};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::unfold;
use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment};
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ObjectMeta, PartialObjectMeta};
use kube::core::DeserializeGuard;
use kube::core::error_boundary::InvalidObject;
use kube::runtime::Controller;
use kube::runtime::controller::{self, Action, Config};
use kube::runtime::events::{self, EventType, Recorder, Reporter};
use kube::runtime::reflector::{self, ObjectRef};
use kube::{Client, Resource};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Resources that are worked on at the same time.
const CONCURRENCY: u16 = 8;
/// How long it may take to bring one resource forward: what is not answered by then never will be.
const WHOLE: Duration = Duration::from_secs(60);
/// For how long nothing must be heard of a resource before it is looked at.
const GATHERING: Duration = Duration::from_millis(200);

type Guarded = DeserializeGuard<StreamingTDA>;
type Heard = PartialObjectMeta<StreamingTDA>;

/// Why a resource is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("cannot read the resource and its children: {0}")]
    Observe(#[source] kube::Error),
    /// The API server does not answer.
    #[error("the API server took longer than {WHOLE:?}")]
    Late,
    /// What was planned could not be done.
    #[error(transparent)]
    Execute(#[from] execute::Error),
}

struct Context {
    client: Client,
    settings: Settings,
    metrics: Arc<Metrics>,
    recorder: Recorder,
    backoff: Backoff,
    fleet: Arc<Fleet>,
}

/// Works on the resources of these namespaces, or of all when none is named, until `stop` becomes true;
/// what is in hand then is finished.
pub async fn run(
    client: Client,
    namespaces: &[String],
    settings: Settings,
    identity: String,
    metrics: Arc<Metrics>,
    stop: watch::Receiver<bool>,
) {
    let reporter = Reporter { controller: MANAGER.into(), instance: Some(identity) };
    let context = Arc::new(Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        settings,
        metrics,
        backoff: Backoff::default(),
        fleet: Arc::default(),
    });
    let scopes: Vec<Option<&str>> = match namespaces {
        [] => vec![None],
        named => named.iter().map(|namespace| Some(namespace.as_str())).collect(),
    };
    join_all(scopes.into_iter().map(|scope| watch_scope(scope, &context, stop.clone()))).await;
}

async fn watch_scope(scope: Option<&str>, context: &Arc<Context>, mut stop: watch::Receiver<bool>) {
    let client = &context.client;
    let stopped = async move { _ = stop.wait_for(|stop| *stop).await };
    let (told, changed) = mpsc::unbounded_channel();
    let (resources, writer) = reflector::store();
    let there = resources.clone();
    let fleet =
        fleet::watch(client, scope, context.fleet.clone(), there, move |(namespace, name)| {
            // Nobody listens any more when the controller has ended.
            _ = told.send(ObjectRef::<Heard>::new(&name).within(&namespace));
        });
    let changed = unfold(changed, |mut changed| async { Some((changed.recv().await?, changed)) });
    let controller = Controller::for_stream(watches::resources(client, scope, writer), resources)
        .with_config(Config::default().concurrency(CONCURRENCY).debounce(GATHERING))
        .owns_stream(watches::children::<Deployment>(client, scope))
        .owns_stream(watches::children::<ConfigMap>(client, scope))
        .owns_stream(watches::children::<Service>(client, scope))
        .owns_stream(watches::children::<ServiceAccount>(client, scope))
        .owns_stream(watches::children::<Role>(client, scope))
        .owns_stream(watches::children::<RoleBinding>(client, scope))
        .owns_stream(watches::children::<PodDisruptionBudget>(client, scope))
        .owns_stream(watches::children::<NetworkPolicy>(client, scope))
        .owns_stream(watches::children::<ControllerRevision>(client, scope))
        .reconcile_on(changed)
        .graceful_shutdown_on(stopped)
        .run(reconcile, failed, context.clone())
        .for_each(|result| async {
            if let Err(error) = result {
                // One that has gone does not come to `reconcile`.
                if let controller::Error::ObjectNotFound(gone) = &error
                    && let Some(uid) = &gone.extra.uid
                {
                    context.backoff.forget(uid);
                }
                tracing::debug!(%error, "a resource is not where it should be");
            }
        });
    tokio::select! {
        () = controller => {}
        () = fleet => {}
    }
}

async fn reconcile(heard: Arc<Heard>, context: Arc<Context>) -> Result<Action, Error> {
    let started = Instant::now();
    let result = timeout(WHOLE, work(heard.meta(), &context)).await.unwrap_or(Err(Error::Late));
    context.metrics.reconciled(result.is_ok(), started.elapsed());
    if result.is_ok() {
        context.backoff.forget(&identity(heard.meta()));
    }
    result
}

fn failed(heard: Arc<Heard>, error: &Error, context: Arc<Context>) -> Action {
    let resource = label(heard.meta());
    let wait = context.backoff.failed(&identity(heard.meta()));
    tracing::warn!(resource, %error, ?wait, "trying again later");
    Action::requeue(wait)
}

/// What is heard may be old: the resource is read again.
async fn work(metadata: &ObjectMeta, context: &Context) -> Result<Action, Error> {
    let name = metadata.name.clone().unwrap_or_default();
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let api: Api<Guarded> = Api::namespaced(context.client.clone(), namespace);
    match api.get_opt(&name).await.map_err(Error::Observe)? {
        None => {
            let namespace = metadata.namespace.clone().unwrap_or_default();
            context.fleet.forget(&(namespace, name));
            Ok(Action::await_change())
        }
        Some(DeserializeGuard(Ok(resource))) => tend(resource, context).await,
        Some(DeserializeGuard(Err(invalid))) => refuse(&invalid, context).await,
    }
}

async fn tend(resource: StreamingTDA, context: &Context) -> Result<Action, Error> {
    let Context { client, settings, metrics, .. } = context;
    let mut observed = observe(client, settings, resource).await.map_err(Error::Observe)?;
    observed.known = context.fleet.known(&observed);
    let planned = plan(&observed, Timestamp::now());
    let done = execute::children(client, metrics, &observed.resource, &planned).await;
    let planned = match done {
        Err(execute::Error::Refused(ref refusal)) => {
            observed.refusal = Some(refusal.clone());
            plan(&observed, Timestamp::now())
        }
        Err(error) => return Err(error.into()),
        Ok(()) => planned,
    };
    if let Some(status) = &planned.status {
        execute::status(client, metrics, &observed.resource.metadata, status).await?;
    }
    for event in planned.events {
        tell(context, &observed.resource.object_ref(&()), event).await;
    }
    done?;
    Ok(planned.requeue.map_or_else(Action::await_change, Action::requeue))
}

/// Says of a resource that it is not understood, and leaves its children as they are.
async fn refuse(invalid: &InvalidObject, context: &Context) -> Result<Action, Error> {
    let metadata = &invalid.metadata;
    let mut status = status_of(metadata, context).await?;
    let before = status.clone();
    let message = format!(
        "this operator does not understand the resource: {}; update the operator, or change the \
         resource",
        invalid.error
    );
    let standing = Standing::Stalled("InvalidSpec".into(), message);
    let ready = before.ready_replicas.unwrap_or_default();
    let serving = serving(&standing, ready, None, &before.conditions);
    let generation = metadata.generation.unwrap_or_default();
    let now = Timestamp::now();
    status.observed_generation = Some(generation);
    status.conditions = conditions(&standing, &serving, generation, &before.conditions, now);
    if status != before {
        execute::status(&context.client, &context.metrics, metadata, &status).await?;
    }
    Ok(Action::requeue(IN_MOTION))
}

/// The status of a resource whose spec is not understood.
async fn status_of(metadata: &ObjectMeta, context: &Context) -> Result<StreamingTDAStatus, Error> {
    let name = metadata.name.clone().unwrap_or_default();
    let api = resources(&context.client, metadata);
    let object = api.get(&name).await.map_err(Error::Observe)?;
    Ok(serde_json::from_value(object.data["status"].clone()).unwrap_or_default())
}

/// That something could not be told is no reason to do it again.
async fn tell(context: &Context, about: &ObjectReference, event: Event) {
    let Event { reason, note, action } = event;
    tracing::info!(resource = about.name, %reason, note);
    let published = events::Event {
        type_: if reason.is_warning() { EventType::Warning } else { EventType::Normal },
        reason: reason.to_string(),
        note: Some(note.chars().take(NOTE).collect()),
        action,
        secondary: None,
    };
    if let Err(error) = context.recorder.publish(&published, about).await {
        tracing::warn!(%error, "cannot publish an event");
    }
}

/// The longest note that the API server takes is a kilobyte, and a letter may be four bytes.
const NOTE: usize = 250;

/// Another one of the same name has not failed yet.
fn identity(metadata: &ObjectMeta) -> String {
    metadata.uid.clone().unwrap_or_else(|| label(metadata))
}

fn label(metadata: &ObjectMeta) -> String {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!("{}/{}", part(&metadata.namespace), part(&metadata.name))
}
