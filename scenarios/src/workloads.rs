//! Workloads: what people might do, as strategies that generate [`Script`](crate::script)s.
//!
//! Adding one is adding a file.

pub mod race;
