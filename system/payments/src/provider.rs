//! The client of the payment provider: Stripe's Charges and Refunds API.
//!
//! Every request carries an idempotency key, so asking again moves no more money. Whatever is
//! not a definite answer is unknown, never a guess. It keeps nothing and repeats nothing by
//! itself; see [`crate::charges`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use ports::Ports;
use ports::{clock::Clock, http::Http};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::model::Charge;

/// How long the provider has for an answer.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How the provider is reached.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// The base address, as in `https://api.stripe.com`.
    pub url: String,
    /// The secret key.
    pub key: String,
    /// What all prices are in, as in `usd`.
    pub currency: String,
}

/// What the provider says of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The money has moved.
    Charged {
        /// The provider's name for the charge.
        id: String,
    },
    /// No money has moved, and none will.
    Declined {
        /// Why, as in `card_declined`.
        code: String,
    },
    /// The money may have moved: ask again, under the same key.
    Unknown(String),
}

/// What the provider says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refund {
    /// The money has moved back.
    Refunded {
        /// The provider's name for the refund; `None` where somebody else had refunded it.
        id: Option<String>,
    },
    /// It may not have: ask again, under the same key.
    Unknown(String),
}

/// The payment provider.
#[derive(Clone)]
pub struct Provider {
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    config: Arc<ProviderConfig>,
}

impl Provider {
    /// The provider at this address.
    pub fn new(config: &ProviderConfig, ports: &Ports) -> Self {
        Self {
            http: Arc::clone(&ports.http),
            clock: Arc::clone(&ports.clock),
            config: Arc::new(config.clone()),
        }
    }

    /// Charges for an order. Asking twice for the same charge moves money once.
    pub async fn charge(&self, order: &str, charge: &Charge) -> Outcome {
        let amount = charge.amount.0.to_string();
        let form = [
            ("amount", amount.as_str()),
            ("currency", &self.config.currency),
            ("source", &charge.source),
            ("metadata[orderId]", order),
        ];
        match self.post("/v1/charges", &charge.id, &form).await {
            Ok(answer) => charged(&answer),
            Err(why) => Outcome::Unknown(why),
        }
    }

    /// Refunds a whole charge. Asking twice for the same charge moves money once.
    pub async fn refund(&self, charge: &Charge) -> Refund {
        let Some(id) = &charge.stripe_id else {
            return Refund::Unknown("a charge that the provider did not name".to_owned());
        };
        let key = format!("{}-refund", charge.id);
        match self.post("/v1/refunds", &key, &[("charge", id)]).await {
            Ok(answer) => refunded(&answer),
            Err(why) => Refund::Unknown(why),
        }
    }

    /// Posts a form under an idempotency key; `Err` says why there is no answer.
    async fn post(
        &self,
        path: &str,
        key: &str,
        form: &[(&str, &str)],
    ) -> Result<Response<Bytes>, String> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.config.url.trim_end_matches('/')))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.config.key))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Idempotency-Key", key)
            .body(Bytes::from(body))
            .map_err(|e| e.to_string())?;
        match self.clock.within(LIMIT, self.http.send(request)).await {
            Some(answer) => answer.map_err(|e| e.to_string()),
            None => Err(format!("no answer within {LIMIT:?}")),
        }
    }
}

/// A charge or a refund, as far as we read it.
#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Failure {
    error: Problem,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    code: Option<String>,
}

fn charged(answer: &Response<Bytes>) -> Outcome {
    if answer.status().is_success() {
        return match made(answer) {
            Ok(id) => Outcome::Charged { id },
            Err(why) => Outcome::Unknown(why),
        };
    }
    match refused(answer) {
        Ok(code) => Outcome::Declined { code },
        Err(why) => Outcome::Unknown(why),
    }
}

fn refunded(answer: &Response<Bytes>) -> Refund {
    if answer.status().is_success() {
        return match made(answer) {
            Ok(id) => Refund::Refunded { id: Some(id) },
            Err(why) => Refund::Unknown(why),
        };
    }
    match refused(answer) {
        Ok(code) if code == "charge_already_refunded" => Refund::Refunded { id: None },
        Ok(code) => Refund::Unknown(format!("refused: {code}")),
        Err(why) => Refund::Unknown(why),
    }
}

/// The name of what was made.
fn made(answer: &Response<Bytes>) -> Result<String, String> {
    let made = serde_json::from_slice::<Made>(answer.body());
    made.map(|made| made.id).map_err(|e| format!("an answer that cannot be read: {e}"))
}

/// The code of a definite refusal; `Err` where the answer is none.
///
/// Only 400 and 402 speak of this very request. The others speak of our key, our rate or our
/// address, or of another request under way, and so does an idempotency error: the key is
/// taken, perhaps by a request that went well.
fn refused(answer: &Response<Bytes>) -> Result<String, String> {
    let status = answer.status();
    let problem = serde_json::from_slice::<Failure>(answer.body()).map(|failure| failure.error);
    match (status, problem) {
        (StatusCode::BAD_REQUEST, Ok(problem)) if problem.kind != "idempotency_error" => {
            Ok(problem.code.unwrap_or(problem.kind))
        }
        (StatusCode::PAYMENT_REQUIRED, problem) => {
            let code = problem.ok().and_then(|problem| problem.code);
            Ok(code.unwrap_or_else(|| "card_declined".to_owned()))
        }
        (_, Ok(problem)) => Err(format!("status {status}, {}", problem.kind)),
        (_, Err(_)) => Err(format!("status {status}")),
    }
}

#[cfg(test)]
mod tests;
