//! The clients of ticketing: they turn operations into requests and learn ids, sessions and prices
//! from the replies.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use contracts::Cents;
use harness::evidence::{Documents, Facts, field};
use harness::subject::Unprepared;
use harness::trace::RecordKind;
use harness::world::{Reply, World};
use http::{HeaderValue, Method, Request, header};
use ports::Timestamp;
use serde_json::{Value, json};

use crate::model::session::Sessions;
use crate::operation::{ADMINISTRATOR, Operation, Price, address};
use crate::person::Person;
use crate::provider::Provider;

/// The client that never has an account.
const STRANGER: &str = "Visitor";

/// The clients of one run.
#[derive(Debug)]
pub struct Clients {
    people: BTreeMap<String, Person>,
    /// The time of each client's last sign-in.
    signed_in: BTreeMap<String, Timestamp>,
    /// Ticket ids by the title at the listing.
    tickets: BTreeMap<String, String>,
    /// The id of the newest order, by buyer and title.
    orders: BTreeMap<(String, String), String>,
    /// The price in the reply that created an order, by order id.
    pub shown: BTreeMap<String, Cents>,
    /// The payment provider of this run.
    pub provider: Provider,
    /// The listing at the end of the run; `None` if there was no survey.
    pub listing: Option<Listing>,
    /// The time for which an order holds its ticket.
    pub window: Duration,
    /// The most open orders of one user.
    pub max_open_orders: usize,
    /// The parameters of sessions.
    pub sessions: Sessions,
    /// The claim that makes its first presenter an administrator.
    pub admin_claim: String,
}

/// The facts about an operation that were known when it was invoked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// The user id of the client; empty where it has none.
    pub by: String,
    /// The id of the ticket or order that the operation targets; empty for none.
    pub about: String,
    /// The time of the client's last successful sign-in.
    pub signed_in: Option<Timestamp>,
}

/// The tickets for sale in the quiescent system, as a new user sees them.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The ids of the listed tickets.
    pub listed: BTreeSet<String>,
    /// The status of an attempt to reserve each surveyed ticket; `None` for no reply.
    pub offered: BTreeMap<String, Option<u16>>,
}

impl Clients {
    /// No clients yet. Orders hold their ticket for `window`.
    pub fn new(provider: Provider, window: Duration) -> Self {
        Self {
            people: BTreeMap::new(),
            signed_in: BTreeMap::new(),
            tickets: BTreeMap::new(),
            orders: BTreeMap::new(),
            shown: BTreeMap::new(),
            provider,
            listing: None,
            window,
            max_open_orders: usize::MAX,
            sessions: Sessions::default(),
            admin_claim: String::new(),
        }
    }

    /// A client. One that never signed up has its default email address only.
    pub fn person(&self, name: &str) -> Person {
        self.people.get(name).cloned().unwrap_or_else(|| Person::new(address(name)))
    }

    /// Replaces a client.
    pub fn set_person(&mut self, name: &str, person: Person) {
        self.people.insert(name.to_owned(), person);
    }

    /// The id of the ticket with this title.
    pub fn ticket(&self, title: &str) -> Option<&str> {
        self.tickets.get(title).map(String::as_str)
    }

    /// The id of the newest order of this buyer for this ticket.
    pub fn order(&self, buyer: &str, title: &str) -> Option<&str> {
        self.orders.get(&(buyer.to_owned(), title.to_owned())).map(String::as_str)
    }

    /// Remembers an order whose buyer was shown this price.
    pub fn remember_order(&mut self, buyer: &str, title: &str, id: &str, price: Option<Cents>) {
        self.orders.insert((buyer.to_owned(), title.to_owned()), id.to_owned());
        if let Some(price) = price {
            self.shown.insert(id.to_owned(), price);
        }
    }

    fn body_of_listing(title: &str, price: &Price) -> Value {
        let mut listing = json!({ "title": title });
        if !price.0.is_null() {
            listing["price"] = price.0.clone();
        }
        listing
    }
}

#[async_trait(?Send)]
impl harness::subject::Clients for Clients {
    type Operation = Operation;
    type Context = Context;

    async fn prepare(
        &mut self,
        clients: &[String],
        world: &mut dyn World,
    ) -> Result<(), Unprepared> {
        let requests = clients.iter().filter_map(|name| self.request(&Operation::sign_up(name)));
        let replies = world.send(requests.collect()).await;
        for (name, reply) in clients.iter().zip(&replies) {
            self.learn(&Operation::sign_up(name), reply, world.now());
        }
        let administrators = clients.iter().filter(|name| is_administrator(name));
        let claims = administrators
            .filter_map(|name| self.request(&Operation::claim(name, &self.admin_claim)));
        let claims: Vec<_> = claims.collect();
        if !claims.is_empty() {
            world.send(claims).await;
        }
        Ok(())
    }

    fn is_prepared(&self, client: &str) -> bool {
        client == STRANGER || self.people.contains_key(client)
    }

