//! The client of the payment provider: Stripe's Charges and Refunds API.
//!
//! Every request that moves money carries an idempotency key, so repeating it moves no more.
//! Everything but a definite response is an error, which means that the outcome is unknown. The
//! client keeps no state and never retries by itself; see [`crate::charges`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use ports::Ports;
use ports::{
    clock::Clock,
    http::{Http, HttpError},
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded::Serializer;

use crate::model::inquiry::{How, Inquiry, Outcome, Transfer};
use crate::model::{Charge, REQUEST_GRACE};

/// Time in which the provider must respond.
pub const TIMEOUT: Duration = Duration::from_secs(10);

// The task must not repeat a charge while its request can still be waiting.
const _: () = assert!(TIMEOUT.as_millis() < REQUEST_GRACE.as_millis());

/// The largest difference between the provider's clock and ours.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60 * 60);

/// The code of a refund whose charge was refunded before.
const ALREADY_REFUNDED: &str = "charge_already_refunded";

/// The address and the key of the provider.
#[derive(Clone)]
pub struct ProviderConfig {
    /// The base URL: `https://api.stripe.com`.
    pub url: String,
    /// The secret key.
    pub key: String,
    /// The currency of all prices: `usd`.
    pub currency: String,
}

impl fmt::Debug for ProviderConfig {
    /// Omits the key: configurations end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, key: _, currency } = self;
        let mut shown = f.debug_struct("ProviderConfig");
        shown.field("url", url).field("currency", currency).finish_non_exhaustive()
    }
}

/// A request without a definite outcome: money may have moved. Repeat it under the same key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The provider did not respond in time.
    #[error("no response within {0:?}")]
    Timeout(Duration),
    /// The request failed on the way.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The configured URL or key does not make a request.
    #[error("the request cannot be built")]
    Request(#[from] http::Error),
    /// The response reports success, but its body is not the documented one.
    #[error("the response is unreadable")]
    Unreadable(#[from] serde_json::Error),
    /// The response says nothing about this request.
    #[error("indefinite response: status {status}, error type {kind:?}")]
    Indefinite {
        /// The HTTP status.
        status: StatusCode,
        /// The `type` of the error; empty if the body has none.
        kind: String,
    },
    /// An object at the provider has a status that is not documented.
    #[error("{id} has the unknown status {status:?}")]
    UnknownStatus {
        /// The provider's id of the charge or refund.
        id: String,
        /// The status.
        status: String,
    },
    /// The charge has no provider id, so it cannot be refunded.
    #[error("the charge has no id at the provider")]
    NoProviderId,
    /// The idempotency key is too old to be used, and a request under it may still be on its way.
    #[error("the idempotency key retires")]
    KeyRetires,
}

/// The payment provider.
#[derive(Clone)]
pub struct Provider {
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    config: Arc<ProviderConfig>,
}

impl Provider {
    /// Creates a client for this configuration.
    pub fn new(config: &ProviderConfig, ports: &Ports) -> Self {
        Self {
            http: Arc::clone(&ports.http),
            clock: Arc::clone(&ports.clock),
            config: Arc::new(config.clone()),
        }
    }

    /// Makes an inquiry about the charge of an order. Repeating it moves money once.
    pub async fn ask(
        &self,
        order: &str,
        charge: &Charge,
        inquiry: &Inquiry,
    ) -> Result<Outcome, ProviderError> {
        match (&inquiry.how, inquiry.transfer) {
            (How::Request { key }, Transfer::Charge) => {
                let amount = charge.amount.0.to_string();
                let form = [
                    ("amount", amount.as_str()),
                    ("currency", &self.config.currency),
                    ("source", &charge.source),
                    ("metadata[orderId]", order),
                ];
                outcome(&self.post("/v1/charges", key, &form).await?)
            }
            (How::Request { key }, Transfer::Refund) => {
                let id = charge.stripe_id.as_ref().ok_or(ProviderError::NoProviderId)?;
                match outcome(&self.post("/v1/refunds", key, &[("charge", id)]).await?)? {
                    // By somebody else, or by an earlier request; it may still be pending.
                    Outcome::Failed { code } if code == ALREADY_REFUNDED => {
                        match self.search_refund(charge).await? {
                            Outcome::Absent => Ok(Outcome::Succeeded { id: None }),
                            found => Ok(found),
                        }
                    }
                    outcome => Ok(outcome),
                }
            }
            (How::Search, Transfer::Charge) => self.search_charge(order, charge).await,
            (How::Search, Transfer::Refund) => self.search_refund(charge).await,
            (How::Read { id }, Transfer::Charge) => {
                self.get::<Object>(&format!("/v1/charges/{id}"), &[]).await?.outcome()
            }
            (How::Read { id }, Transfer::Refund) => {
                self.get::<Object>(&format!("/v1/refunds/{id}"), &[]).await?.outcome()
            }
            (How::Wait { .. }, _) => Err(ProviderError::KeyRetires),
        }
    }

    /// Looks for the charge of an order among all charges since it was created.
    ///
    /// The list of charges has no filter for metadata. `/v1/charges/search` has one, but what it
    /// finds may be a minute old, and older during an outage: a charge that it misses would be
    /// made twice. The list is read to its end, and seldom.
    async fn search_charge(&self, order: &str, charge: &Charge) -> Result<Outcome, ProviderError> {
        let since = charge.created.as_second().saturating_sub(CLOCK_DIFFERENCE.as_secs() as i64);
        let since = since.max(0).to_string();
        let is_ours =
            |object: &Object| object.metadata.get("orderId").is_some_and(|found| found == order);
        let mut found = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let mut query = vec![("created[gte]", since.as_str()), ("limit", "100")];
            query.extend(last.as_deref().map(|last| ("starting_after", last)));
            let page: Page = self.get("/v1/charges", &query).await?;
            let next = page.data.last().map(|object| object.id.clone());
            found.extend(page.data.into_iter().filter(is_ours));
            match next {
                Some(next) if page.has_more => last = Some(next),
                _ => return best(found),
            }
        }
    }

    /// Looks for the refund of a charge.
    async fn search_refund(&self, charge: &Charge) -> Result<Outcome, ProviderError> {
        let id = charge.stripe_id.as_ref().ok_or(ProviderError::NoProviderId)?;
        let page: Page = self.get("/v1/refunds", &[("charge", id), ("limit", "100")]).await?;
        best(page.data)
    }

    /// Posts a form under an idempotency key.
    async fn post(
        &self,
        path: &str,
        key: &str,
        form: &[(&str, &str)],
    ) -> Result<Response<Bytes>, ProviderError> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Idempotency-Key", key)
            .body(Bytes::from(body))?;
        self.send(request).await
    }

    /// Reads an object or a list.
    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ProviderError> {
        let query = Serializer::new(String::new()).extend_pairs(query).finish();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let response = self.send(self.request(Method::GET, &path).body(Bytes::new())?).await?;
        if !response.status().is_success() {
            let (status, kind) = (response.status(), error(&response).unwrap_or_default().kind);
            return Err(ProviderError::Indefinite { status, kind });
        }
        Ok(serde_json::from_slice(response.body())?)
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.config.url.trim_end_matches('/')))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.config.key))
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderError> {
        let response = self.clock.within(TIMEOUT, self.http.send(request)).await;
        Ok(response.ok_or(ProviderError::Timeout(TIMEOUT))??)
    }
}

