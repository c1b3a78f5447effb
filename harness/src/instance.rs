//! The identity of a service instance within a run.
//!
//! It imports nothing, so that faults and the trace can both name instances without knowing
//! each other.

use std::fmt;

/// One instance of a service, from its start to its crash. A restarted service is a new
/// instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceId {
    /// Name of the service.
    pub service: &'static str,
    /// Ordinal of the instance among all that were started in the run, from 1.
    pub instance: u32,
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.service, self.instance)
    }
}