    fn context(&self, operation: &Operation, _: Timestamp) -> Context {
        let about = match operation.plain() {
            Operation::Change { title, .. } | Operation::Reserve { title, .. } => {
                self.ticket(title)
            }
            Operation::Cancel { owner, title, .. }
            | Operation::Pay { owner, title, .. }
            | Operation::LookAtOrder { owner, title, .. } => self.order(owner, title),
            _ => None,
        };
        let who = operation.who();
        let person = self.people.get(who);
        Context {
            by: person.map(|person| person.id.clone()).unwrap_or_default(),
            about: about.unwrap_or_default().to_owned(),
            signed_in: self.signed_in.get(who).copied(),
        }
    }

    fn arrange(&mut self, operation: &Operation, now: Timestamp) -> bool {
        let Operation::Misbehave { how } = operation else { return false };
        self.provider.misbehave(*how, now);
        true
    }

    fn request(&self, operation: &Operation) -> Option<Request<Bytes>> {
        let none = Value::Null;
        let person = self.person(operation.who());
        Some(match operation {
            Operation::SignUp { who, email, password } => {
                let email = email.clone().unwrap_or_else(|| address(who));
                let body = json!({ "email": email, "password": password });
                Person::new(email).request(Method::POST, "/api/users/signup", &body)
            }
            Operation::SignIn { who, email, password } => {
                let email = email.clone().unwrap_or_else(|| address(who));
                let body = json!({ "email": email, "password": password });
                Person::new(email).request(Method::POST, "/api/users/signin", &body)
            }
            Operation::SignOut { .. } => {
                person.request(Method::POST, "/api/users/signout", &json!({}))
            }
            Operation::ChangeAccount { change, .. } => {
                person.request(Method::PATCH, "/api/users/me", change)
            }
            Operation::List { title, price, .. } => {
                let body = Self::body_of_listing(title, price);
                person.request(Method::POST, "/api/tickets", &body)
            }
            Operation::Change { title, to, price, .. } => {
                let path = format!("/api/tickets/{}", self.ticket(title)?);
                person.request(Method::PUT, &path, &Self::body_of_listing(to, price))
            }
            Operation::Reserve { title, .. } => {
                let body = json!({ "ticketId": self.ticket(title)? });
                person.request(Method::POST, "/api/orders", &body)
            }
            Operation::Cancel { owner, title, .. } => {
                let path = format!("/api/orders/{}", self.order(owner, title)?);
                person.request(Method::DELETE, &path, &none)
            }
            Operation::Pay { owner, title, card, .. } => {
                let order = self.order(owner, title)?;
                let body = json!({ "orderId": order, "token": card.token() });
                person.request(Method::POST, "/api/payments", &body)
            }
            Operation::LookAtOrder { owner, title, .. } => {
                let path = format!("/api/orders/{}", self.order(owner, title)?);
                person.request(Method::GET, &path, &none)
            }
            Operation::LookAtOrders { who, query } => {
                let query = with_ids(query, |title| self.order(who, title))?;
                person.request(Method::GET, &with_query("/api/orders", &query), &none)
            }
            Operation::LookAtTicket { title, .. } => {
                let path = format!("/api/tickets/{}", self.ticket(title)?);
                person.request(Method::GET, &path, &none)
            }
            Operation::WhoAmI { .. } => {
                person.request(Method::GET, "/api/users/currentuser", &none)
            }
            Operation::In { manner, operation } => {
                manner.apply(self.request(operation)?, person.former.as_deref())
            }
            Operation::Browse { query, .. } => {
                let query = with_ids(query, |title| self.ticket(title))?;
                person.request(Method::GET, &with_query("/api/tickets", &query), &none)
            }
            Operation::Ban { whom, .. } => {
                let path = format!("/api/users/{}/ban", self.person(whom).id);
                person.request(Method::POST, &path, &none)
            }
            Operation::Unban { whom, .. } => {
                let path = format!("/api/users/{}/ban", self.person(whom).id);
                person.request(Method::DELETE, &path, &none)
            }
            Operation::Misbehave { .. } => return None,
            Operation::Send { method, path, body, .. } => {
                let method = method.parse().ok()?;
                let mut request = person.request(method, path, &none);
                if let Some((kind, text)) = body {
                    let kind = HeaderValue::from_str(kind).ok()?;
                    request.headers_mut().insert(header::CONTENT_TYPE, kind);
                    *request.body_mut() = Bytes::from(text.clone());
                }
                request
            }
        })
    }

