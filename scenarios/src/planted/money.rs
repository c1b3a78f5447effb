//! Bugs in charges and refunds.

use async_trait::async_trait;
use bson::{Bson, Document};
use bytes::Bytes;
use harness::system::System;
use http::{Request, Response};
use ports::http::{Http, HttpError};
use url::form_urlencoded;

use harness::bugs::planting::{with_listeners, with_ports, with_service};
use harness::bugs::ports::{HttpOverride, Updates, at_http, at_store};

/// Changes each request, or replies with a body instead of sending it.
struct Requests(fn(Request<Bytes>) -> Result<Request<Bytes>, Bytes>);

#[async_trait]
impl HttpOverride for Requests {
    async fn send(
        &self,
        http: &dyn Http,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, HttpError> {
        match (self.0)(request) {
            Ok(request) => http.send(request).await,
            Err(body) => Ok(Response::new(body)),
        }
    }
}

fn with_requests(
    system: System,
    change: fn(Request<Bytes>) -> Result<Request<Bytes>, Bytes>,
) -> System {
    with_ports(system, Some(payments::NAME), move |ports| at_http(ports, Requests(change)))
}

/// Drops the idempotency key, so that a retry charges again.
pub(super) fn no_idempotency_key(system: System) -> System {
    with_requests(system, |mut request| {
        request.headers_mut().remove("idempotency-key");
        Ok(request)
    })
}

/// Replies to refund requests without sending them.
pub(super) fn refund_forgotten(system: System) -> System {
    with_requests(system, |request| {
        if request.uri().path() == "/v1/refunds" {
            return Err(Bytes::from_static(br#"{"id":"re_forgotten"}"#));
        }
        Ok(request)
    })
}

/// Sends refunds under the idempotency key of their charge, which the provider rejects as reused.
pub(super) fn refund_under_charge_key(system: System) -> System {
    with_requests(system, |mut request| {
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        if let Some(charge) = key.and_then(|key| Some(key.split_once("-refund")?.0)) {
            let charge = charge.parse().expect("a prefix of a header value is one");
            request.headers_mut().insert("idempotency-key", charge);
        }
        Ok(request)
    })
}

/// Rounds amounts down to whole units of the currency.
pub(super) fn whole_units(system: System) -> System {
    with_requests(system, |request| Ok(amount(request, |cents| (cents / 100 * 100).max(100))))
}

/// Converts amounts to floating point and back.
pub(super) fn float_cents(system: System) -> System {
    with_requests(system, |request| {
        Ok(amount(request, |cents| {
            let price = cents as f64 / 100.0;
            (price * 100.0) as i64
        }))
    })
}

/// The request with its amount replaced.
fn amount(mut request: Request<Bytes>, other: fn(i64) -> i64) -> Request<Bytes> {
    let fields = form_urlencoded::parse(request.body()).into_owned();
    let fields = fields.map(|(name, value)| match value.parse::<i64>() {
        Ok(cents) if name == "amount" => (name, other(cents).to_string()),
        _ => (name, value),
    });
    let mut form = form_urlencoded::Serializer::new(String::new());
    let body = form.extend_pairs(fields).finish();
    *request.body_mut() = body.into();
    request
}

/// Clears the due time of the refund when an order with a completed charge is cancelled.
pub(super) fn late_cancel_keeps_money(system: System) -> System {
    with_listeners(system, payments::NAME, &["OrderCancelled"], |ports| {
        let forget = Updates(|mut update| {
            if let Ok(order) = update.change.get_document_mut("$set")
                && order.get_document("charge").is_ok_and(has_moved)
            {
                order.insert("due", Bson::Null);
            }
            update
        });
        at_store(ports, forget)
    })
}

fn has_moved(charge: &Document) -> bool {
    charge.get_str("status").is_ok_and(|status| status == "completed")
}

/// Removes the task that retries pending charges.
pub(super) fn charges_not_swept(system: System) -> System {
    with_service(system, Some(payments::NAME), |service| {
        service.tasks.retain(|task| task.name() != "charges");
    })
}
