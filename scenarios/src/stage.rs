//! What a scenario plays on: a world, the people and things in it by the names that the
//! scenario gives them, and the answers of the last step.
//!
//! It carries out and remembers; whether what it sees is right, the steps say. It knows no
//! Gherkin.

pub mod act;
pub mod answers;
pub mod opening;
mod people;
mod script;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use contracts::Cents;
use harness::quiescence::NotQuiescent;
use harness::real;
use harness::system::System;
use harness::world::{Reply, World, WorldError};
use http::Method;
use serde_json::Value;
use sim::kernel::Kernel;
use ticketing::{SERVICES, Settings};

use crate::client::Person;
use crate::pace::Pace;
use crate::perform::Company;
use crate::provider::Provider;
use crate::system;

pub use act::Act;
pub use answers::Answered;
pub use opening::{Choosing, Opening, WorldKind};
use script::Simulation;

/// Why a step fails, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl Wrong {
    /// Nothing, where this holds.
    ///
    /// # Errors
    ///
    /// This text, where it does not.
    pub fn unless(holds: bool, why: impl FnOnce() -> String) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self(why())) }
    }
}

impl From<WorldError> for Wrong {
    fn from(error: WorldError) -> Self {
        Self(error.to_string())
    }
}

impl From<NotQuiescent> for Wrong {
    fn from(stuck: NotQuiescent) -> Self {
        Self(stuck.to_string())
    }
}

/// What a scenario plays on.
#[derive(cucumber::World)]
#[world(init = Self::dark)]
pub struct Stage {
    world: Option<Box<dyn World>>,
    /// Of a simulated world, what it opened with and its kernel.
    simulation: Option<Simulation>,
    kernel: Option<Kernel>,
    exact: bool,
    /// Whether what crashes by a fault starts again by itself.
    revives: bool,
    provider: Provider,
    pace: Pace,
    people: BTreeMap<String, Person>,
    tickets: BTreeMap<String, String>,
    orders: BTreeMap<(String, String), String>,
    answered: Vec<Answered>,
    cut: bool,
    /// The people of a script, where one is played.
    company: Option<Company>,
    /// Whether the scenario has said a seed of its own.
    seeded: bool,
    /// The price that each buyer was shown in the answer to a reservation, by order id.
    pub shown: BTreeMap<String, Cents>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("tickets", &self.tickets)
            .field("orders", &self.orders)
            .field("answered", &self.answered)
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// A stage on which nothing plays yet.
    fn dark() -> Self {
        Self {
            world: None,
            simulation: None,
            kernel: None,
            exact: true,
            revives: false,
            provider: Provider::new(&Settings::rehearsal().provider.key),
            pace: Pace::simulated(),
            people: BTreeMap::new(),
            tickets: BTreeMap::new(),
            orders: BTreeMap::new(),
            answered: Vec::new(),
            cut: false,
            company: None,
            seeded: false,
            shown: BTreeMap::new(),
        }
    }

    /// Opens a world with one instance of each service.
    ///
    /// # Errors
    ///
    /// When the real servers are not there or a service does not start.
    pub async fn open(opening: &Opening) -> Result<Self, WorldError> {
        let mut stage = Self::dark();
        stage.pace = opening.pace.clone();
        match opening.kind {
            WorldKind::Simulated { seed, scheduler } => {
                stage.simulation = Some(Simulation { seed, scheduler, bug: None });
                stage.simulate().map_err(|why| WorldError::other(why.to_string()))?;
            }
            WorldKind::Real => {
                stage.exact = false;
                let system = stage.system();
                let servers = servers::shared().await?;
                stage.world = Some(Box::new(real::Real::start(system, servers).await?));
            }
        }
        Ok(stage)
    }

    /// The system at this stage's pace, with its provider.
    fn system(&self) -> System {
        let mut settings =
            Settings { reservation_window: self.pace.window, ..Settings::rehearsal() };
        settings.session.lifetime = self.pace.lifetime;
        system::with(&self.provider, &settings, self.pace.policy.clone())
    }

    /// The world.
    pub fn world(&mut self) -> &mut dyn World {
        &mut **self.world.as_mut().expect("a scenario begins with an open stage")
    }

    /// Whether a world was opened and not ended.
    pub fn is_open(&self) -> bool {
        self.world.is_some()
    }

    /// Whether the order of the trace is exactly the order in which things took effect.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The payment provider of this world.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// What durations mean in this world.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Lets this much time pass, as the scenario writes it.
    pub async fn pass(&mut self, written: Duration) {
        let time = self.pace.of(written);
        self.world().pass(time).await;
    }

