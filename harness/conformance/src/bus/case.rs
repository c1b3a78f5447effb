//! A case of the bus contract.

use std::time::Duration;

use futures::future::BoxFuture;

use super::fixture::Fixture;
use crate::outcome::Outcome;

/// One rule of the contract, and the way to check it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The rule as a sentence in snake case.
    pub name: &'static str,
    /// The deduplication window that the broker of this case must have.
    pub window: Duration,
    /// Whether the case creates the streams itself.
    bare: bool,
    run: fn(Fixture) -> BoxFuture<'static, Outcome>,
}

impl Case {
    pub(super) const fn new(
        name: &'static str,
        run: fn(Fixture) -> BoxFuture<'static, Outcome>,
    ) -> Self {
        Self { name, window: Duration::from_secs(120), bare: false, run }
    }

    /// The same case on a broker without streams.
    pub(super) const fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    /// The same case on a broker with this deduplication window.
    pub(super) const fn with_window(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Checks the rule on this broker, which must be empty.
    ///
    /// # Errors
    ///
    /// When the adapter deviates from the rule.
    pub async fn run(self, fixture: Fixture) -> Outcome {
        if !self.bare {
            fixture.bus.ensure().await?;
        }
        (self.run)(fixture).await
    }
}

/// A case that is named after its function.
macro_rules! case {
    ($run:ident) => {
        crate::bus::case::Case::new(stringify!($run), |fixture| Box::pin($run(fixture)))
    };
}
pub(super) use case;
