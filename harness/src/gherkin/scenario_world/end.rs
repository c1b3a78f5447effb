//! The end of a scenario: faults are healed, services come back, and the invariants are judged.

use super::{ScenarioWorld, StepError};
use crate::invariants::Violation;
use crate::session::EndError;

impl From<EndError> for StepError {
    fn from(why: EndError) -> Self {
        match why {
            EndError::NotQuiescent(why) => why.into(),
            EndError::Unprepared(why) => why.into(),
            EndError::World(why) => why.into(),
        }
    }
}

impl ScenarioWorld {
    /// Heals all faults, starts the services that are down, and waits for quiescence.
    ///
    /// # Errors
    ///
    /// When the system is not quiescent, or a service does not start.
    pub async fn restore(&mut self) -> Result<(), StepError> {
        self.heal();
        self.start_down().await?;
        self.quiesce().await
    }

    /// Heals all faults, and starts the services that were stopped once those that crashed
    /// have come up by themselves.
    pub(crate) async fn reopen(&mut self) -> Result<(), StepError> {
        self.heal();
        // A service that is down for good prevents quiescence until it is started.
        drop(self.world().quiesce().await);
        self.start_down().await
    }

    fn heal(&mut self) {
        self.world().faults().heal();
        self.set_cut(false);
    }

    /// Starts the services without a running instance.
    async fn start_down(&mut self) -> Result<(), StepError> {
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
        let facts = open.session.conclude(survey).await?;
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
