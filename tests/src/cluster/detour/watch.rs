//! What is told on a watch, and what is not.

use super::fault::Fault;
use super::request::State;
use super::{Body, Failure};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep, sleep_until};

/// A watch that goes on.
struct Watch {
    state: Arc<State>,
    faults: Receiver<(usize, Fault)>,
    /// How many faults had been set when it was opened.
    born: usize,
    opened: Instant,
    body: kube::client::Body,
}

/// The body of a watch, as the faults of now and those to come leave it.
pub(super) fn told(state: Arc<State>, body: kube::client::Body) -> Body {
    let faults = state.faults();
    let born = faults.borrow().0;
    let watch = Watch { state, faults, born, opened: Instant::now(), body };
    let frames = stream::try_unfold(watch, |mut watch| async {
        Ok(watch.next().await?.map(|frame| (frame, watch)))
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}

type Frame = hyper::body::Frame<hyper::body::Bytes>;

impl Watch {
    async fn next(&mut self) -> Result<Option<Frame>, Failure> {
        let mut faults = self.faults.clone();
        let frame = tokio::select! {
            frame = self.body.frame() => frame.transpose()?,
            cut = cut(&mut faults, self.opened) => return Err(self.disturbed(cut)),
        };
        let (count, fault) = *self.faults.borrow();
        match fault {
            Fault::HoldWatches(time) if frame.is_some() => {
                self.state.disturb();
                sleep(time).await;
            }
            Fault::SwallowWatches if count > self.born => {
                self.state.disturb();
                pending::<()>().await;
            }
            _ => {}
        }
        if *self.state.crashed.borrow() {
            pending::<()>().await;
        }
        Ok(frame)
    }

    fn disturbed(&self, how: &str) -> Failure {
        self.state.disturb();
        how.into()
    }
}

/// Waits until a watch that was opened then is to be cut.
async fn cut(faults: &mut Receiver<(usize, Fault)>, opened: Instant) -> &'static str {
    loop {
        let (_, fault) = *faults.borrow_and_update();
        let changed = faults.changed();
        match fault {
            Fault::CutWatches(time) => tokio::select! {
                () = sleep_until(opened + time) => return "the watch is cut",
                _ = changed => {}
            },
            _ => _ = changed.await,
        }
    }
}
