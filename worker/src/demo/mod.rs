//! The demonstration: a real electrocardiogram through a broker and the worker, watched live.

pub mod ecg;
