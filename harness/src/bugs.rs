//! Planted bugs: a system with one deliberate mistake, to measure whether the search finds it.
//!
//! A bug is planted around the ports or around the parts of an assembled service
//! ([`planting`], [`ports`]); the services themselves stay as they are. [`scoreboard`] measures
//! how soon each is found.

pub mod planting;
pub mod ports;
pub mod scoreboard;

use crate::faults::FaultKind;
use crate::system::System;

/// A planted bug.
#[derive(Debug, Clone, Copy)]
pub struct PlantedBug {
    /// Its name.
    pub name: &'static str,
    /// The mistake in a sentence.
    pub story: &'static str,
    /// The system with the mistake.
    pub plant: fn(System) -> System,
    /// Extra kinds of faults in the search for this bug; a kind listed twice has twice the
    /// weight.
    pub faults: &'static [FaultKind],
}

impl PlantedBug {
    /// All kinds of faults in the search for this bug.
    pub fn all_faults(&self) -> Vec<FaultKind> {
        FaultKind::ALL.iter().chain(self.faults).copied().collect()
    }
}
