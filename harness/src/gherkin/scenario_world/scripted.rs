//! The beginning of a scripted run: its seed, its planted bug, its settings and its clients.

use sim::scheduler::Fifo;

use super::{ScenarioWorld, StepError, WorldKind};
use crate::session::Session;
use crate::settings::{SettingError, Value};
use crate::trace::Trace;

impl ScenarioWorld {
    /// Reopens the world with this seed, in FIFO order.
    ///
    /// # Errors
    ///
    /// On real servers, or when something has happened already.
    pub async fn set_seed(&mut self, seed: u64) -> Result<(), StepError> {
        self.only_simulated()?;
        self.inner_mut().kind = WorldKind::Simulated { seed, scheduler: |_| Box::new(Fifo) };
        self.inner_mut().seeded = true;
        self.reopen_planned().await
    }

    /// Reopens the world with this bug planted.
    ///
    /// # Errors
    ///
    /// On real servers, when something has happened already, or when there is no such bug.
    pub async fn plant(&mut self, bug: &str) -> Result<(), StepError> {
        self.only_simulated()?;
        self.inner_mut().bug = Some(bug.to_owned());
        self.reopen_planned().await
    }

    /// Reopens the world with this value of a setting.
    ///
    /// # Errors
    ///
    /// On real servers, when something has happened already, or when there is no such setting or
    /// value.
    pub async fn set(&mut self, setting: &str, value: &str) -> Result<(), StepError> {
        self.only_simulated()?;
        let open = self.inner_mut();
        let failed = |why: SettingError| StepError::new(why.to_string());
        let value = Value::try_from(value.to_owned()).map_err(failed)?;
        open.settings.set_named(open.subject.settings(), setting, value).map_err(failed)?;
        self.reopen_planned().await
    }

    async fn reopen_planned(&mut self) -> Result<(), StepError> {
        let open = self.inner_mut();
        StepError::unless(open.session.history().calls().is_empty() && !open.scripted, || {
            "this step must precede all steps that act".to_owned()
        })?;
        open.session.end().await;
        let WorldKind::Simulated { seed, scheduler } = open.kind else { return Ok(()) };
        let bug = open.bug.as_deref();
        open.session =
            Session::simulated(&open.subject, bug, &open.settings, seed, Trace::default())?;
        open.session.set_scheduler(scheduler(seed));
        Ok(())
    }

    /// Prepares these clients and starts a scripted run: its steps say when to quiesce, and an
    /// instance that a fault crashes starts again by itself.
    ///
    /// # Errors
    ///
    /// When a client cannot be prepared.
    pub async fn prepare(&mut self, clients: &[String]) -> Result<(), StepError> {
        let open = self.inner_mut();
        open.session.prepare(clients).await?;
        open.session.world().revive();
        open.scripted = true;
        if let WorldKind::Simulated { seed, scheduler } = open.kind {
            open.session.set_scheduler(scheduler(seed));
        }
        Ok(())
    }
}
