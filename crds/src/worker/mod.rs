//! What the workers of a [`StreamingTDA`](crate::StreamingTDA) are told: their configuration, and the
//! keys of Secrets and ConfigMaps that it reads as files.

mod configuration;
mod files;
mod words;

pub use configuration::{Placement, configuration};
pub use files::{FileKey, Origin, files};
