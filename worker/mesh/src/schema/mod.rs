//! What stands in the records that come in and go out.
//!
//! Inputs are decoded, then admitted ([`Point::decode`], [`Point::admit`]); each rule that a
//! record can break has a stable [`code`](Rejection::code). Outputs are an [`Envelope`] with a
//! body behind it, both in one JSON object.

mod input;
mod output;

pub use input::{Admission, Point, Rejection, Sample};
pub use output::{Envelope, Kind, Message, Origin, Output};
