//! What becomes of one request.

use super::fault::{Fault, Moment, Sort};
use super::{Body, Failure, watch};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch::{Receiver, Sender};

/// What all requests share.
pub(super) struct State {
    upstream: kube::Client,
    /// With how many were set before it.
    fault: Sender<(usize, Fault)>,
    crash: Mutex<Option<(usize, Moment)>>,
    pub(super) crashed: Sender<bool>,
    pub(super) writes: AtomicUsize,
    pub(super) disturbed: AtomicUsize,
    /// Requests that the fault of now is about.
    met: AtomicUsize,
    last_write: Mutex<Instant>,
    log: Mutex<Vec<String>>,
    /// What was answered when something was read for the first time.
    first: Mutex<HashMap<String, Bytes>>,
}

impl State {
    pub(super) fn new(upstream: kube::Client) -> State {
        State {
            upstream,
            fault: Sender::default(),
            crash: Mutex::default(),
            crashed: Sender::default(),
            writes: AtomicUsize::new(0),
            disturbed: AtomicUsize::new(0),
            met: AtomicUsize::new(0),
            last_write: Mutex::new(Instant::now()),
            log: Mutex::default(),
            first: Mutex::default(),
        }
    }

    pub(super) fn set(&self, fault: Fault) {
        self.met.store(0, Ordering::SeqCst);
        self.fault.send_modify(|(count, now)| (*count, *now) = (*count + 1, fault));
    }

    pub(super) fn crash_at(&self, write: usize, moment: Moment) {
        *lock(&self.crash) = Some((write, moment));
    }

    pub(super) fn last_write(&self) -> MutexGuard<'_, Instant> {
        lock(&self.last_write)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.log)
    }

    /// The fault of now, and those to come.
    pub(super) fn faults(&self) -> Receiver<(usize, Fault)> {
        self.fault.subscribe()
    }

    /// Waits until there is no way.
    pub(super) async fn unreachable(&self) {
        let mut faults = self.faults();
        if faults.wait_for(|(_, fault)| *fault == Fault::Unreachable).await.is_ok() {
            self.disturb();
        }
    }

    pub(super) fn disturb(&self) {
        self.disturbed.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether it is the turn of this request, of those that the fault is about.
    fn is_turn(&self, every: usize) -> bool {
        let turn = (self.met.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every);
        if turn {
            self.disturb();
        }
        turn
    }

    /// Counts a write; gives the moment at which to crash in it.
    fn count(&self, line: String) -> Option<Moment> {
        let mut log = self.log();
        log.push(line);
        *self.last_write() = Instant::now();
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let mut crash = lock(&self.crash);
        crash.take_if(|(write, _)| *write == number).map(|(_, moment)| moment)
    }

    /// The answer of now is not for the client that asked: it has been killed.
    async fn dead(&self) -> Failure {
        let _ = self.crashed.subscribe().wait_for(|crashed| !crashed).await;
        "the client has crashed".into()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes a request on, or does to it what is to go wrong; an error closes its connection.
pub(super) async fn pass(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if *state.crashed.borrow() {
        return Err(state.dead().await);
    }
    let writes = is_write(&head.method, head.uri.path());
    let (_, fault) = *state.faults().borrow();
    let crash = match writes {
        true => state.count(format!("{} {}", head.method, head.uri.path())),
        false => None,
    };
    if crash == Some(Moment::Before) {
        state.crashed.send_replace(true);
        return Err(state.dead().await);
    }
    if let Fault::Refuse { code, of, every } = fault
        && (writes || of == Sort::Any)
        && state.is_turn(every)
    {
        return refusal(code);
    }
    let watches = head.uri.query().is_some_and(|query| query.contains("watch=true"));
    let reads = (head.method == Method::GET && !watches).then(|| head.uri.to_string());
    if let (Fault::OldReads, Some(what)) = (fault, &reads)
        && let Some(old) = lock(&state.first).get(what).cloned()
    {
        state.disturb();
        return Ok(json_body(StatusCode::OK, old));
    }
    let sent = Request::from_parts(head, kube::client::Body::from(body));
    let answer = state.upstream.send(sent).await?;
    if crash == Some(Moment::After) {
        state.crashed.send_replace(true);
    }
    if *state.crashed.borrow() {
        return Err(state.dead().await);
    }
    if let (Fault::LoseAnswers { every }, true) = (fault, writes)
        && state.is_turn(every)
    {
        return Err("the answer is lost".into());
    }
    if watches {
        return Ok(answer.map(|body| watch::told(state, body)));
    }
    whole(&state, reads, answer).await
}

/// Reads an answer to its end, and remembers it when it is the first one to this question.
async fn whole(
    state: &State,
    reads: Option<String>,
    answer: Response<kube::client::Body>,
) -> Result<Response<Body>, Failure> {
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    if let (Some(what), StatusCode::OK) = (reads, head.status) {
        lock(&state.first).entry(what).or_insert_with(|| body.clone());
    }
    Ok(Response::from_parts(head, full(body)))
}

/// Leases are renewed and events told whatever there is to do.
fn is_write(method: &Method, path: &str) -> bool {
    let changes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method);
    let aside = |group: &str| path.starts_with(&format!("/apis/{group}.k8s.io/"));
    changes && !aside("coordination") && !aside("events")
}

/// As an API server says no.
fn refusal(code: u16) -> Result<Response<Body>, Failure> {
    let reason = match code {
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "reason": reason, "code": code, "message": "this is a test",
    });
    let mut response = json_body(StatusCode::from_u16(code)?, status.to_string().into());
    if matches!(code, 429 | 503) {
        response.headers_mut().insert("retry-after", "1".parse()?);
    }
    Ok(response)
}

fn json_body(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}

fn full(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}
