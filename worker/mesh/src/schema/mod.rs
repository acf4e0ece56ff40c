//! What stands in the records that come in and go out.
//!
//! Inputs are decoded, then admitted ([`Decoder`]); each rule that a record can break has a stable
//! [`code`](Rejection::code). Outputs are an [`Envelope`] with a body behind it, both in one JSON
//! object.

mod arrow;
mod avro;
mod cell;
mod cloud_events;
mod config;
mod decoder;
mod input;
mod json;
mod output;
mod protobuf;
mod registry;
mod wire;

pub use cloud_events::cloud_events;
pub use config::{Codec, Fields, Framing, Input, Registry, TimeBounds, TimeUnit, Values};
pub use decoder::{Decoder, Failure, Header, Incoming, Unusable};
pub use input::{Admission, Point, Rejection, Sample};
pub use output::{Envelope, Kind, Message, Origin, Output};
