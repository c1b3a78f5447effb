//! A stand-in for the payment provider: Stripe's Charges and Refunds API as it is documented, with
//! a ledger.
//!
//! It is a state machine without sockets, clock or randomness: a request comes with its time, so
//! the same requests get the same responses. The simulation and the mock server of the real world
//! ask the same one. It can be made to misbehave ([`Misbehavior`]). Invariants compare its ledger
//! with the charges in the services.
//!
//! A request under an idempotency key takes effect when it arrives. A charge or refund that is
//! pending ends at its time, whether anybody asks or not.

mod form;
mod ledger;
pub mod misbehavior;
mod reply;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use harness::time_scale::TimeScale;
use http::{Method, Request, Response, header};
use parking_lot::{Mutex, MutexGuard};
use ports::Timestamp;
use ports::clock::after;
use serde_json::Value;

pub use ledger::{LedgerCharge, LedgerRefund, Status};

use form::Form;
use misbehavior::Misbehavior;
use reply::Reply;

/// The age at which an idempotency key is forgotten.
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The outcome of a request.
#[derive(Debug)]
pub enum Answer {
    /// A response of any status, after this time.
    Response(Response<Bytes>, Duration),
    /// The request was carried out, but its response is lost.
    Lost,
    /// The connection was refused, so the provider has not seen the request.
    Refused,
}

/// The provider. Clones share their state.
#[derive(Debug, Clone)]
pub struct Provider(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The secret key that requests must carry.
    key: String,
    time: TimeScale,
    /// The time of the latest request.
    now: Timestamp,
    charges: Vec<LedgerCharge>,
    charge_ids: u64,
    refund_ids: u64,
    remembered: BTreeMap<String, Remembered>,
    planned: Vec<Misbehavior>,
    /// The end of the time for which connections are refused.
    down_until: Timestamp,
    /// How often it was made to misbehave.
    misbehaviors: usize,
}

/// The request and response of an idempotency key.
#[derive(Debug)]
struct Remembered {
    path: String,
    form: Form,
    reply: Reply,
    since: Timestamp,
    /// The time until which the request is in progress.
    until: Timestamp,
}

impl Provider {
    /// A provider with an empty ledger that accepts this secret key.
    pub fn new(key: &str, time: &TimeScale) -> Self {
        Self(Arc::new(Mutex::new(State {
            key: key.to_owned(),
            time: time.clone(),
            now: Timestamp::UNIX_EPOCH,
            charges: Vec::new(),
            charge_ids: 0,
            refund_ids: 0,
            remembered: BTreeMap::new(),
            planned: Vec::new(),
            down_until: Timestamp::UNIX_EPOCH,
            misbehaviors: 0,
        })))
    }

    /// Carries out a request that arrives at this time.
    pub fn answer(&self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        let mut state = self.state();
        state.advance(now);
        if now < state.down_until {
            return Answer::Refused;
        }
        let path = request.uri().path();
        let is_replay = state.remembered.contains_key(text(request, "idempotency-key"));
        let applies = |next: &Misbehavior| next.applies(request.method(), path, is_replay);
        let next = state.planned.iter().position(applies);
        let misbehavior = next.map(|at| state.planned.remove(at));
        let respond = |reply: Reply| Answer::Response(reply.response(false), Duration::ZERO);
        match misbehavior {
            Some(Misbehavior::Unavailable) => respond(Reply::unavailable()),
            Some(Misbehavior::RateLimited) => respond(Reply::rate_limited()),
            Some(Misbehavior::LosesResponse) => {
                state.answer(request, None);
                Answer::Lost
            }
            misbehavior => {
                let (reply, is_replayed) = state.answer(request, misbehavior);
                let time = match misbehavior {
                    Some(Misbehavior::Slow(_)) if !is_replayed => state.time_of(misbehavior),
                    _ => Duration::ZERO,
                };
                Answer::Response(reply.response(is_replayed), time)
            }
        }
    }

    /// All charges as of the latest request, oldest first.
    pub fn charges(&self) -> Vec<LedgerCharge> {
        self.state().charges.clone()
    }

    /// Changes the ledger, for tests of invariants.
    #[cfg(test)]
    pub(crate) fn amend_ledger(&self, change: impl FnOnce(&mut Vec<LedgerCharge>)) {
        change(&mut self.state().charges);
    }

    /// Misbehaves at the next request to which this applies, or from now on for a while. Several
    /// misbehaviors queue up.
    pub fn misbehave(&self, how: Misbehavior, now: Timestamp) {
        let mut state = self.state();
        state.misbehaviors += 1;
        match how {
            Misbehavior::Down(_) => {
                let until = after(now, state.time_of(Some(how)));
                state.down_until = state.down_until.max(until);
            }
            _ => state.planned.push(how),
        }
    }

