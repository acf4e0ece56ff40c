//! The event mesh: how points come in from Kafka, how results go out, and how a worker picks up
//! where another stopped. The only crate that knows Kafka.
//!
//! * [`schema`]: what stands in the records, as types.
//! * [`Source`]: reads partitions on one thread and hands their records to an [`Owner`].
//! * [`Delivery`]: sends outputs, and moves a partition's checkpoint and committed offset only
//!   after every output before them was acknowledged.
//! * [`checkpoint`]: where to resume, in a compacted topic.
//! * [`dead_letters`]: what becomes of records that give no points.
//! * [`Feed`] and [`Tail`]: append to a topic, and read topics, outside of any group.
//! * [`breaker`]: when the input waits; [`batch`]: how much is handed over together.
//! * [`security`]: who the worker is to the brokers.
//! * [`scan`]: read a topic up to where it ends now.
//! * [`Class`]: what an error of Kafka asks for.
//! * [`embedded`]: a broker inside the process, for demonstrations.

mod ack;
pub mod batch;
pub mod breaker;
pub mod checkpoint;
mod class;
mod connection;
mod contact;
pub mod dead_letters;
pub mod delivery;
pub mod embedded;
mod error;
pub mod feed;
mod group;
mod headers;
mod intake;
mod onlooker;
mod outgoing;
mod pulse;
pub mod rarely;
mod routes;
pub mod scan;
pub mod schema;
pub mod security;
mod sink;
mod source;
pub mod tail;
pub mod topics;
mod transactional;

pub use ack::{Acknowledged, Refused};
pub use class::Class;
pub use connection::Connection;
pub use delivery::{Batch, Delivery, Guarantee, Lease, Observer, Topics};
pub use error::Error;
pub use feed::Feed;
pub use group::{Group, Protocol};
pub use outgoing::{Outgoing, Target};
pub use pulse::{Pulse, Unacknowledged};
pub use schema::{Kind, Output};
pub use security::Security;
pub use source::{Owner, Record, Released, Source};
pub use tail::Tail;
