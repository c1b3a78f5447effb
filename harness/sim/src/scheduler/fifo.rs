//! First in, first out.

use super::decision::Decision;
use super::interface::{Scheduler, SchedulingPoint};

/// Runs the call that has waited longest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fifo;

impl Scheduler for Fifo {
    fn decide(&mut self, _point: &SchedulingPoint<'_>) -> Decision {
        Decision::FIFO
    }
}
