//! A fake of the payment provider: Stripe's Charges and Refunds API, with a ledger.
//!
//! It is a state machine without sockets, clock or randomness, so the same requests in the same
//! order get the same responses. Tests can make it fail or lose responses. Invariants compare its
//! ledger with the charges in the services.

mod form;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};

use form::Form;

/// The outcome of a request.
#[derive(Debug)]
pub enum Answer {
    /// A response of any status.
    Response(Response<Bytes>),
    /// The request was carried out, but its response is lost.
    Lost,
    /// The connection was refused, so the provider has not seen the request.
    Refused,
}

/// A charge that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCharge {
    /// The provider's id of the charge.
    pub id: String,
    /// The order id in `metadata[orderId]`; empty for none.
    pub order_id: String,
    /// In cents.
    pub amount: i64,
    /// Whether it was refunded.
    pub refunded: bool,
    /// The idempotency key of the request; empty for none.
    pub idempotency_key: String,
}

/// The provider. Clones share their state.
#[derive(Debug, Clone)]
pub struct Provider(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The secret key that requests must carry.
    key: String,
    charges: Vec<LedgerCharge>,
    /// The number of charge ids given out, also to declined charges.
    charge_ids: u64,
    refund_ids: u64,
    remembered: BTreeMap<String, Remembered>,
    failures: VecDeque<Failure>,
    refuses: bool,
}

/// The request and response of an idempotency key.
#[derive(Debug)]
struct Remembered {
    path: String,
    form: Form,
    status: StatusCode,
    body: Value,
}

/// The failure of one request.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Fail,
    LoseResponse,
}

/// A status and a body. Only an `executed` reply is remembered under the idempotency key; after a
/// failed validation the key can be used again.
struct Reply {
    status: StatusCode,
    body: Value,
    executed: bool,
}

impl Provider {
    /// A provider with an empty ledger that accepts this secret key.
    pub fn new(key: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            key: key.to_owned(),
            charges: Vec::new(),
            charge_ids: 0,
            refund_ids: 0,
            remembered: BTreeMap::new(),
            failures: VecDeque::new(),
            refuses: false,
        })))
    }

    /// Carries out one request.
    pub fn answer(&self, request: &Request<Bytes>) -> Answer {
        let mut state = self.state();
        if state.refuses {
            return Answer::Refused;
        }
        match state.failures.pop_front() {
            None => Answer::Response(state.answer(request)),
            Some(Failure::Fail) => Answer::Response(respond(&unavailable(), false)),
            Some(Failure::LoseResponse) => {
                state.answer(request);
                Answer::Lost
            }
        }
    }

    /// All charges that succeeded, oldest first.
    pub fn charges(&self) -> Vec<LedgerCharge> {
        self.state().charges.clone()
    }

    /// Changes the ledger, for tests of invariants.
    #[cfg(test)]
    pub(crate) fn amend_ledger(&self, change: impl FnOnce(&mut Vec<LedgerCharge>)) {
        change(&mut self.state().charges);
    }

    /// Rejects the next `n` requests with 503, without carrying them out.
    pub fn fail_next(&self, n: usize) {
        self.state().failures.extend(std::iter::repeat_n(Failure::Fail, n));
    }

    /// Carries out the next `n` requests and loses their responses. Calls queue up.
    pub fn lose_next_responses(&self, n: usize) {
        self.state().failures.extend(std::iter::repeat_n(Failure::LoseResponse, n));
    }

    /// Whether to refuse connections from now on. Failures planned by [`Self::fail_next`] and
    /// [`Self::lose_next_responses`] stay queued meanwhile.
    pub fn refuse_connections(&self, refuses: bool) {
        self.state().refuses = refuses;
    }

    /// Ends all failures.
    pub fn heal(&self) {
        let mut state = self.state();
        state.failures.clear();
        state.refuses = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let authorization = text(request, header::AUTHORIZATION.as_str());
        if authorization.strip_prefix("Bearer ") != Some(&self.key) {
            let message = "Invalid API Key provided";
            return respond(&invalid(StatusCode::UNAUTHORIZED, message, None, None), false);
        }
        let path = request.uri().path();
        if request.method() != Method::POST || !matches!(path, "/v1/charges" | "/v1/refunds") {
            let message = format!("Unrecognized request URL ({} {path})", request.method());
            return respond(&invalid(StatusCode::NOT_FOUND, &message, None, None), false);
        }
        let form = Form::read(request.body());
        let key = text(request, "idempotency-key");
        if let Some(known) = self.remembered.get(key) {
            return known.answer(path, &form);
        }
        let reply = match path {
            "/v1/charges" => self.charge(&form, key),
            _ => self.refund(&form),
        };
        let reply = reply.unwrap_or_else(|refused| refused);
        if reply.executed && !key.is_empty() {
            let (path, status, body) = (path.to_owned(), reply.status, reply.body.clone());
            self.remembered.insert(key.to_owned(), Remembered { path, form, status, body });
        }
        respond(&reply, false)
    }

    fn charge(&mut self, form: &Form, key: &str) -> Result<Reply, Reply> {
        form.only(&["amount", "currency", "source", "description"])?;
        let amount = form.amount()?;
        let currency = form.currency()?;
        let source = form.required("source")?;
        if !matches!(source, "tok_visa" | "tok_chargeDeclined") {
            return Err(missing("token", source, "source"));
        }
        self.charge_ids += 1;
        let id = format!("ch_{:024}", self.charge_ids);
        if source == "tok_chargeDeclined" {
            return Ok(declined(&id));
        }
        let order_id = form.get("metadata[orderId]").unwrap_or_default().to_owned();
        let body = json!({
            "id": id,
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "captured": true,
            "currency": currency,
            "livemode": false,
            "metadata": form.metadata(),
            "paid": true,
            "refunded": false,
            "status": "succeeded",
        });
        let idempotency_key = key.to_owned();
        let charge = LedgerCharge { id, order_id, amount, refunded: false, idempotency_key };
        self.charges.push(charge);
        Ok(Reply { status: StatusCode::OK, body, executed: true })
    }

    fn refund(&mut self, form: &Form) -> Result<Reply, Reply> {
        form.only(&["charge", "reason"])?;
        let id = form.required("charge")?;
        let charge = self.charges.iter_mut().find(|charge| charge.id == id);
        let charge = charge.ok_or_else(|| missing("charge", id, "charge"))?;
        if charge.refunded {
            let message = format!("Charge {id} has already been refunded.");
            let code = "charge_already_refunded";
            return Err(invalid(StatusCode::BAD_REQUEST, &message, Some(code), None));
        }
        charge.refunded = true;
        self.refund_ids += 1;
        let body = json!({
            "id": format!("re_{:024}", self.refund_ids),
            "object": "refund",
            "amount": charge.amount,
            "charge": id,
            "metadata": form.metadata(),
            "status": "succeeded",
        });
        Ok(Reply { status: StatusCode::OK, body, executed: true })
    }
}

