//! Mistakes with other people's money.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use harness::system::System;
use http::{Request, Response};
use platform::Ports;
use platform::ports::http::{Http, HttpError};
use url::form_urlencoded;

use super::with_ports;

/// The request as it goes out, or the body of an answer without asking.
type Twist = fn(Request<Bytes>) -> Result<Request<Bytes>, Bytes>;

struct TwistedHttp {
    inner: Arc<dyn Http>,
    twist: Twist,
}

#[async_trait]
impl Http for TwistedHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match (self.twist)(request) {
            Ok(request) => self.inner.send(request).await,
            Err(body) => Ok(Response::new(body)),
        }
    }
}

fn twisted(ports: Ports, twist: Twist) -> Ports {
    Ports { http: Arc::new(TwistedHttp { inner: Arc::clone(&ports.http), twist }), ..ports }
}

/// Charges without a key: asking again moves the money again.
pub(super) fn no_idempotency_key(system: System) -> System {
    with_ports(system, Some(payments::NAME), |ports| {
        twisted(ports, |mut request| {
            request.headers_mut().remove("idempotency-key");
            Ok(request)
        })
    })
}

/// Refunds that only look as if they were asked for.
pub(super) fn refund_forgotten(system: System) -> System {
    with_ports(system, Some(payments::NAME), |ports| {
        twisted(ports, |request| {
            if request.uri().path() == "/v1/refunds" {
                return Err(Bytes::from_static(br#"{"id":"re_forgotten"}"#));
            }
            Ok(request)
        })
    })
}

/// Charges of whole units of the currency.
pub(super) fn whole_units(system: System) -> System {
    with_ports(system, Some(payments::NAME), |ports| {
        twisted(ports, |mut request| {
            let fields = form_urlencoded::parse(request.body()).into_owned();
            let rounded = fields.map(|(name, value)| match value.parse::<i64>() {
                Ok(cents) if name == "amount" => (name, (cents / 100 * 100).max(100).to_string()),
                _ => (name, value),
            });
            let mut form = form_urlencoded::Serializer::new(String::new());
            let body = form.extend_pairs(rounded).finish();
            *request.body_mut() = body.into();
            Ok(request)
        })
    })
}
