//! Kubernetes itself, as the other tests rely on it.
#![allow(clippy::unwrap_used)]

mod chart;
mod control_plane;
mod faults;
mod holder;
mod kubectl;
mod nodes;
mod operator;
mod product;
mod rendered;
mod resources;
mod scaling;
mod traces;
