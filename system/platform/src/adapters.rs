//! The real adapter of each port: the only place that names a driver.

pub mod jetstream;
pub mod mongo;
pub mod reqwest;
pub mod system;
