//! Asks workers what they do, each at its own address. None that does not answer holds anything up.

use super::report::Report;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

/// How long a worker may take for its answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to reach it: one that cannot be reached keeps others from being asked.
const REACH: Duration = Duration::from_millis(500);
/// The longest answer that is read: of some ten thousand partitions.
const LONGEST: usize = 4 << 20;

/// Asks workers.
#[derive(Clone, Debug)]
pub(super) struct Asker(Client<HttpConnector, Empty<Bytes>>);

impl Default for Asker {
    fn default() -> Asker {
        // Pods come and go, and are asked seldom: no connection is kept.
        let mut client = Client::builder(TokioExecutor::new());
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(REACH));
        Asker(client.pool_max_idle_per_host(0).build(connector))
    }
}

impl Asker {
    /// What the worker at an address tells; nothing when it does not answer in time, or not as a
    /// worker does.
    pub(super) async fn ask(&self, address: SocketAddr) -> Option<Report> {
        timeout(PATIENCE, self.get(address)).await.ok().flatten()
    }

    async fn get(&self, address: SocketAddr) -> Option<Report> {
        let place: Uri = format!("http://{address}/status").parse().ok()?;
        let answer = self.0.get(place).await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let body = Limited::new(answer.into_body(), LONGEST).collect().await.ok()?;
        serde_json::from_slice(&body.to_bytes()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    async fn served(body: String) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/status", get(move || async { body }));
        tokio::spawn(async { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn only_what_a_worker_says_in_time_is_an_answer() {
        let asker = Asker::default();
        let told = r#"{"partitions_total": 3, "busy_percent": 1.5, "partitions": []}"#;
        let report = asker.ask(served(told.into()).await).await.unwrap();
        assert_eq!((report.partitions_total, report.busy_percent), (3, 1.5));
        assert_eq!(asker.ask(served("hello".into()).await).await, None);
        assert_eq!(asker.ask(served(told.to_owned() + &" ".repeat(LONGEST)).await).await, None);
        // One that takes the connection and is silent.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let began = tokio::time::Instant::now();
        assert_eq!(asker.ask(silent.local_addr().unwrap()).await, None);
        assert!(began.elapsed() < 2 * PATIENCE);
        let gone = silent.local_addr().unwrap();
        drop(silent);
        assert_eq!(asker.ask(gone).await, None);
    }
}
