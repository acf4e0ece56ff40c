//! `/metrics` and `/health`.

use crate::metrics::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Answers for as long as it is waited for. One that waits for the lease is ready too: it is ready to
/// take over.
pub(crate) async fn serve(listener: TcpListener, metrics: Arc<Metrics>) -> io::Result<()> {
    let routes = Router::new()
        .route("/metrics", get(render))
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(|| async { "ready\n" }))
        .with_state(metrics);
    axum::serve(listener, routes).await
}

async fn render(State(metrics): State<Arc<Metrics>>) -> impl IntoResponse {
    let header = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    match metrics.encode() {
        Ok(text) => (StatusCode::OK, header, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, header, error.to_string()),
    }
}
