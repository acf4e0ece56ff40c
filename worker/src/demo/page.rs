//! The live page: one file and a stream of events, on localhost.

use super::assets;
use super::director::lock;
use super::scene::{Frame, Scene};
use super::story::{Cursor, Story};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// The port that is tried first.
const PORT: u16 = 8208;
/// Seconds of signal that a page is told of when it connects.
const RECENT: f64 = 60.0;
/// Between two frames.
const PERIOD: Duration = Duration::from_millis(40);

/// The server; it ends when dropped.
#[derive(Debug)]
pub(super) struct Page {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Shared = Arc<Mutex<Story>>;

impl Page {
    /// Serves the story on this port of localhost; without one, on 8208 or, when that is taken, on
    /// a free one.
    ///
    /// # Errors
    /// When the port cannot be listened to.
    pub(super) fn start(port: Option<u16>, story: Shared) -> io::Result<Page> {
        let on = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match port {
            Some(port) => on(port)?,
            None => on(PORT).or_else(|_| on(0))?,
        };
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::select! {
                served = async { axum::serve(listener, routes(story)).await } => served,
                _ = stopped => Ok(()),
            }
        };
        let thread = std::thread::Builder::new().name("page".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, "serving the page");
            }
        })?;
        Ok(Page { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where to look.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn routes(story: Shared) -> Router {
    Router::new().route("/", get(page)).route("/events", get(events)).with_state(story)
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
             connect-src 'self'; img-src data:",
        ),
    ];
    (headers, assets::html(None))
}

/// Everything lately, then what is new, again and again. A page that falls behind is told more at
/// a time; one that reconnects begins anew.
async fn events(State(story): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::unfold(Told::Nothing, move |told| {
        let story = story.clone();
        async move { next(&story, told).await }
    }))
}

/// How much a page was told.
enum Told {
    Nothing,
    UpTo(Cursor),
    All,
}

async fn next(story: &Shared, told: Told) -> Option<(Result<Event, Infallible>, Told)> {
    let (event, told) = match told {
        Told::Nothing => {
            let (scene, cursor) = lock(story).scene(RECENT);
            (scene_event(&scene), Told::UpTo(cursor))
        }
        Told::UpTo(cursor) => {
            tokio::time::sleep(PERIOD).await;
            let (frame, cursor) = lock(story).frame(&cursor);
            let told = if frame.totals.finished { Told::All } else { Told::UpTo(cursor) };
            (frame_event(&frame), told)
        }
        Told::All => return None,
    };
    Some((Ok(event), told))
}

fn scene_event(scene: &Scene) -> Event {
    Event::default().event("scene").json_data(scene).expect("a scene has string keys only")
}

fn frame_event(frame: &Frame) -> Event {
    Event::default().event("frame").json_data(frame).expect("a frame has string keys only")
}