/// The part of a charge or a refund that this client reads.
#[derive(Deserialize)]
struct Object {
    id: String,
    /// Null where the provider does not say, which Stripe documents for refunds.
    status: Option<String>,
    /// The reason of a failed charge.
    failure_code: Option<String>,
    /// The reason of a failed refund.
    failure_reason: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Object>,
    #[serde(default)]
    has_more: bool,
}

impl Object {
    fn outcome(self) -> Result<Outcome, ProviderError> {
        let Self { id, status, failure_code, failure_reason, metadata: _ } = self;
        match status.as_deref() {
            Some("succeeded") | None => Ok(Outcome::Succeeded { id: Some(id) }),
            Some("pending" | "requires_action") => Ok(Outcome::Pending { id }),
            Some(status @ ("failed" | "canceled")) => {
                let code = failure_code.or(failure_reason);
                Ok(Outcome::Failed { code: code.unwrap_or_else(|| status.to_owned()) })
            }
            Some(status) => Err(ProviderError::UnknownStatus { id, status: status.to_owned() }),
        }
    }
}

/// The outcome of what a search has found: money that has moved counts before money on its way,
/// and that before a failure.
fn best(found: Vec<Object>) -> Result<Outcome, ProviderError> {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Succeeded { .. } => 0,
        Outcome::Pending { .. } => 1,
        _ => 2,
    };
    let outcomes = found.into_iter().map(Object::outcome).collect::<Result<Vec<_>, _>>()?;
    Ok(outcomes.into_iter().min_by_key(rank).unwrap_or(Outcome::Absent))
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorObject,
}

#[derive(Deserialize, Default)]
struct ErrorObject {
    #[serde(rename = "type", default)]
    kind: String,
    code: Option<String>,
}

fn error(response: &Response<Bytes>) -> Option<ErrorObject> {
    Some(serde_json::from_slice::<ErrorBody>(response.body()).ok()?.error)
}

/// Reads the response to a request for a charge or a refund.
///
/// Only 400 and 402 refuse this very request. A 500 comes from the endpoint itself, so it is kept
/// under the key, and any later request under the key is answered with it; other errors of the
/// server are kept if they are marked as replayed. An idempotency error says that the key belongs
/// to another request. All other statuses are about the secret key, the rate, the URL or a
/// concurrent request, and the same request may succeed later.
fn outcome(response: &Response<Bytes>) -> Result<Outcome, ProviderError> {
    let status = response.status();
    if status.is_success() {
        return serde_json::from_slice::<Object>(response.body())?.outcome();
    }
    let replayed = response.headers().get("Idempotent-Replayed");
    let is_replayed = replayed.is_some_and(|replayed| replayed.as_bytes() == b"true");
    match (status, error(response)) {
        (StatusCode::BAD_REQUEST, Some(error)) if error.kind == "idempotency_error" => {
            Ok(Outcome::KeySpent)
        }
        (StatusCode::BAD_REQUEST, Some(error)) => {
            Ok(Outcome::Failed { code: error.code.unwrap_or(error.kind) })
        }
        (StatusCode::PAYMENT_REQUIRED, error) => {
            let code = error.and_then(|error| error.code);
            Ok(Outcome::Failed { code: code.unwrap_or_else(|| "card_declined".to_owned()) })
        }
        (StatusCode::INTERNAL_SERVER_ERROR, _) => Ok(Outcome::KeySpent),
        _ if status.is_server_error() && is_replayed => Ok(Outcome::KeySpent),
        (_, error) => {
            let kind = error.unwrap_or_default().kind;
            Err(ProviderError::Indefinite { status, kind })
        }
    }
}

#[cfg(test)]
mod tests;