    /// How often it was made to misbehave.
    pub fn misbehaviors(&self) -> usize {
        self.state().misbehaviors
    }

    /// Ends all that is pending, as if its time had come.
    pub fn settle(&self) {
        let mut state = self.state();
        state.charges.iter_mut().for_each(|charge| charge.settle(Timestamp::MAX));
    }

    /// Ends all misbehavior, and all that is pending.
    pub fn heal(&self) {
        let mut state = self.state();
        state.planned.clear();
        state.down_until = Timestamp::UNIX_EPOCH;
        drop(state);
        self.settle();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let (now, lifetime) = (self.now, self.time.deadline(KEY_LIFETIME));
        self.remembered.retain(|_, known| now < after(known.since, lifetime));
        self.charges.iter_mut().for_each(|charge| charge.settle(now));
    }

    /// The duration of a misbehavior in this world.
    fn time_of(&self, misbehavior: Option<Misbehavior>) -> Duration {
        misbehavior.map_or(Duration::ZERO, |how| self.time.of(how.duration()))
    }

    /// Answers a request; true for the replay of a response that was kept under the key.
    fn answer(&mut self, request: &Request<Bytes>, how: Option<Misbehavior>) -> (Reply, bool) {
        let authorization = text(request, header::AUTHORIZATION.as_str());
        if authorization.strip_prefix("Bearer ") != Some(&self.key) {
            return (Reply::unauthorized(), false);
        }
        let path = request.uri().path();
        match (request.method(), path) {
            (&Method::GET, _) => (self.read(request).unwrap_or_else(|refused| refused), false),
            (&Method::POST, "/v1/charges" | "/v1/refunds") => self.post(request, how),
            (method, _) => (Reply::unknown_route(method, path), false),
        }
    }

    /// Carries out a POST, or replays the response that is kept under its key. What fails
    /// validation is not kept, and the key can be used again.
    fn post(&mut self, request: &Request<Bytes>, how: Option<Misbehavior>) -> (Reply, bool) {
        let (path, form) = (request.uri().path(), Form::read(request.body()));
        let key = text(request, "idempotency-key");
        if let Some(known) = self.remembered.get(key) {
            return match known {
                known if (known.path.as_str(), &known.form) != (path, &form) => {
                    (Reply::key_of_other_parameters(key), false)
                }
                known if self.now < known.until => (Reply::key_in_use(key), false),
                known => (known.reply.clone(), true),
            };
        }
        let executed = match how {
            Some(Misbehavior::KeepsError) => Ok(Reply::internal()),
            _ if path == "/v1/charges" => self.charge(&form, key, how),
            _ => self.refund(&form, how),
        };
        let reply = match (executed, how) {
            (Err(refused), _) => return (refused, false),
            (Ok(_), Some(Misbehavior::KeepsErrorOfSuccess)) => Reply::internal(),
            (Ok(reply), _) => reply,
        };
        if !key.is_empty() {
            let since = self.now;
            let slow = how.filter(|how| matches!(how, Misbehavior::Slow(_)));
            let until = after(since, self.time_of(slow));
            let (path, reply) = (path.to_owned(), reply.clone());
            self.remembered.insert(key.to_owned(), Remembered { path, form, reply, since, until });
        }
        (reply, false)
    }

    fn charge(&mut self, form: &Form, key: &str, how: Option<Misbehavior>) -> Result<Reply, Reply> {
        form.only(&["amount", "currency", "source", "description", "metadata"])?;
        let amount = form.amount()?;
        let currency = form.currency()?;
        let source = form.required("source")?;
        if !matches!(source, "tok_visa" | "tok_chargeDeclined") {
            return Err(Reply::missing("token", source, "source"));
        }
        self.charge_ids += 1;
        let id = format!("ch_{:024}", self.charge_ids);
        let is_declined = source == "tok_chargeDeclined";
        let status = match how {
            _ if is_declined => Status::Failed,
            Some(Misbehavior::ChargeSucceedsLater(_)) => {
                Status::pending(self.now, self.time_of(how), true)
            }
            Some(Misbehavior::ChargeFailsLater(_)) => {
                Status::pending(self.now, self.time_of(how), false)
            }
            _ => Status::Succeeded,
        };
        let charge = LedgerCharge {
            id,
            order_id: form.get("metadata[orderId]").unwrap_or_default().to_owned(),
            amount,
            status,
            was_pending: matches!(status, Status::Pending { .. }),
            refunds: Vec::new(),
            disputed: false,
            idempotency_key: key.to_owned(),
            currency,
            metadata: form.metadata(),
            created: self.now,
        };
        let reply =
            if is_declined { Reply::declined(&charge.id) } else { Reply::ok(charge.json()) };
        self.charges.push(charge);
        Ok(reply)
    }

