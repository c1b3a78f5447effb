//! How a stage opens: which world, and at what pace.

use harness::sim::chooser::{Chooser, Random};

use crate::pace::Pace;

/// Makes the decisions of a simulated run, from its seed.
pub type Choosing = fn(u64) -> Box<dyn Chooser>;

/// Which world a scenario plays in.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// In simulation.
    Simulated {
        /// Where ids, salts and decisions come from.
        seed: u64,
        /// Who decides.
        chooser: Choosing,
    },
    /// On real servers.
    Real,
}

impl Kind {
    /// In simulation, with uniformly random decisions.
    pub fn simulated(seed: u64) -> Self {
        Self::Simulated { seed, chooser: |seed| Box::new(Random::new(seed)) }
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
    pub kind: Kind,
    /// What durations mean in it.
    pub pace: Pace,
}
