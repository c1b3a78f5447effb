//! Bugs in the handling of what the payment provider documents: kept errors, forgotten keys,
//! pending charges and refunds, refusals and conflicts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use bytes::Bytes;
use harness::bugs::planting::with_ports;
use harness::bugs::ports::{HttpOverride, at_http};
use harness::system::System;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use ports::clock::Clock;
use ports::http::{Http, HttpError};
use serde_json::{Value, json};
use url::form_urlencoded;

/// The response to a charge that is declined.
const DECLINED: &[u8] = br#"{"error":{"type":"card_error","code":"card_declined"}}"#;

/// The path at which the provider lists and creates charges.
const CHARGES: &str = "/v1/charges";

/// Requests a charge again under another key when the response is a 500.
pub(super) fn blind_new_key(system: System) -> System {
    with_ports(system, Some(payments::NAME), |ports| at_http(ports, NewKey))
}

struct NewKey;

#[async_trait]
impl HttpOverride for NewKey {
    async fn send(
        &self,
        http: &dyn Http,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, HttpError> {
        let mut again = request.clone();
        let response = http.send(request).await?;
        let is_charge = again.method() == Method::POST && again.uri().path() == CHARGES;
        if !is_charge || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
            return Ok(response);
        }
        let key = again.headers()["idempotency-key"].to_str().unwrap_or_default();
        let key = HeaderValue::from_str(&format!("{key}-again")).expect("a key with a suffix");
        again.headers_mut().insert("idempotency-key", key);
        http.send(again).await
    }
}

/// Changes each response to a request.
struct Responses(fn(&Request<Bytes>, Response<Bytes>) -> Response<Bytes>);

#[async_trait]
impl HttpOverride for Responses {
    async fn send(
        &self,
        http: &dyn Http,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, HttpError> {
        let response = http.send(request.clone()).await?;
        Ok((self.0)(&request, response))
    }
}

fn with_responses(
    system: System,
    change: fn(&Request<Bytes>, Response<Bytes>) -> Response<Bytes>,
) -> System {
    with_ports(system, Some(payments::NAME), move |ports| at_http(ports, Responses(change)))
}

/// Whether the request is about charges or refunds, and its response an object that is pending.
fn is_pending(request: &Request<Bytes>, response: &Response<Bytes>, path: &str) -> bool {
    request.uri().path().starts_with(path)
        && serde_json::from_slice::<Value>(response.body())
            .is_ok_and(|object| object["status"] == "pending")
}

/// The response with another status of its object.
fn with_status(response: Response<Bytes>, status: &str) -> Response<Bytes> {
    response.map(|body| {
        let mut object: Value = serde_json::from_slice(&body).unwrap_or_default();
        object["status"] = json!(status);
        Bytes::from(object.to_string())
    })
}

/// Reads a pending charge as one that succeeded.
pub(super) fn pending_is_success(system: System) -> System {
    with_responses(system, |request, response| {
        let pending = is_pending(request, &response, CHARGES);
        if pending { with_status(response, "succeeded") } else { response }
    })
}

/// Reads a pending charge as one that failed.
pub(super) fn pending_is_failure(system: System) -> System {
    with_responses(system, |request, response| {
        let pending = is_pending(request, &response, CHARGES);
        if pending { with_status(response, "failed") } else { response }
    })
}

/// Reads a pending refund as one that succeeded.
pub(super) fn pending_refund_is_done(system: System) -> System {
    with_responses(system, |request, response| {
        let pending = is_pending(request, &response, "/v1/refunds");
        if pending { with_status(response, "succeeded") } else { response }
    })
}

/// Reads the refusal of a refund because of a dispute as a passing failure.
pub(super) fn disputed_refund_retried(system: System) -> System {
    with_responses(system, |request, mut response| {
        let is_disputed = serde_json::from_slice::<Value>(response.body())
            .is_ok_and(|body| body["error"]["code"] == "charge_disputed");
        if request.uri().path() == "/v1/refunds" && is_disputed {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    })
}

/// Reads a conflict with a request in progress as a decline.
pub(super) fn conflict_is_decline(system: System) -> System {
    with_responses(system, |request, response| {
        if request.uri().path() != CHARGES || response.status() != StatusCode::CONFLICT {
            return response;
        }
        let mut declined = Response::new(Bytes::from_static(DECLINED));
        *declined.status_mut() = StatusCode::PAYMENT_REQUIRED;
        declined
    })
}

/// Does not search for what an aged key has created, and uses that key again.
pub(super) fn forgotten_key(system: System) -> System {
    with_ports(system, Some(payments::NAME), |ports| {
        let clock = Arc::clone(&ports.clock);
        at_http(ports, AgedKey { clock, skipped: AtomicBool::new(false) })
    })
}

struct AgedKey {
    clock: Arc<dyn Clock>,
    /// Whether the last search was skipped, so that the next request uses the first key.
    skipped: AtomicBool,
}

impl AgedKey {
    /// Whether the request searches for a charge that was created a day ago.
    fn is_late_search(&self, request: &Request<Bytes>) -> bool {
        let query = request.uri().query().unwrap_or_default();
        let mut fields = form_urlencoded::parse(query.as_bytes());
        let since = fields.find(|(name, _)| name == "created[gte]");
        let since = since.and_then(|(_, since)| since.parse::<i64>().ok());
        let age = since.map(|since| self.clock.now().as_second() - since);
        age.is_some_and(|age| age >= 23 * 60 * 60)
    }
}

#[async_trait]
impl HttpOverride for AgedKey {
    async fn send(
        &self,
        http: &dyn Http,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, HttpError> {
        if request.uri().path() != CHARGES {
            return http.send(request).await;
        }
        if self.is_late_search(&request) {
            self.skipped.store(true, Relaxed);
            return Ok(Response::new(Bytes::from_static(br#"{"data":[]}"#)));
        }
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        if let Some((first, _)) = key.and_then(|key| key.split_once('-'))
            && self.skipped.swap(false, Relaxed)
        {
            let first = HeaderValue::from_str(first).expect("a prefix of a header value");
            request.headers_mut().insert("idempotency-key", first);
        }
        http.send(request).await
    }
}

/// Misses the newest charge in a search.
pub(super) fn stale_search(system: System) -> System {
    with_responses(system, |request, response| {
        if request.method() != Method::GET || request.uri().path() != CHARGES {
            return response;
        }
        response.map(|body| {
            let mut page: Value = serde_json::from_slice(&body).unwrap_or_default();
            if let Some(found) = page["data"].as_array_mut() {
                found.drain(..found.len().min(1));
            }
            Bytes::from(page.to_string())
        })
    })
}
