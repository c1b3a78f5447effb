//! The outcome of one run of a crash sweep.

use std::sync::Arc;

use crate::faults::FaultRule;
use crate::invariants::Violation;
use crate::trace::Record;

/// The outcome of one run of a sweep.
#[derive(Debug, Clone)]
pub struct Played {
    /// The number of calls until the steps ended.
    pub calls: u64,
    /// The call at which a service crashed.
    pub injected: Option<FaultRule>,
    /// The violations.
    pub violations: Vec<Violation>,
    /// The first step that failed, and why.
    pub failed_step: Option<String>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
}