    fn learn(&mut self, operation: &Operation, reply: &Reply, now: Timestamp) {
        let who = operation.who();
        let mut person = self.person(who);
        person.absorb(reply);
        let created = reply.status() == Some(201);
        match operation.plain() {
            Operation::SignUp { email, .. } if created => {
                person.email = email.clone().unwrap_or_else(|| address(who));
                self.signed_in.insert(who.to_owned(), now);
            }
            Operation::SignIn { .. } if reply.status() == Some(200) => {
                self.signed_in.insert(who.to_owned(), now);
            }
            Operation::List { title, .. } if created => {
                let id = reply.json()["id"].as_str().unwrap_or_default().to_owned();
                self.tickets.insert(title.clone(), id);
            }
            Operation::Reserve { title, .. } if created => {
                let body = reply.json();
                let id = body["id"].as_str().unwrap_or_default();
                let price = Cents::from_json(&body["ticket"]["price"]);
                self.remember_order(who, title, id, price);
            }
            _ => {}
        }
        self.set_person(who, person);
    }

    fn heal(&mut self) {
        self.provider.heal();
    }

    /// Payments asks again for a pending charge when it is due.
    fn unfinished(&self, documents: &Documents, now: Timestamp) -> Option<Duration> {
        let orders = documents.of("payments", "orders").iter();
        let due = orders.filter_map(|order| order.get_datetime("due").ok()).max()?;
        let wait = due.timestamp_millis().saturating_sub(now.as_millisecond());
        Some(Duration::from_millis(u64::try_from(wait).unwrap_or_default()))
    }

    /// New users list the tickets for sale and try to reserve every ticket, or one in so many after
    /// a long run.
    async fn survey(&mut self, facts: &Facts, world: &mut dyn World) {
        let before = world.now();
        let text = "a new user looks at the tickets for sale, and reserves each".to_owned();
        world.trace().add(before, None, RecordKind::Step { text });
        let tickets = facts.documents.of("tickets", "tickets");
        let tickets: Vec<String> = tickets
            .iter()
            .step_by(tickets.len().div_ceil(SURVEYED).max(1))
            .map(|ticket| field::id(ticket).to_owned())
            .collect();
        // A guest may have few open orders, so there are as many guests as the tickets need.
        let shares: Vec<&[String]> = tickets.chunks(self.max_open_orders).collect();
        let mut guests: Vec<Person> = (0..shares.len().max(1)).map(guest).collect();
        let sign_up = |guest: &Person| {
            let body = json!({ "email": guest.email, "password": PASSWORD_OF_GUEST });
            guest.request(Method::POST, "/api/users/signup", &body)
        };
        let list = guests[0].request(Method::GET, "/api/tickets", &Value::Null);
        let replies = world.send(guests.iter().map(sign_up).chain([list]).collect()).await;
        let Some((listing, signed_up)) = replies.split_last() else { return };
        guests.iter_mut().zip(signed_up).for_each(|(guest, reply)| guest.absorb(reply));
        let Some(mut listed) = page_of(listing) else { return };
        let mut page = listed.len();
        // A page that is full has another one after it.
        while page >= PAGE
            && let Some(last) = listed.last()
        {
            let path = format!("/api/tickets?after={last}");
            let next = guests[0].request(Method::GET, &path, &Value::Null);
            let replies = world.send(vec![next]).await;
            let Some(next) = replies.first().and_then(page_of) else { return };
            page = next.len();
            listed.extend(next);
        }
        let listed = listed.into_iter().collect();
        let reserve = |(guest, share): (&Person, &&[String])| {
            let bodies = share.iter().map(|ticket| json!({ "ticketId": ticket }));
            let requests = bodies.map(|body| guest.request(Method::POST, "/api/orders", &body));
            requests.collect::<Vec<_>>()
        };
        let requests = guests.iter().zip(&shares).flat_map(reserve).collect();
        let replies = world.send(requests).await;
        let offered = tickets.into_iter().zip(replies.iter().map(Reply::status)).collect();
        // If virtual time has passed, a hold may have expired in between.
        if !facts.exact || world.now() == facts.now {
            self.listing = Some(Listing { listed, offered });
        }
    }
}

/// Whether this is the client that claims to be the administrator, before it does anything else.
fn is_administrator(name: &str) -> bool {
    address(name) == address(ADMINISTRATOR)
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A query with the ids of the titles in it; `None` where one is not known yet.
fn with_ids<'c>(query: &str, id: impl Fn(&str) -> Option<&'c str>) -> Option<String> {
    let Some((before, rest)) = query.split_once('{') else { return Some(query.to_owned()) };
    let (title, after) = rest.split_once('}')?;
    Some(format!("{before}{}{after}", id(title)?))
}

/// The most tickets that a survey tries to reserve.
const SURVEYED: usize = 500;

/// The number of tickets on a full page.
const PAGE: usize = 100;

/// The ids of the tickets on a page, in its order; `None` where the reply is not a page.
fn page_of(reply: &Reply) -> Option<Vec<String>> {
    let page = reply.json();
    let ids = page.as_array()?.iter().filter_map(|ticket| ticket["id"].as_str());
    Some(ids.map(str::to_owned).collect())
}

/// The n-th new user of the survey.
fn guest(number: usize) -> Person {
    let number = if number == 0 { String::new() } else { number.to_string() };
    Person::new(format!("guest{number}@example.org"))
}

/// The password of the new users in the survey.
const PASSWORD_OF_GUEST: &str = "password";
