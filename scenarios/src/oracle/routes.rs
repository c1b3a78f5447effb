//! The allowed answers of each route: the model, asked about every state that a request may have
//! met.

use bson::Document;
use harness::evidence::field::{id, text};
use ports::clock::after;
use ports::entropy::id_time;
use serde_json::{Map, Value};

use super::Court;
use super::exchange::Exchange;
use super::timeline::{Collection, Timeline};
use crate::model::{Answer, Caller, Effect, Rule, auth, input, orders, payments, tickets};

/// The age of a document up to which a service that does not know it yet looks again.
const PROPAGATION: std::time::Duration = std::time::Duration::from_secs(2);

/// The age of a document up to which its event may be late.
const LATENESS: std::time::Duration = std::time::Duration::from_secs(600);

/// A state of a document; `None` where it does not exist.
type State<'a> = Option<&'a Document>;

impl<'a> Court<'a> {
    /// The answers that the contract allows to a request.
    pub(super) fn allowed(&self, exchange: &Exchange<'a>) -> Vec<Answer> {
        let path: Vec<&str> = exchange.path.split('/').skip(1).collect();
        match (exchange.method, &path[..]) {
            ("POST", ["api", "users", "signup"]) => self.sign_up(exchange),
            ("POST", ["api", "users", "signin"]) => self.sign_in(exchange),
            ("POST", ["api", "users", "signout"]) => self.sign_out(exchange),
            ("GET", ["api", "users", "currentuser"]) => {
                let callers = self.callers(exchange).into_iter();
                callers.map(|caller| auth::current(caller.as_ref())).collect()
            }
            ("PATCH", ["api", "users", "me"]) => {
                self.signed_in(exchange, Rule::AccountSession, |by| self.edit_account(exchange, by))
            }
            ("POST", ["api", "users", "me", "admin"]) => {
                self.signed_in(exchange, Rule::ClaimSession, |by| self.claim(exchange, by))
            }
            ("POST" | "DELETE", ["api", "users", user, "ban"]) => {
                self.signed_in(exchange, Rule::BanSession, |by| self.ban(exchange, by, user))
            }
            ("POST", ["api", "tickets"]) => {
                self.signed_in(exchange, Rule::ListSession, |by| self.list(exchange, by))
            }
            ("GET", ["api", "tickets"]) => self.tickets_for_sale(exchange),
            ("GET", ["api", "tickets", ticket]) => {
                let states = |ticket: &str| self.states(&self.timelines.tickets, ticket, exchange);
                with_id(ticket, Rule::TicketId, |ticket| {
                    states(ticket).into_iter().map(tickets::show).collect()
                })
            }
            ("PUT", ["api", "tickets", ticket]) => {
                self.signed_in(exchange, Rule::EditSession, |by| self.edit(exchange, by, ticket))
            }
            ("POST", ["api", "orders"]) => {
                self.signed_in(exchange, Rule::ReserveSession, |by| self.reserve(exchange, by))
            }
            ("GET", ["api", "orders"]) => {
                let page = |by: &Caller| self.orders_of(exchange, by);
                self.signed_in(exchange, Rule::OrderPageSession, page)
            }
            ("GET", ["api", "orders", order]) => {
                self.signed_in(exchange, Rule::OrderSession, |by| {
                    with_id(order, Rule::OrderId, |order| {
                        let states = self.states(&self.timelines.orders, order, exchange);
                        states.into_iter().map(|order| orders::show(by, order)).collect()
                    })
                })
            }
            ("DELETE", ["api", "orders", order]) => {
                self.signed_in(exchange, Rule::CancelSession, |by| {
                    with_id(order, Rule::CancelId, |order| {
                        let states = self.states(&self.timelines.orders, order, exchange);
                        states.into_iter().map(|order| orders::cancel(by, order)).collect()
                    })
                })
            }
            ("POST", ["api", "payments"]) => {
                self.signed_in(exchange, Rule::PaySession, |by| self.pay(exchange, by))
            }
            _ => vec![Answer::not_found(Rule::UnknownRoute)],
        }
    }

