//! The real parts that the end-to-end tests start.
