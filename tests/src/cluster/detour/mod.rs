//! A way to an API server on which things go wrong when they are told to: between the operator and
//! the server, so that neither needs to be changed.

mod fault;
mod request;
mod watch;

pub use fault::{Fault, Moment, Sort};

use anyhow::{Context, Result};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::config::{KubeConfigOptions, Kubeconfig};
use request::State;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<hyper::body::Bytes, Failure>;

/// A server on localhost that passes requests on to an API server, under the rights of a kubeconfig.
/// It ends when dropped.
pub struct Detour {
    state: Arc<State>,
    folder: TempDir,
    // When it is dropped, the thread of the server ends, and with it all that it serves.
    _served: oneshot::Sender<()>,
}

impl Detour {
    /// Leads to the API server of a kubeconfig.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used, or no port is free.
    pub fn to(kubeconfig: &Path) -> Result<Detour> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (state, listener) = runtime.block_on(async {
            let upstream = upstream(kubeconfig).await;
            let upstream =
                upstream.with_context(|| format!("cannot use {}", kubeconfig.display()))?;
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            anyhow::Ok((Arc::new(State::new(upstream)), listener))
        })?;
        let folder = tempfile::tempdir()?;
        let here = format!("http://{}", listener.local_addr()?);
        fs::write(folder.path().join(FILE), leading_to(&here).to_string())?;
        let (served, ended) = oneshot::channel();
        runtime.spawn(listen(listener, state.clone()));
        thread::spawn(move || runtime.block_on(ended));
        Ok(Detour { state, folder, _served: served })
    }

    /// The file by which the client that is to meet the faults reaches the API server.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }

    /// Has this go wrong from now on, and nothing else.
    pub fn set(&self, fault: Fault) {
        self.state.set(fault);
    }

    /// Crash at this moment of the n-th write from now on, counted from 1: nothing gets through any
    /// more, in either direction, until [`recover`](Self::recover).
    pub fn crash_at(&self, write: usize, moment: Moment) {
        self.state.crash_at(self.writes() + write, moment);
    }

    /// Whether that moment has come: now the client is to be killed.
    pub fn crashed(&self) -> bool {
        *self.state.crashed.borrow()
    }

    /// Lets a new client through.
    pub fn recover(&self) {
        self.state.crashed.send_replace(false);
    }

    /// Writes that were asked for, leases and events left out.
    pub fn writes(&self) -> usize {
        self.state.writes.load(Ordering::SeqCst)
    }

    /// What the latest of them were.
    pub fn latest(&self) -> Vec<String> {
        self.state.log().iter().rev().take(12).rev().cloned().collect()
    }

    /// How many requests have met with a fault.
    pub fn disturbed(&self) -> usize {
        self.state.disturbed.load(Ordering::SeqCst)
    }

    /// For how long nothing was written.
    pub fn quiet_for(&self) -> Duration {
        Instant::now().duration_since(*self.state.last_write())
    }
}

const FILE: &str = "kubeconfig";

/// A client that leaves it to others to try again.
async fn upstream(kubeconfig: &Path) -> Result<kube::Client> {
    let file = Kubeconfig::read_from(kubeconfig)?;
    let options = KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(file, &options).await?;
    config.default_retry = false;
    Ok(kube::Client::try_from(config)?)
}

fn leading_to(server: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "detour", "cluster": {"server": server}}],
        "users": [{"name": "anyone", "user": {}}],
        "contexts": [{"name": "detour", "context": {"cluster": "detour", "user": "anyone"}}],
        "current-context": "detour",
    })
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let serve = service_fn(|request| request::pass(state.clone(), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), serve);
            tokio::select! {
                // An error is what the client is to see: the connection is closed.
                _ = connection => {}
                () = state.unreachable() => {}
            }
        });
    }
}
