//! `/metrics`, `/status` and `/health`, on a thread of its own.

use crate::metrics::Metrics;
use crate::status::{About, Status};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The server; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens, and answers from then on.
    pub(crate) fn start(
        address: SocketAddr,
        metrics: Arc<Metrics>,
        about: About,
    ) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (stop, stopped) = oneshot::channel();
        let routes = routes(Worker { metrics, about: Arc::new(about) });
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let stopped = async move { _ = stopped.await };
            tokio::select! {
                served = async { axum::serve(listener, routes).await } => served,
                () = stopped => Ok(()),
            }
        };
        let thread = std::thread::Builder::new().name("http".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, "serving metrics and health");
            }
        })?;
        Ok(Server { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is told of.
#[derive(Clone)]
struct Worker {
    metrics: Arc<Metrics>,
    about: Arc<About>,
}

fn routes(worker: Worker) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/status", get(status))
        .with_state(worker)
}

async fn render(State(worker): State<Worker>) -> impl IntoResponse {
    let header = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    match worker.metrics.encode() {
        Ok(text) => (StatusCode::OK, header, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, header, error.to_string()),
    }
}

async fn status(State(worker): State<Worker>) -> impl IntoResponse {
    Json(Status::of(&worker.about, &worker.metrics)).into_response()
}

async fn ready(State(worker): State<Worker>) -> impl IntoResponse {
    match worker.metrics.is_ready() {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "waiting for partitions\n"),
    }
}
