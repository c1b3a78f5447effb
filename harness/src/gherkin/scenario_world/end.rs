//! The end of a scenario: faults are healed, services come back, and the invariants are judged.

use super::{ScenarioWorld, StepError};
use crate::invariants::Violation;
use crate::session::EndError;

impl ScenarioWorld {
    /// Heals all faults, starts the services that are down, and waits for quiescence.
    ///
    /// # Errors
    ///
    /// When the system is not quiescent, or a service does not start.
    pub async fn restore(&mut self) -> Result<(), StepError> {
        self.world().faults().heal();
        self.set_cut(false);
        for service in self.down() {
            self.world().start(service).await?;
        }
        self.quiesce().await
    }

    /// Heals all faults, and starts the services that were stopped once those that crashed
    /// have come up by themselves.
    pub(crate) async fn reopen(&mut self) -> Result<(), StepError> {
        self.world().faults().heal();
        self.set_cut(false);
        // A service that is down for good prevents quiescence until it is started.
        drop(self.world().quiesce().await);
        for service in self.down() {
            self.world().start(service).await?;
        }
        Ok(())
    }

    /// Ends the run and returns the violations.
    ///
    /// # Errors
    ///
    /// When the system does not reach quiescence.
    pub async fn judge(&mut self) -> Result<Vec<Violation>, StepError> {
        self.judge_with(true).await
    }

    /// The same; `survey` says whether the clients inspect the quiescent system.
    pub(crate) async fn judge_with(&mut self, survey: bool) -> Result<Vec<Violation>, StepError> {
        let open = self.inner_mut();
        let facts = match open.session.conclude(survey).await {
            Ok(facts) => facts,
            Err(EndError::NotQuiescent(why)) => return Err(why.into()),
            Err(EndError::Unprepared(why)) => return Err(why.into()),
            Err(EndError::World(why)) => return Err(why.into()),
        };
        let violations = open.session.judge(&open.subject, &facts);
        open.concluded = Some(violations.clone());
        Ok(violations)
    }

    /// The violations in the system as it is now; those at the end of the run where a step has
    /// ended it, because the survey changes the system.
    ///
    /// # Errors
    ///
    /// When the world cannot be read.
    pub(crate) async fn judge_now(&mut self) -> Result<Vec<Violation>, StepError> {
        let open = self.inner_mut();
        if let Some(violations) = &open.concluded {
            return Ok(violations.clone());
        }
        let facts = open.session.facts().await?;
        Ok(open.session.judge(&open.subject, &facts))
    }
}
