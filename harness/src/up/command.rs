//! The commands of the console.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::faults::{FaultRule, Port};
use crate::story::fault::NotAFault;
use crate::subject::AnySubject;
use crate::world::WorldError;

/// The greatest factor of virtual time to real time.
const MAX_SPEED: u32 = 600;

/// The most time that is skipped at once.
const MAX_SKIP: Duration = Duration::from_secs(24 * 60 * 60);

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Command {
    /// Time passes.
    Play,
    /// Nothing happens.
    Pause,
    /// The next pending call goes on; the world pauses.
    Step,
    /// The factor of virtual time to real time.
    Speed {
        /// 1 is real time.
        factor: u32,
    },
    /// Lets this much time pass at once.
    Skip {
        /// The time, in seconds.
        seconds: u64,
    },
    /// Crashes all instances of a service; none replaces them.
    Crash {
        /// Its name.
        service: String,
    },
    /// Starts one more instance.
    Start {
        /// The service.
        service: String,
    },
    /// Crashes all instances and starts one.
    Restart {
        /// The service.
        service: String,
    },
    /// Cuts a service off from a port, until faults are healed.
    Cut {
        /// Its name.
        service: String,
        /// The port.
        port: Port,
    },
    /// Plans the fault of a sentence.
    Inject {
        /// The sentence.
        sentence: String,
    },
    /// Ends all cuts, and drops the faults that were not injected yet.
    Heal,
}

/// A command about time, for a world whose clock is virtual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    Play,
    Pause,
    Step,
    Speed { factor: u32 },
    Skip { seconds: u64 },
}

/// Why a command is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// There is no service of this name.
    #[error("there is no service {0}")]
    NoService(String),
    /// The speed is out of range.
    #[error("the speed is between 1 and {MAX_SPEED}")]
    Speed,
    /// The time is out of range.
    #[error("at most a day can be skipped at once")]
    Skip,
    /// The sentence describes no fault.
    #[error(transparent)]
    Sentence(#[from] NotAFault),
    /// A fault that is injected zero times.
    #[error("a fault happens once at least")]
    Never,
    /// The world refuses.
    #[error(transparent)]
    World(#[from] WorldError),
    /// No call is pending and no timer is set.
    #[error("there is nothing left to happen")]
    Nothing,
    /// Time is real.
    #[error("real time cannot be paused, skipped or sped up: these servers run on the real clock")]
    RealTime,
    /// Real servers cannot do it.
    #[error(
        "this fault exists in simulation only: real servers keep the real clock, and what they \
         have synced to disk"
    )]
    SimulatedOnly,
    /// The world has ended.
    #[error("the system has ended")]
    Ended,
}

impl Command {
    /// The command about time that this is.
    pub(super) fn clock(&self) -> Option<Clock> {
        Some(match *self {
            Self::Play => Clock::Play,
            Self::Pause => Clock::Pause,
            Self::Step => Clock::Step,
            Self::Speed { factor } => Clock::Speed { factor },
            Self::Skip { seconds } => Clock::Skip { seconds },
            _ => return None,
        })
    }

    /// Checks that the command makes sense for this subject.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub(super) fn check(&self, subject: &AnySubject) -> Result<(), Refused> {
        match self {
            Self::Crash { service }
            | Self::Start { service }
            | Self::Restart { service }
            | Self::Cut { service, .. } => known(subject, service),
            _ => Ok(()),
        }
    }
}

impl Clock {
    /// Checks that the command makes sense.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub(super) fn check(&self) -> Result<(), Refused> {
        match self {
            Self::Speed { factor } if !(1..=MAX_SPEED).contains(factor) => Err(Refused::Speed),
            Self::Skip { seconds } if Duration::from_secs(*seconds) > MAX_SKIP => {
                Err(Refused::Skip)
            }
            _ => Ok(()),
        }
    }
}

/// The fault of a sentence.
///
/// # Errors
///
/// When it describes none, or no service has the name in it.
pub(super) fn rule(subject: &AnySubject, sentence: &str) -> Result<FaultRule, Refused> {
    let rule = subject.sentences().rule(sentence.trim())?;
    if let Some(service) = &rule.service {
        known(subject, service)?;
    }
    if rule.times == 0 { Err(Refused::Never) } else { Ok(rule) }
}

fn known(subject: &AnySubject, service: &str) -> Result<(), Refused> {
    let is_known = subject.topology().has(service);
    if is_known { Ok(()) } else { Err(Refused::NoService(service.to_owned())) }
}