    /// The states of a document that a request may have met: if it wrote the document, the one
    /// before its first write.
    fn states(&self, all: &Collection<'a>, id: &str, exchange: &Exchange<'a>) -> Vec<State<'a>> {
        let Some(timeline) = all.get(id) else { return vec![None] };
        if let Some(write) = exchange.writes.first() {
            return vec![timeline.before(write.document)];
        }
        visible(timeline, exchange)
    }

    /// The document that the request created.
    fn created(&self, all: &Collection<'a>, exchange: &Exchange<'a>) -> State<'a> {
        let write = exchange.writes.first()?;
        let timeline = all.get(id(write.document))?;
        timeline.before(write.document).is_none().then_some(write.document)
    }

    fn sign_up(&self, exchange: &Exchange<'a>) -> Vec<Answer> {
        with_input(exchange, |body| {
            with_fields(Rule::SignUpInput, auth::sign_up_input(body), || {
                let address = auth::address(input::text(body, "email"));
                let mut answers = Vec::new();
                if let Some(user) = self.created(&self.timelines.users, exchange) {
                    let new = (id(user), text(user, "password"));
                    answers.push(auth::sign_up(body, new));
                }
                let is_taken = self.users_with(&address, exchange).iter().any(Option::is_some);
                answers.extend(is_taken.then(|| auth::taken(Rule::SignUpTaken)));
                answers
            })
        })
    }

    fn sign_in(&self, exchange: &Exchange<'a>) -> Vec<Answer> {
        with_input(exchange, |body| {
            with_fields(Rule::SignInInput, auth::sign_in_input(body), || {
                let password = auth::password(input::text(body, "password"));
                let address = auth::address(input::text(body, "email"));
                let answer = |user: &State<'_>| {
                    let right = user.is_some_and(|user| self.is_right(user, &password));
                    auth::sign_in(*user, right)
                };
                self.users_with(&address, exchange).iter().map(answer).collect()
            })
        })
    }

    fn sign_out(&self, exchange: &Exchange<'a>) -> Vec<Answer> {
        let answers = |caller: Option<Caller>| match caller {
            Some(caller) => {
                let states = self.states(&self.timelines.users, &caller.id, exchange);
                states.into_iter().map(auth::sign_out).collect()
            }
            None => vec![auth::sign_out(None)],
        };
        self.callers(exchange).into_iter().flat_map(answers).collect()
    }

    /// The states of the user with this address; `None` where it may be free.
    fn users_with(&self, address: &str, exchange: &Exchange<'a>) -> Vec<State<'a>> {
        let ids = self.timelines.users_of.get(address).into_iter().flatten();
        let mut states: Vec<State<'_>> = Vec::new();
        let mut is_free = true;
        for user in ids.filter_map(|id| self.timelines.users.get(id)) {
            let has = |user: &State<'_>| user.is_some_and(|u| text(u, "emailKey") == address);
            let seen = visible(user, exchange);
            is_free &= !seen.iter().all(has);
            states.extend(seen.into_iter().filter(has));
        }
        states.extend(is_free.then_some(None));
        states
    }

    /// Whether this is the user's password. It is unknown for a password that no request of this
    /// run has set.
    fn is_right(&self, user: &Document, password: &str) -> bool {
        self.passwords.get(text(user, "password")).is_some_and(|known| known == password)
    }

    fn edit_account(&self, exchange: &Exchange<'a>, by: &Caller) -> Vec<Answer> {
        with_input(exchange, |body| {
            with_fields(Rule::AccountInput, auth::edit_input(body), || {
                let current = auth::password(input::text(body, "currentPassword"));
                let users = &self.timelines.users;
                let write = exchange.writes.first().map(|write| write.document);
                let hash = write.map_or("", |user| text(user, "password"));
                let states = self.states(users, &by.id, exchange);
                let edit = |user: State<'_>, right| auth::edit(user, body, right, hash);
                let right = |user: State<'_>| user.is_some_and(|u| self.is_right(u, &current));
                let mut answers: Vec<Answer> =
                    states.iter().map(|user| edit(*user, right(*user))).collect();
                let changes = users.get(&*by.id).map(|user| visible(user, exchange).len());
                if exchange.writes.is_empty() && changes.unwrap_or_default() > 1 {
                    // The password was changed after it was verified, perhaps to the same one.
                    answers.extend(states.iter().map(|user| edit(*user, false)));
                }
                let address = auth::address(input::text(body, "email"));
                let others = self.users_with(&address, exchange).into_iter().flatten();
                if others.into_iter().any(|user| id(user) != by.id) {
                    answers.push(auth::taken(Rule::AccountTaken));
                }
                answers
            })
        })
    }

    fn claim(&self, exchange: &Exchange<'a>, by: &Caller) -> Vec<Answer> {
        with_input(exchange, |body| {
            let claim = &*self.evidence.clients.admin_claim;
            let digest = auth::digest(claim);
            let owns = |user: &State<'_>| user.is_some_and(|user| text(user, "claim") == digest);
            let users = &self.timelines.users;
            let mut others = users.iter().filter(|(id, _)| **id != by.id);
            let is_used = others.any(|(_, user)| visible(user, exchange).iter().any(owns));
            let states = self.states(users, &by.id, exchange);
            let answer =
                |used: bool| states.iter().map(move |user| auth::claim(*user, body, claim, used));
            // Another request may get the claim, or have got it, in between.
            answer(false).chain(answer(true).filter(|_| is_used)).collect()
        })
    }

    fn ban(&self, exchange: &Exchange<'a>, by: &Caller, user: &str) -> Vec<Answer> {
        with_id(user, Rule::BanId, |user| {
            let users = &self.timelines.users;
            let ban = exchange.method == "POST";
            let callers = users.get(&*by.id).map_or(vec![None], |user| visible(user, exchange));
            let states = self.states(users, user, exchange);
            let claim = &*self.evidence.clients.admin_claim;
            let answers = callers.iter().flat_map(|caller| {
                states.iter().map(move |user| auth::ban(*caller, *user, ban, claim))
            });
            answers.collect()
        })
    }

    fn list(&self, exchange: &Exchange<'a>, by: &Caller) -> Vec<Answer> {
        with_input(exchange, |body| {
            let (listing, bad) = tickets::listing(body);
            with_fields(Rule::ListInput, bad, || {
                let ticket = self.created(&self.timelines.tickets, exchange);
                let create = |ticket| tickets::create(by, &listing, id(ticket));
                ticket.map(create).into_iter().collect()
            })
        })
    }

    fn edit(&self, exchange: &Exchange<'a>, by: &Caller, ticket: &str) -> Vec<Answer> {
        with_id(ticket, Rule::EditId, |ticket| {
            with_input(exchange, |body| {
                let (listing, bad) = tickets::listing(body);
                with_fields(Rule::EditInput, bad, || {
                    let states = self.states(&self.timelines.tickets, ticket, exchange);
                    let edit = |ticket| tickets::edit(by, &listing, ticket);
                    states.into_iter().map(edit).collect()
                })
            })
        })
    }

    fn reserve(&self, exchange: &Exchange<'a>, by: &Caller) -> Vec<Answer> {
        with_input(exchange, |body| {
            let ticket = input::text(body, "ticketId");
            if !input::is_id(ticket) {
                return vec![Answer::invalid(Rule::ReserveInput, &[("ticketId", None)])];
            }
            let ticket = ticket.to_ascii_lowercase();
            let copies = self.timelines.ticket_copies.get(&*ticket);
            let copies = copies.map_or(vec![None], |copy| visible(copy, exchange));
            let mut answers = Vec::new();
            let limit = self.evidence.clients.max_open_orders;
            let (certain, possible) = self.open_orders(by, exchange);
            if possible >= limit {
                answers.push(orders::too_many());
            }
            let created = self.created(&self.timelines.orders, exchange);
            if let Some(order) = created.filter(|_| certain < limit) {
                let at = created_at(order, exchange);
                let number = |field| order.get_i64(field).unwrap_or_default();
                let identity = (id(order), number("fence"), number("slot"));
                let window = self.evidence.clients.window;
                let reserve = |ticket| orders::reserve(by, ticket, identity, at, window);
                answers.extend(copies.iter().copied().flatten().map(reserve));
            }
            let ids = self.timelines.orders_of.get(&*ticket).into_iter().flatten();
            let mut others = ids.filter_map(|order| self.timelines.orders.get(order));
            // An order of this request does not justify its own refusal.
            let mine = exchange.writes.first().map(|write| id(write.document));
            let is_held = others.any(|order| {
                let seen = visible(order, exchange).into_iter().flatten();
                seen.into_iter().any(|o| orders::is_holding(o) && Some(id(o)) != mine)
            });
            // The order that has bought a ticket may have left before the copy of the ticket.
            let is_sold = copies.iter().flatten().any(|copy| {
                let order = self.timelines.orders.get(text(copy, "orderId"));
                let left = order.and_then(|order| order.left(exchange.returned.mark));
                left.is_some_and(orders::is_holding)
            });
            answers.extend((is_held || is_sold).then(orders::reserved));
            if copies.contains(&None) {
                let (unknown, late) = (orders::unknown_ticket(), orders::late_ticket());
                answers.extend(missing(&ticket, exchange, unknown, late));
            }
            answers
        })
    }

    /// How many orders of a user, other than that of the request, were open during the whole of a
    /// request, and at any point of it.
    fn open_orders(&self, by: &Caller, exchange: &Exchange<'a>) -> (usize, usize) {
        let mine = exchange.writes.first().map(|write| id(write.document));
        let (mut certain, mut possible) = (0, 0);
        for order in self.timelines.orders_by.get(&*by.id).into_iter().flatten() {
            let Some(timeline) = self.timelines.orders.get(order) else { continue };
            let is_open = |order: &State<'_>| order.is_some_and(orders::is_open);
            let seen = visible(timeline, exchange);
            let other = Some(*order) != mine;
            certain += usize::from(other && seen.iter().all(is_open));
            possible += usize::from(other && seen.iter().any(is_open));
        }
        (certain, possible)
    }

    fn pay(&self, exchange: &Exchange<'a>, by: &Caller) -> Vec<Answer> {
        with_input(exchange, |body| {
            let (order, _, bad) = payments::input(body);
            if !bad.is_empty() {
                return vec![Answer::invalid(Rule::PayInput, &bad)];
            }
            let copies = self.timelines.order_copies.get(&*order);
            let states = copies.map_or(vec![None], |copy| visible(copy, exchange));
            let mut answers = vec![payments::unanswered()];
            if states.contains(&None) {
                answers.extend(missing(&order, exchange, payments::unknown(), payments::late()));
            }
            let concluded = |write: &super::exchange::Write<'_>| {
                payments::charge(write.document).is_some_and(|c| text(c, "status") == "completed")
            };
            let mine = exchange.writes.iter().any(concluded);
            for order in states.iter().copied().flatten() {
                answers.extend(payments::refuse(by, order));
                if text(order, "userId") == by.id {
                    let answer = payments::respond(order, mine);
                    answers.extend(answer.map(|a| Answer { effect: Effect::Judged, ..a }));
                }
            }
            answers
        })
    }
}

