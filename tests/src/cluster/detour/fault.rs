//! What can go wrong between a client and its API server.

use std::time::Duration;

/// What goes wrong, for as long as it is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Every so many-th request of this sort gets an answer with this status of HTTP, and does not
    /// reach the server.
    Refuse {
        /// The status.
        code: u16,
        /// Which requests.
        of: Sort,
        /// Every one when this is 1.
        every: usize,
    },
    /// Every so many-th write reaches the server, and its answer is lost with the connection.
    LoseAnswers {
        /// Every one when this is 1.
        every: usize,
    },
    /// There is no way: connections are closed, old and new.
    Unreachable,
    /// Every watch is cut when it has lasted this long.
    CutWatches(Duration),
    /// What is told on watches arrives so much later.
    HoldWatches(Duration),
    /// Watches that were opened before this was set tell nothing any more, and stay open, as when a
    /// router has forgotten the connection.
    SwallowWatches,
    /// What is read is what was there when the same was asked for the first time.
    OldReads,
}

/// Requests are told apart by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// All of them.
    Any,
    /// Those that change something; leases and events are left out.
    Write,
}

/// A moment of a write at which the client is to crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server has not seen it.
    Before,
    /// The server has done it, and the client does not know.
    After,
}
