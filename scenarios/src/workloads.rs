//! Workloads: what people might do, as strategies that generate [`Script`](crate::script)s, and
//! what goes wrong meanwhile.
//!
//! Adding one is adding a file.

pub mod race;
pub mod trouble;
