//! A script: the operations of the clients as plain data. Rounds follow one another; the
//! actions of one round happen at the same moment.
//!
//! Workloads generate scripts, a session carries them out, and shrinking removes parts of
//! them. A script knows no world, no HTTP and no fault.

use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::subject::{AnyOperation, Operation};

/// The operations of all clients, round by round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script<O = AnyOperation> {
    /// The names of the clients that are prepared before the first round.
    pub clients: Vec<String>,
    /// The rounds, in order.
    pub rounds: Vec<Round<O>>,
}

/// Actions at the same moment, and the pause after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round<O = AnyOperation> {
    /// All begin at once.
    pub actions: Vec<Action<O>>,
    /// The pause before the next round.
    pub then: Then,
}

/// One action of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action<O = AnyOperation> {
    /// An operation of a client.
    Do(O),
    /// All instances of a service crash, and one comes up while the other actions go on.
    Restart(String),
    /// One more instance of a service starts before the other actions.
    Scale(String),
}

/// The pause after a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// None: the next round begins as soon as all operations have returned.
    Go,
    /// The system reaches quiescence first.
    Quiesce,
    /// This many seconds pass, and timers that fall due meanwhile fire.
    Pass(u32),
    /// This many seconds pass, and the next round begins at that very moment, concurrently
    /// with the timers that fall due then.
    Meet(u32),
}

impl Then {
    /// The number of seconds that pass at least.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Go | Self::Quiesce => 0,
            Self::Pass(seconds) | Self::Meet(seconds) => seconds,
        }
    }
}

impl<O> Script<O> {
    /// A script of these clients.
    pub fn new(
        clients: impl IntoIterator<Item = impl Into<String>>,
        rounds: Vec<Round<O>>,
    ) -> Self {
        Self { clients: clients.into_iter().map(Into::into).collect(), rounds }
    }

    /// The number of actions.
    pub fn len(&self) -> usize {
        self.rounds.iter().map(|round| round.actions.len()).sum()
    }

    /// Whether there is no action.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same script over another representation of its operations.
    ///
    /// # Errors
    ///
    /// The first error of `map`.
    pub fn try_map<P, E>(self, mut map: impl FnMut(O) -> Result<P, E>) -> Result<Script<P>, E> {
        let mut action = |action| {
            Ok(match action {
                Action::Do(operation) => Action::Do(map(operation)?),
                Action::Restart(service) => Action::Restart(service),
                Action::Scale(service) => Action::Scale(service),
            })
        };
        let mut round = |Round { actions, then }| {
            let actions = actions.into_iter().map(&mut action).collect::<Result<_, E>>()?;
            Ok(Round { actions, then })
        };
        let rounds = self.rounds.into_iter().map(&mut round).collect::<Result<_, E>>()?;
        Ok(Script { clients: self.clients, rounds })
    }
}

impl<O: Operation> Script<O> {
    /// The same script without the type of its operations.
    pub fn erased(self) -> Script {
        self.try_map(|operation| Ok(AnyOperation::new(operation)))
            .unwrap_or_else(|never: Infallible| match never {})
    }
}

impl<O> Round<O> {
    /// One operation, and the pause after it.
    pub fn one(operation: O, then: Then) -> Self {
        Self::of([operation], then)
    }

    /// Operations at the same moment, and the pause after them.
    pub fn of(operations: impl IntoIterator<Item = O>, then: Then) -> Self {
        Self { actions: operations.into_iter().map(Action::Do).collect(), then }
    }

    /// Only a pause.
    pub fn pause(then: Then) -> Self {
        Self { actions: Vec::new(), then }
    }
}

impl<O> Action<O> {
    /// The operation; `None` for an action on a service.
    pub fn operation(&self) -> Option<&O> {
        match self {
            Self::Do(operation) => Some(operation),
            Self::Restart(_) | Self::Scale(_) => None,
        }
    }
}

impl<O> From<O> for Action<O> {
    fn from(operation: O) -> Self {
        Self::Do(operation)
    }
}

impl<O: fmt::Display> fmt::Display for Action<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Do(operation) => operation.fmt(f),
            Self::Restart(service) => write!(f, "{service} crashes and starts again"),
            Self::Scale(service) => write!(f, "one more instance of {service} starts"),
        }
    }
}

/// A script whose operations have not been read by their subject yet.
pub(crate) type RawScript = Script<Value>;
