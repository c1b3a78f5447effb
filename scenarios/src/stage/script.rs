//! A script on the stage: what [`crate::simulate`] does with a case, line by line, with the
//! same company, so that a scenario can repeat a found run to the last decision.
//!
//! Once a company is there, nothing plays out unless a line says so.

use std::time::Duration;

use harness::simulated::Simulated;
use sim::scheduler::{Decision, Fifo, Replay};

use super::opening::Choosing;
use super::{Stage, Wrong};
use crate::invariants::{Evidence, Violation, violations};
use crate::perform::{self, Company};
use crate::script::{self, Act, Then};
use crate::simulate;

/// What a simulation opens with.
#[derive(Debug, Clone)]
pub(super) struct Simulation {
    pub(super) seed: u64,
    pub(super) scheduler: Choosing,
    /// The planted bug in it.
    pub(super) bug: Option<String>,
}

impl Stage {
    /// Begins anew with this seed, and with calls in the polite order.
    ///
    /// # Errors
    ///
    /// On real servers, or when something has happened already.
    pub async fn set_seed(&mut self, seed: u64) -> Result<(), Wrong> {
        let simulation = self.simulation.as_mut().ok_or_else(only_simulated)?;
        simulation.seed = seed;
        simulation.scheduler = |_| Box::new(Fifo);
        self.seeded = true;
        self.begin_anew().await
    }

    /// Begins anew with this bug in the system.
    ///
    /// # Errors
    ///
    /// On real servers, when something has happened already, or when there is no such bug.
    pub async fn plant(&mut self, bug: &str) -> Result<(), Wrong> {
        let simulation = self.simulation.as_mut().ok_or_else(only_simulated)?;
        simulation.bug = Some(bug.to_owned());
        self.begin_anew().await
    }

    async fn begin_anew(&mut self) -> Result<(), Wrong> {
        Wrong::unless(self.people.is_empty() && self.company.is_none(), || {
            "this must be said before anything happens".to_owned()
        })?;
        self.end().await;
        self.simulate()
    }

    /// Opens the simulated world.
    pub(super) fn simulate(&mut self) -> Result<(), Wrong> {
        let Simulation { seed, scheduler, bug } =
            self.simulation.clone().ok_or_else(only_simulated)?;
        let system = simulate::plant(bug.as_deref(), self.system())?;
        let world = Simulated::start(system, seed, scheduler(seed));
        self.kernel = Some(world.kernel().clone());
        self.world = Some(Box::new(world));
        Ok(())
    }

    /// Signs up the people of a script. From now on nothing plays out unless a line says so,
    /// and an instance that a fault brings down starts again by itself.
    ///
    /// # Errors
    ///
    /// When the system does not come to rest.
    pub async fn assemble(&mut self, people: u8, administrated: bool) -> Result<(), Wrong> {
        let company = Company::gather(people, administrated, self.world()).await;
        self.company = Some(company.map_err(|why| Wrong(why.to_string()))?);
        self.world().revive();
        self.introduce();
        if let Some(kernel) = &self.kernel {
            let (seed, scheduler) = self
                .simulation
                .as_ref()
                .map(|s| (s.seed, s.scheduler))
                .expect("a kernel is there only in simulation");
            kernel.set_scheduler(scheduler(seed));
        }
        Ok(())
    }

    /// Whether what is caused plays out after each line by itself. So it does, but in a script:
    /// from the seed on, if a company follows.
    pub fn plays_out_by_itself(&self) -> bool {
        let awaits_company = self.seeded && self.people.is_empty();
        !self.is_scripted() && !awaits_company
    }

    /// Whether a company is on the stage.
    pub fn is_scripted(&self) -> bool {
        self.company.is_some()
    }

    /// From here on, calls go on in the polite order but for these decisions.
    ///
    /// # Errors
    ///
    /// On real servers.
    pub fn turn(&mut self, turns: Vec<(u32, Decision)>) -> Result<(), Wrong> {
        let kernel = self.kernel.as_ref().ok_or_else(only_simulated)?;
        kernel.set_scheduler(Box::new(Replay::new(turns)));
        Ok(())
    }

    /// The company does all of this at the same moment.
    ///
    /// # Errors
    ///
    /// When there is no company, or a service does not start.
    pub async fn play(&mut self, acts: &[Act]) -> Result<(), Wrong> {
        let world = self.world.as_deref_mut().expect("a scenario begins with an open stage");
        let company = self.company.as_mut().ok_or_else(nobody)?;
        company.act(acts, world).await?;
        self.introduce();
        Ok(())
    }

    /// What comes after a round of the company.
    pub async fn then(&mut self, then: Then) {
        perform::then(then, self.world()).await;
    }

    /// Lets this much time pass, and leaves what falls due at its end to the next line.
    pub async fn pass_to(&mut self, written: Duration) {
        let time = self.pace.of(written);
        self.world().pass_to(time).await;
    }

    /// Heals everything, lets the system come to rest, and returns the promises that were
    /// broken.
    ///
    /// # Errors
    ///
    /// When there is no company, or the system does not come to rest.
    pub async fn judge(&mut self) -> Result<Vec<Violation>, Wrong> {
        let exact = self.exact;
        let world = self.world.as_deref_mut().expect("a scenario begins with an open stage");
        let company = self.company.as_ref().ok_or_else(nobody)?;
        let evidence: Evidence =
            perform::conclude(company, world, &self.provider, &self.pace.policy, exact)
                .await
                .map_err(|why| Wrong(why.to_string()))?;
        Ok(violations(&evidence))
    }

    /// Makes people, tickets and orders of the company known by their names.
    fn introduce(&mut self) {
        let Some(company) = &self.company else { return };
        for who in 0..=u8::MAX {
            let Some(person) = company.person(who) else { break };
            self.people.insert(script::name(who), person.clone());
        }
        for (&ticket, id) in company.tickets() {
            self.tickets.insert(script::title(ticket), id.clone());
        }
        for (&(who, ticket), id) in company.orders() {
            self.orders.insert((script::name(who), script::title(ticket)), id.clone());
        }
        self.shown.clone_from(company.shown());
    }
}

fn only_simulated() -> Wrong {
    Wrong("this can be had in simulation only: tag the scenario @simulated-only".to_owned())
}

fn nobody() -> Wrong {
    Wrong("there is no company: say who it is first".to_owned())
}
