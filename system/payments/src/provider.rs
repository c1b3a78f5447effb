//! The client of the payment provider: Stripe's Charges and Refunds API.
//!
//! Every request carries an idempotency key, so repeating it moves no more money. Everything but
//! a definite response is an error, which means that the outcome is unknown. The client keeps
//! no state and never retries by itself; see [`crate::charges`].

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
use url::form_urlencoded::Serializer;

use crate::model::{Charge, ChargeOutcome, REQUEST_GRACE};

/// Time in which the provider must respond.
pub const TIMEOUT: Duration = Duration::from_secs(10);

// The task must not repeat a charge while its request can still be waiting.
const _: () = assert!(TIMEOUT.as_millis() < REQUEST_GRACE.as_millis());

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
    /// The provider refuses the refund.
    #[error("the refund is refused: {0}")]
    RefundRefused(String),
    /// The charge has no provider id, so it cannot be refunded.
    #[error("the charge has no id at the provider")]
    NoProviderId,
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

    /// Executes a charge for an order. Repeating the same charge moves money once.
    pub async fn charge(
        &self,
        order: &str,
        charge: &Charge,
    ) -> Result<ChargeOutcome, ProviderError> {
        let amount = charge.amount.0.to_string();
        let form = [
            ("amount", amount.as_str()),
            ("currency", &self.config.currency),
            ("source", &charge.source),
            ("metadata[orderId]", order),
        ];
        let response = self.post("/v1/charges", &charge.id, &form).await?;
        if response.status().is_success() {
            return Ok(ChargeOutcome::Charged { id: object_id(&response)? });
        }
        Ok(ChargeOutcome::Declined { code: refusal(&response)? })
    }

    /// Refunds a whole charge and returns the provider's id of the refund; `None` if the charge
    /// was refunded before. Repeating the same refund moves money once.
    pub async fn refund(&self, charge: &Charge) -> Result<Option<String>, ProviderError> {
        let id = charge.stripe_id.as_ref().ok_or(ProviderError::NoProviderId)?;
        let key = format!("{}-refund", charge.id);
        let response = self.post("/v1/refunds", &key, &[("charge", id)]).await?;
        if response.status().is_success() {
            return Ok(Some(object_id(&response)?));
        }
        match refusal(&response)? {
            code if code == ALREADY_REFUNDED => Ok(None),
            code => Err(ProviderError::RefundRefused(code)),
        }
    }

    /// Posts a form under an idempotency key.
    async fn post(
        &self,
        path: &str,
        key: &str,
        form: &[(&str, &str)],
    ) -> Result<Response<Bytes>, ProviderError> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.config.url.trim_end_matches('/')))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.config.key))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Idempotency-Key", key)
            .body(Bytes::from(body))?;
        let response = self.clock.within(TIMEOUT, self.http.send(request)).await;
        Ok(response.ok_or(ProviderError::Timeout(TIMEOUT))??)
    }
}

/// The part of a charge or a refund that this client reads.
#[derive(Deserialize)]
struct Object {
    id: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorObject,
}

#[derive(Deserialize)]
struct ErrorObject {
    #[serde(rename = "type", default)]
    kind: String,
    code: Option<String>,
}

/// Returns the id of the created charge or refund.
fn object_id(response: &Response<Bytes>) -> Result<String, ProviderError> {
    Ok(serde_json::from_slice::<Object>(response.body())?.id)
}

/// Returns the code of a definite refusal.
///
/// Only 400 and 402 are about this very request. Other statuses are about the key, the rate, the
/// URL or a concurrent request, and so is an idempotency error: the key is taken, perhaps by a
/// request that succeeded.
fn refusal(response: &Response<Bytes>) -> Result<String, ProviderError> {
    let status = response.status();
    let error = serde_json::from_slice::<ErrorBody>(response.body()).map(|body| body.error);
    match (status, error) {
        (StatusCode::BAD_REQUEST, Ok(error)) if error.kind != "idempotency_error" => {
            Ok(error.code.unwrap_or(error.kind))
        }
        (StatusCode::PAYMENT_REQUIRED, error) => {
            let code = error.ok().and_then(|error| error.code);
            Ok(code.unwrap_or_else(|| "card_declined".to_owned()))
        }
        (_, error) => {
            let kind = error.map(|error| error.kind).unwrap_or_default();
            Err(ProviderError::Indefinite { status, kind })
        }
    }
}

#[cfg(test)]
mod tests;