/// The states of a document that were visible during a request.
pub(super) fn visible<'a>(timeline: &Timeline<'a>, exchange: &Exchange<'_>) -> Vec<State<'a>> {
    timeline.visible((exchange.invoked.mark, exchange.returned.mark)).collect()
}

/// The answers of a service that has no copy of a document: `unknown` for an old or invented id,
/// and `late` for a recent one, after the service has looked again for a while.
fn missing(id: &str, exchange: &Exchange<'_>, unknown: Answer, late: Answer) -> Vec<Answer> {
    let (from, to) = (exchange.invoked.at, exchange.returned.at);
    let Some(created) = id_time(id).filter(|&created| created <= after(to, PROPAGATION)) else {
        return vec![unknown];
    };
    let may_be_unknown = to >= after(created, LATENESS) || created > after(from, PROPAGATION);
    let may_be_late = from < after(created, LATENESS) && to >= after(created, PROPAGATION);
    let answers = [(may_be_unknown, unknown), (may_be_late, late)];
    answers.into_iter().filter(|(may, _)| *may).map(|(_, answer)| answer).collect()
}

/// The creation time of an order, if it is within its request; otherwise the end of the request.
fn created_at(order: &Document, exchange: &Exchange<'_>) -> ports::Timestamp {
    let at = order.get_datetime("createdAt").map_or(0, |at| at.timestamp_millis());
    let (from, to) = (exchange.invoked.at.as_millisecond(), exchange.returned.at.as_millisecond());
    let at = ports::Timestamp::from_millisecond(at).ok();
    let within = |at: &ports::Timestamp| (from..=to).contains(&at.as_millisecond());
    at.filter(within).unwrap_or(exchange.returned.at)
}

/// The answers to a route with an id in its path.
fn with_id(id: &str, rule: Rule, answers: impl Fn(&str) -> Vec<Answer>) -> Vec<Answer> {
    if input::is_id(id) {
        answers(&id.to_ascii_lowercase())
    } else {
        vec![Answer::invalid(rule, &[("id", None)])]
    }
}

/// The answers to a route with a body.
fn with_input(
    exchange: &Exchange<'_>,
    answers: impl Fn(&Map<String, Value>) -> Vec<Answer>,
) -> Vec<Answer> {
    match input::object(exchange.headers, exchange.body) {
        Ok(body) => answers(&body),
        Err(answer) => vec![*answer],
    }
}

/// The answers for each set of bad fields; an empty one stands for good input.
fn with_fields(
    rule: Rule,
    bad: Vec<Vec<input::Bad>>,
    answers: impl Fn() -> Vec<Answer>,
) -> Vec<Answer> {
    let of_set = |bad: Vec<input::Bad>| match &bad[..] {
        [] => answers(),
        bad => vec![Answer::invalid(rule, bad)],
    };
    bad.into_iter().flat_map(of_set).collect()
}
