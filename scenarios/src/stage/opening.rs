//! How a stage opens: which world, and at what pace.

use harness::simulated::Simulated;
use harness::system::System;
use harness::world::Operate;
use sim::scheduler::{Random, Scheduler};

use super::{Stage, Wrong};
use crate::pace::Pace;

/// Makes the decisions of a simulated run, from its seed.
pub type Choosing = fn(u64) -> Box<dyn Scheduler>;

/// Which world a scenario plays in.
#[derive(Debug, Clone, Copy)]
pub enum WorldKind {
    /// In simulation.
    Simulated {
        /// Where ids, salts and decisions come from.
        seed: u64,
        /// Who decides.
        scheduler: Choosing,
    },
    /// On real servers.
    Real,
}

impl WorldKind {
    /// In simulation, with uniformly random decisions.
    pub fn simulated(seed: u64) -> Self {
        Self::Simulated { seed, scheduler: |seed| Box::new(Random::new(seed)) }
    }

    /// Its name, as in the tag `@simulated-only`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Simulated { .. } => "simulated",
            Self::Real => "real",
        }
    }

    /// The pace of a scenario with these steps.
    pub fn pace<'a>(&self, steps: impl IntoIterator<Item = &'a str>) -> Pace {
        match self {
            Self::Simulated { .. } => Pace::simulated(),
            Self::Real => Pace::real(steps),
        }
    }
}

/// How a stage opens.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Which world.
    pub kind: WorldKind,
    /// What durations mean in it.
    pub pace: Pace,
}

impl Stage {
    /// Opens a simulated world of the system as `change` leaves it, in which an instance that
    /// crashes by a fault starts again by itself.
    pub fn open_reviving(seed: u64, scheduler: Choosing, change: fn(System) -> System) -> Self {
        let mut stage = Self::dark();
        let mut world = Simulated::start(change(stage.system()), seed, scheduler(seed));
        world.revive();
        stage.revives = true;
        stage.world = Some(Box::new(world));
        stage
    }

    /// Ends all that was broken on purpose, and starts what was stopped; what crashed comes up
    /// by itself first.
    ///
    /// # Errors
    ///
    /// When a service does not start.
    pub async fn reopen(&mut self) -> Result<(), Wrong> {
        self.world().faults().heal();
        self.set_cut(false);
        // What is down for good keeps it from rest until it is started.
        drop(self.world().quiesce().await);
        let down: Vec<_> = self.down().collect();
        for service in down {
            self.world().start(service).await?;
        }
        Ok(())
    }
}