    /// Lets everything that was caused play out, unless something is out of reach or down:
    /// then there is no rest to wait for.
    ///
    /// # Errors
    ///
    /// What keeps it from rest.
    pub async fn settle(&mut self) -> Result<(), Wrong> {
        // Where instances come up by themselves, one that is down for good is waited for in
        // vain, and the world says so.
        if self.cut || (!self.revives && self.is_disturbed()) {
            return Ok(());
        }
        match self.world().quiesce().await {
            // A service that crashed on plan meanwhile is for a later step to start.
            Err(stuck) if !self.is_disturbed() => Err(stuck.into()),
            _ => Ok(()),
        }
    }

    /// Remembers that something is out of reach from now on, or that nothing is any more.
    pub fn set_cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    fn is_disturbed(&mut self) -> bool {
        self.cut || self.down().next().is_some()
    }

    /// The services without a running instance.
    pub fn down(&self) -> impl Iterator<Item = &'static str> {
        let world = self.world.as_deref().expect("a scenario begins with an open stage");
        SERVICES.iter().map(|entry| entry.name).filter(|name| world.instances(name) == 0)
    }

    /// Ends all that was broken on purpose, and lets the system come to rest.
    ///
    /// # Errors
    ///
    /// What keeps it from rest, or a service that does not start.
    pub async fn restore(&mut self) -> Result<(), Wrong> {
        self.world().faults().heal();
        self.cut = false;
        let down: Vec<_> = self.down().collect();
        for service in down {
            self.world().start(service).await?;
        }
        self.settle().await
    }

    /// Does all of this at the same moment, each by somebody who has signed up before.
    ///
    /// # Errors
    ///
    /// When something is done to what the scenario has not named.
    pub async fn act(&mut self, acts: Vec<(String, Act)>) -> Result<(), Wrong> {
        let new = acts.iter().filter(|(_, act)| !matches!(act, Act::SignUp { .. }));
        let names: Vec<String> = new.map(|(who, _)| who.clone()).collect();
        self.meet(&names).await?;
        let requests: Result<Vec<_>, _> =
            acts.iter().map(|(who, act)| self.request(who, act)).collect();
        let replies = self.world().send(requests?).await;
        self.answered.clear();
        for ((who, act), reply) in acts.into_iter().zip(replies) {
            self.learn(&who, &act, &reply);
            self.answered.push(Answered { who, act, reply });
        }
        Ok(())
    }

    /// Does this, which must go well, and lets it play out.
    ///
    /// # Errors
    ///
    /// When it does not go well.
    pub async fn done(&mut self, who: &str, act: Act) -> Result<(), Wrong> {
        self.act(vec![(who.to_owned(), act)]).await?;
        for answered in &self.answered {
            answered.success()?;
        }
        self.settle().await
    }

    /// Looks something up; the answers of the last step stay.
    pub async fn look(&mut self, who: &str, path: &str) -> Reply {
        let person = self.person(who);
        let request = person.request(Method::GET, path, &Value::Null);
        let mut replies = self.world().send(vec![request]).await;
        replies.pop().expect("a request has a reply")
    }

    /// The answers of the last step that did something.
    pub fn answered(&self) -> &[Answered] {
        &self.answered
    }

    /// The id of the ticket with this title.
    ///
    /// # Errors
    ///
    /// When the scenario has listed none.
    pub fn ticket(&self, title: &str) -> Result<&str, Wrong> {
        let id = self.tickets.get(title).map(String::as_str);
        id.ok_or_else(|| Wrong(format!("nobody has listed {title:?}")))
    }

    /// The id of the newest order of this buyer and ticket.
    ///
    /// # Errors
    ///
    /// When they have none.
    pub fn order(&self, buyer: &str, title: &str) -> Result<&str, Wrong> {
        let id = self.orders.get(&(buyer.to_owned(), title.to_owned())).map(String::as_str);
        id.ok_or_else(|| Wrong(format!("{buyer} has no order of {title:?}")))
    }

    /// Remembers an order that its buyer was shown at this price.
    pub fn remember_order(&mut self, buyer: &str, title: &str, id: &str, price: Option<Cents>) {
        self.orders.insert((buyer.to_owned(), title.to_owned()), id.to_owned());
        if let Some(price) = price {
            self.shown.insert(id.to_owned(), price);
        }
    }

    /// Ends the world.
    pub async fn end(&mut self) {
        if let Some(mut world) = self.world.take() {
            world.end().await;
        }
    }
}