impl Remembered {
    /// The same response to the same request, and an error for any other under this key.
    fn answer(&self, path: &str, form: &Form) -> Response<Bytes> {
        if (self.path.as_str(), &self.form) != (path, form) {
            let message = "Keys for idempotent requests can only be used with the same \
                           parameters they were first used with.";
            let error = json!({ "type": "idempotency_error", "message": message });
            return respond(&failure(StatusCode::BAD_REQUEST, &error), false);
        }
        let reply = Reply { status: self.status, body: self.body.clone(), executed: true };
        respond(&reply, true)
    }
}

/// The value of a header; empty for none.
fn text<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn respond(reply: &Reply, replayed: bool) -> Response<Bytes> {
    let mut response =
        Response::builder().status(reply.status).header(header::CONTENT_TYPE, "application/json");
    if replayed {
        response = response.header("Idempotent-Replayed", "true");
    }
    response.body(Bytes::from(reply.body.to_string())).expect("the headers are valid")
}

fn failure(status: StatusCode, error: &Value) -> Reply {
    Reply { status, body: json!({ "error": error }), executed: false }
}

/// A request that cannot be carried out as it is.
fn invalid(status: StatusCode, message: &str, code: Option<&str>, param: Option<&str>) -> Reply {
    let mut error = json!({ "type": "invalid_request_error", "message": message });
    for (field, value) in [("code", code), ("param", param)] {
        if let Some(value) = value {
            error[field] = json!(value);
        }
    }
    failure(status, &error)
}

fn missing(kind: &str, id: &str, param: &str) -> Reply {
    let message = format!("No such {kind}: '{id}'");
    invalid(StatusCode::BAD_REQUEST, &message, Some("resource_missing"), Some(param))
}

fn declined(id: &str) -> Reply {
    let error = json!({
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "generic_decline",
        "charge": id,
        "message": "Your card was declined.",
    });
    Reply { executed: true, ..failure(StatusCode::PAYMENT_REQUIRED, &error) }
}

fn unavailable() -> Reply {
    let error = json!({ "type": "api_error", "message": "Try again later." });
    failure(StatusCode::SERVICE_UNAVAILABLE, &error)
}

#[cfg(test)]
mod tests;