    fn refund(&mut self, form: &Form, how: Option<Misbehavior>) -> Result<Reply, Reply> {
        form.only(&["charge", "reason", "metadata"])?;
        let id = form.required("charge")?;
        let (now, time) = (self.now, self.time_of(how));
        let charge = self.charges.iter_mut().find(|charge| charge.id == id);
        let charge = charge.ok_or_else(|| Reply::missing("charge", id, "charge"))?;
        let mut add = |charge: &mut LedgerCharge, status| {
            self.refund_ids += 1;
            let id = format!("re_{:024}", self.refund_ids);
            charge.refunds.push(LedgerRefund { id, status, created: now });
        };
        if charge.status != Status::Succeeded {
            let message = format!("Charge {id} has not succeeded, so it cannot be refunded.");
            return Err(Reply::invalid(None, &message, Some("charge")));
        }
        match how {
            Some(Misbehavior::Disputed) if charge.refunds.is_empty() => charge.disputed = true,
            Some(Misbehavior::RefundedByHand) if charge.refunds.is_empty() => {
                add(charge, Status::Succeeded);
            }
            _ => {}
        }
        if charge.disputed {
            let message = format!("Charge {id} has been charged back; cannot issue a refund.");
            return Err(Reply::invalid(Some("charge_disputed"), &message, None));
        }
        if charge.refunds.iter().any(|refund| refund.status != Status::Failed) {
            let message = format!("Charge {id} has already been refunded.");
            return Err(Reply::invalid(Some("charge_already_refunded"), &message, None));
        }
        let status = match how {
            Some(Misbehavior::RefundSucceedsLater(_)) => Status::pending(now, time, true),
            Some(Misbehavior::RefundFailsLater(_)) => Status::pending(now, time, false),
            _ => Status::Succeeded,
        };
        add(charge, status);
        let refund = charge.refunds.last().expect("the refund was added");
        Ok(Reply::ok(refund.json(charge)))
    }

    /// Answers a GET: one object, or a page of a list. What a list shows is up to date; Stripe's
    /// search by metadata is not, and is not offered here.
    fn read(&self, request: &Request<Bytes>) -> Result<Reply, Reply> {
        let path = request.uri().path();
        let query = Form::read(request.uri().query().unwrap_or_default().as_bytes());
        let refunds = || {
            let charges = self.charges.iter();
            charges.flat_map(|charge| charge.refunds.iter().map(move |refund| (charge, refund)))
        };
        match path.strip_prefix("/v1/").and_then(|path| path.split_once('/')) {
            Some(("charges", id)) => {
                let charge = self.charges.iter().find(|charge| charge.id == id);
                let charge = charge.ok_or_else(|| Reply::not_found("charge", id))?;
                Ok(Reply::ok(charge.json()))
            }
            Some(("refunds", id)) => {
                let found = refunds().find(|(_, refund)| refund.id == id);
                let (charge, refund) = found.ok_or_else(|| Reply::not_found("refund", id))?;
                Ok(Reply::ok(refund.json(charge)))
            }
            None if path == "/v1/charges" => {
                query.only(&["created[gte]", "created[lte]", "limit", "starting_after"])?;
                let (from, to) = (query.time("created[gte]")?, query.time("created[lte]")?);
                let fits = |charge: &&LedgerCharge| {
                    let created = charge.created.as_second();
                    from.is_none_or(|from| from <= created) && to.is_none_or(|to| created <= to)
                };
                let charges = self.charges.iter().rev().filter(fits);
                Self::list(&query, path, charges.map(LedgerCharge::json).collect())
            }
            None if path == "/v1/refunds" => {
                query.only(&["charge", "limit", "starting_after"])?;
                let of =
                    |charge: &LedgerCharge| query.get("charge").is_none_or(|id| charge.id == id);
                let mut found: Vec<_> = refunds().filter(|(charge, _)| of(charge)).collect();
                found.sort_by(|(_, one), (_, other)| other.id.cmp(&one.id));
                let found = found.iter().map(|(charge, refund)| refund.json(charge));
                Self::list(&query, path, found.collect())
            }
            _ => Err(Reply::unknown_route(request.method(), path)),
        }
    }

    /// The page of these objects that the query asks for.
    fn list(query: &Form, path: &str, mut objects: Vec<Value>) -> Result<Reply, Reply> {
        let limit = query.limit()?;
        if let Some(last) = query.get("starting_after") {
            let at = objects.iter().position(|object| object["id"] == last);
            let at = at.ok_or_else(|| Reply::missing("object", last, "starting_after"))?;
            objects.drain(..=at);
        }
        Ok(Reply::ok(ledger::page(path, objects, limit)))
    }
}

/// The value of a header; empty for none.
fn text<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
