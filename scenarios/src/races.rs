//! Races on real servers: the seed decides the script, and the servers the schedule.
//!
//! In simulation a race is a [`crate::case`].

use std::ops::Range;
use std::sync::Arc;

use harness::real::Real;
use harness::trace::Record;
use harness::world::{Inspect, World, WorldError};
use platform::run::Policy;
use ticketing::Settings;

use crate::invariants::violations;
use crate::perform::{PerformError, play};
use crate::provider::Provider;
use crate::simulate::WINDOW;
use crate::system::system;
use crate::workloads;

/// A race in which a promise was broken.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which race.
    pub seed: u64,
    /// What was broken, a sentence each.
    pub how: Vec<String>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
}

/// Runs the races of these seeds on real servers, one after the other.
///
/// # Errors
///
/// When servers cannot be had or the harness fails.
pub async fn run_all(seeds: Range<u64>, done: impl Fn()) -> Result<Vec<Finding>, WorldError> {
    let servers = servers::shared().await?;
    let scripts = workloads::race_without_time();
    let mut found = Vec::new();
    for seed in seeds {
        let provider = Provider::new(&Settings::rehearsal().provider.key);
        let system = system(&provider, WINDOW, Policy::default());
        let mut world = Real::start(system, servers).await?;
        let how = match play(&scripts.draw(seed), &mut world, &provider, false).await {
            Ok(evidence) => violations(&evidence).iter().map(ToString::to_string).collect(),
            Err(PerformError::NotQuiescent(stuck)) => vec![stuck.to_string()],
            Err(PerformError::World(error)) => return Err(error),
        };
        if !how.is_empty() {
            found.push(Finding { seed, how, trace: world.trace().records() });
        }
        world.end().await;
        done();
    }
    Ok(found)
}
