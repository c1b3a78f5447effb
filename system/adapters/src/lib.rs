//! The real adapter of each port: the only place that names a driver.

#[expect(clippy::disallowed_methods, reason = "a real connection waits in real time")]
pub mod jetstream;
#[expect(clippy::disallowed_methods, reason = "a real connection waits in real time")]
pub mod mongo;
pub mod reqwest;
#[expect(clippy::disallowed_methods, reason = "this is where the Clock port gets real time")]
pub mod system;
