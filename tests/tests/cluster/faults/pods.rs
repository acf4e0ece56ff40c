//! Pods that nobody runs, said to run by a thread.

use super::stage::items;
use harness::cluster::Client;
use http::Method;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Says of all pods of a cluster that they run and are ready, until it is dropped.
pub(super) struct Pods {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pods {
    pub(super) fn run(kubeconfig: &Path) -> Pods {
        let client = Client::of(kubeconfig).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let seen = ended.clone();
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                tend(&client);
                thread::sleep(Duration::from_millis(100));
            }
        });
        Pods { ended, thread: Some(thread) }
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The API server may be away, and a pod may have gone.
fn tend(client: &Client) {
    let Ok(Some(pods)) = client.get("/api/v1/pods?fieldSelector=status.phase%3DPending") else {
        return;
    };
    let runs = json!({"status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
    }});
    for pod in items(&pods) {
        let of = |field: &str| pod["metadata"][field].as_str().unwrap_or_default().to_owned();
        let path = format!("/api/v1/namespaces/{}/pods/{}/status", of("namespace"), of("name"));
        _ = client.send(Method::PATCH, &path, "application/merge-patch+json", &runs);
    }
}
