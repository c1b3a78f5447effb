//! Carries out a script in a world and gathers the evidence.
//!
//! It judges nothing. How a run ends, healed and at rest, is in `ending.rs`.

mod ending;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use contracts::Cents;
use harness::quiescence::NotQuiescent;
use harness::trace::RecordKind;
use harness::world::{Reply, World, WorldError};
use http::{Method, Request};
use platform::run::Policy;
use ports::Timestamp;
use serde_json::{Value, json};

use crate::client::Person;
use crate::invariants::Evidence;
use crate::invariants::evidence::Told;
use crate::provider::Provider;
use crate::script::{self, Act, Script, Then};

pub use ending::{come_to_rest, conclude, rest};

/// Why a performance gave no evidence.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PerformError {
    /// The system did not come to rest: a finding.
    #[error(transparent)]
    NotQuiescent(#[from] NotQuiescent),
    /// The harness failed.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// The one who may ban.
const ADMINISTRATOR: &str = "admin@example.org";

/// Carries out the script, lets everything play out, and gathers the evidence.
///
/// Rest is not enough for that: a charge whose answer was lost is asked for again in a while,
/// by the sweep at the latest.
///
/// # Errors
///
/// When the system does not come to rest, or the world fails.
pub async fn play(
    script: &Script,
    world: &mut dyn World,
    provider: &Provider,
    exact: bool,
) -> Result<Evidence, PerformError> {
    let mut company = Company::sign_up(script, world).await?;
    company.play(script, world).await?;
    conclude(&company, world, provider, &Policy::default(), exact).await
}

/// The address of somebody of this number.
fn address(who: u8) -> String {
    format!("{}@example.org", script::name(who).to_lowercase().replace(' ', "."))
}

/// The people of a script and what they know.
#[derive(Debug)]
pub struct Company {
    people: Vec<Person>,
    administrator: Option<Person>,
    tickets: BTreeMap<u8, String>,
    orders: BTreeMap<(u8, u8), String>,
    shown: BTreeMap<String, Cents>,
    told: Vec<Told>,
    /// When each was told that they are signed in.
    signed_in: Vec<Option<Timestamp>>,
    rounds: usize,
    performed: Vec<Performed>,
}

/// An act that was carried out.
#[derive(Debug, Clone)]
pub struct Performed {
    /// How many records there were before it.
    pub mark: usize,
    /// In which round, from 0.
    pub round: usize,
    /// What was done.
    pub act: Act,
    /// What the person was told; `None` where there was nothing to be told.
    pub told: Option<Reply>,
}

impl Company {
    /// Signs everybody up, and the administrator where the script needs one.
    ///
    /// # Errors
    ///
    /// When the system does not come to rest.
    pub async fn sign_up(script: &Script, world: &mut dyn World) -> Result<Self, PerformError> {
        Self::gather(script.people, script.is_administrated(), world).await
    }

    /// Signs up this many people, and the administrator after them where they need one.
    ///
    /// # Errors
    ///
    /// When the system does not come to rest.
    pub async fn gather(
        people: u8,
        administrated: bool,
        world: &mut dyn World,
    ) -> Result<Self, PerformError> {
        let mut people: Vec<_> = (0..people).map(|who| Person::new(address(who))).collect();
        people.extend(administrated.then(|| Person::new(ADMINISTRATOR)));
        let requests = people.iter().map(|person| {
            let body = json!({ "email": person.email, "password": "password" });
            person.request(Method::POST, "/api/users/signup", &body)
        });
        let replies = world.send(requests.collect()).await;
        for (person, reply) in people.iter_mut().zip(&replies) {
            person.absorb(reply);
        }
        let mut signed_in = vec![None; people.len()];
        for (since, reply) in signed_in.iter_mut().zip(&replies) {
            *since = (reply.status() == Some(201)).then(|| world.now());
        }
        world.quiesce().await?;
        let administrator = if administrated { people.pop() } else { None };
        Ok(Self {
            people,
            administrator,
            tickets: BTreeMap::new(),
            orders: BTreeMap::new(),
            shown: BTreeMap::new(),
            told: Vec::new(),
            signed_in,
            rounds: 0,
            performed: Vec::new(),
        })
    }

    /// Carries out the rounds of a script.
    ///
    /// # Errors
    ///
    /// When a service does not start.
    pub async fn play(&mut self, script: &Script, world: &mut dyn World) -> Result<(), WorldError> {
        for round in &script.rounds {
            self.act(&round.acts, world).await?;
            then(round.then, world).await;
        }
        Ok(())
    }

    /// All acts that were carried out since this was last asked, in order.
    pub fn take_performed(&mut self) -> Vec<Performed> {
        std::mem::take(&mut self.performed)
    }

    /// The ids of the tickets that were listed, by number.
    pub fn tickets(&self) -> &BTreeMap<u8, String> {
        &self.tickets
    }

    /// The ids of the newest orders, by buyer and ticket.
    pub fn orders(&self) -> &BTreeMap<(u8, u8), String> {
        &self.orders
    }

    /// The price that each order's buyer was shown, by order id.
    pub fn shown(&self) -> &BTreeMap<String, Cents> {
        &self.shown
    }

    /// Somebody of the company.
    pub fn person(&self, who: u8) -> Option<&Person> {
        self.people.get(usize::from(who))
    }

    /// Carries out the acts at the same moment. An act that makes no sense here, such as
    /// paying without an order, is left out.
    ///
    /// # Errors
    ///
    /// When a service does not start.
    pub async fn act(&mut self, acts: &[Act], world: &mut dyn World) -> Result<(), WorldError> {
        let round = self.rounds;
        self.rounds += 1;
        let mut sent = Vec::new();
        let mut requests = Vec::new();
        for act in acts {
            match *act {
                Act::Restart { service } => world.restart(script::service(service)).await?,
                Act::Scale { service } => world.start(script::service(service)).await?,
                _ => {}
            }
            let request = self.request(act);
            if request.is_none() && !matches!(act, Act::Restart { .. } | Act::Scale { .. }) {
                continue;
            }
            let mark = world.trace().len();
            world.trace().add(world.now(), None, RecordKind::Step { text: act.to_string() });
            if let Some(request) = request {
                sent.push(self.performed.len());
                requests.push(request);
            }
            self.performed.push(Performed { mark, round, act: *act, told: None });
        }
        let (at, asked) = (world.now(), world.trace().len());
        let mut asking: Vec<Told> = sent
            .iter()
            .map(|&nth: &usize| self.asking(&self.performed[nth].act, at, asked))
            .collect();
        let replies = world.send(requests).await;
        let (now, answered) = (world.now(), world.trace().len());
        for ((at, told), reply) in sent.into_iter().zip(&mut asking).zip(replies) {
            (told.until, told.answered) = (now, answered);
            (told.status, told.body) = (reply.status(), reply.json());
            self.learn(&told.act, &reply, now);
            self.performed[at].told = Some(reply);
        }
        self.told.append(&mut asking);
        Ok(())
    }

    /// What somebody is about to do, as far as it is known before the answer.
    fn asking(&self, act: &Act, at: Timestamp, asked: usize) -> Told {
        let mut known = *act;
        let who = match act {
            // Who acts here is the administrator, the last of those who signed up.
            Act::Ban { .. } | Act::Unban { .. } => Some(self.people.len()),
            _ => known.who_mut().map(|who| usize::from(*who)),
        };
        let about = match *act {
            Act::Edit { ticket, .. } | Act::Reserve { ticket, .. } => self.tickets.get(&ticket),
            Act::Cancel { who, ticket } | Act::Pay { who, ticket, .. } => {
                self.orders.get(&(who, ticket))
            }
            _ => None,
        };
        let person = who.and_then(|who| self.people.get(who));
        Told {
            act: *act,
            by: person.map(|person| person.id.clone()).unwrap_or_default(),
            about: about.cloned().unwrap_or_default(),
            at,
            until: at,
            signed_in: who.and_then(|who| self.signed_in.get(who).copied().flatten()),
            asked,
            answered: asked,
            status: None,
            body: Value::Null,
        }
    }

    fn request(&self, act: &Act) -> Option<Request<Bytes>> {
        let none = Value::Null;
        let listing = |ticket, price: Cents| json!({ "title": script::title(ticket), "price": price.to_json() });
        Some(match *act {
            Act::List { who, ticket, price } => {
                self.person(who)?.request(Method::POST, "/api/tickets", &listing(ticket, price))
            }
            Act::Edit { who, ticket, price } => {
                let path = format!("/api/tickets/{}", self.tickets.get(&ticket)?);
                self.person(who)?.request(Method::PUT, &path, &listing(ticket, price))
            }
            Act::Reserve { who, ticket } => {
                let body = json!({ "ticketId": self.tickets.get(&ticket)? });
                self.person(who)?.request(Method::POST, "/api/orders", &body)
            }
            Act::Cancel { who, ticket } => {
                let path = format!("/api/orders/{}", self.orders.get(&(who, ticket))?);
                self.person(who)?.request(Method::DELETE, &path, &none)
            }
            Act::Pay { who, ticket, good } => {
                let token = if good { "tok_visa" } else { "tok_chargeDeclined" };
                let body = json!({ "orderId": self.orders.get(&(who, ticket))?, "token": token });
                self.person(who)?.request(Method::POST, "/api/payments", &body)
            }
            Act::Ban { who } => {
                let path = format!("/api/users/{}/ban", self.person(who)?.id);
                self.administrator.as_ref()?.request(Method::POST, &path, &none)
            }
            Act::Unban { who } => {
                let path = format!("/api/users/{}/ban", self.person(who)?.id);
                self.administrator.as_ref()?.request(Method::DELETE, &path, &none)
            }
            Act::Look { who } => self.person(who)?.request(Method::GET, "/api/orders", &none),
            Act::SignIn { who } => {
                let person = self.person(who)?;
                let body = json!({ "email": person.email, "password": "password" });
                Person::new(person.email.as_str()).request(Method::POST, "/api/users/signin", &body)
            }
            Act::Join { who } => {
                let body = json!({ "email": address(who), "password": "password" });
                Person::default().request(Method::POST, "/api/users/signup", &body)
            }
            Act::Restart { .. } | Act::Scale { .. } => return None,
        })
    }

    fn learn(&mut self, act: &Act, reply: &Reply, now: Timestamp) {
        if let Act::SignIn { who } = *act
            && let Some(person) = self.people.get_mut(usize::from(who))
        {
            if reply.status() == Some(200) {
                self.signed_in[usize::from(who)] = Some(now);
            }
            return person.absorb(reply);
        }
        if reply.status() != Some(201) {
            return;
        }
        let body = reply.json();
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        match *act {
            Act::List { ticket, .. } => {
                self.tickets.insert(ticket, id);
            }
            Act::Reserve { who, ticket } => {
                if let Some(price) = Cents::from_json(&body["ticket"]["price"]) {
                    self.shown.insert(id.clone(), price);
                }
                self.orders.insert((who, ticket), id);
            }
            _ => {}
        }
    }
}

/// What comes after a round.
pub async fn then(then: Then, world: &mut dyn World) {
    match then {
        Then::Go => {}
        // While things go wrong it need not come to rest; at the end it must.
        Then::Settle => drop(world.quiesce().await),
        Then::Pass(seconds) => world.pass(Duration::from_secs(seconds.into())).await,
        Then::Meet(seconds) => world.pass_to(Duration::from_secs(seconds.into())).await,
    }
}
