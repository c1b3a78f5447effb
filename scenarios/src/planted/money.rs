//! Mistakes with other people's money.

use async_trait::async_trait;
use bson::{Bson, Document};
use bytes::Bytes;
use harness::system::System;
use http::{Request, Response};
use ports::http::{Http, HttpError};
use url::form_urlencoded;

use harness::bugs::planting::{with_listeners, with_ports, with_service};
use harness::bugs::ports::{HttpOverride, Updates, at_http, at_store};

/// The request as it goes out, or the body of an answer without asking.
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

fn twisted(system: System, twist: fn(Request<Bytes>) -> Result<Request<Bytes>, Bytes>) -> System {
    with_ports(system, Some(payments::NAME), move |ports| at_http(ports, Requests(twist)))
}

/// Charges without a key: asking again moves the money again.
pub(super) fn no_idempotency_key(system: System) -> System {
    twisted(system, |mut request| {
        request.headers_mut().remove("idempotency-key");
        Ok(request)
    })
}

/// Refunds that only look as if they were asked for.
pub(super) fn refund_forgotten(system: System) -> System {
    twisted(system, |request| {
        if request.uri().path() == "/v1/refunds" {
            return Err(Bytes::from_static(br#"{"id":"re_forgotten"}"#));
        }
        Ok(request)
    })
}

/// Refunds under the key of their charge: to the provider another request under a known key.
pub(super) fn refund_under_charge_key(system: System) -> System {
    twisted(system, |mut request| {
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        if let Some(charge) = key.and_then(|key| key.strip_suffix("-refund")) {
            let charge = charge.parse().expect("a part of a header is a header");
            request.headers_mut().insert("idempotency-key", charge);
        }
        Ok(request)
    })
}

/// Charges of whole units of the currency.
pub(super) fn whole_units(system: System) -> System {
    twisted(system, |request| Ok(amount(request, |cents| (cents / 100 * 100).max(100))))
}

/// Charges of what floating point makes of a price.
pub(super) fn float_cents(system: System) -> System {
    twisted(system, |request| {
        Ok(amount(request, |cents| {
            let price = cents as f64 / 100.0;
            (price * 100.0) as i64
        }))
    })
}

/// The request with another amount.
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

/// A cancellation that comes after the money has moved is noted, and no more.
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

/// Nobody carries on a charge whose request did not live to hear the answer.
pub(super) fn charges_not_swept(system: System) -> System {
    with_service(system, Some(payments::NAME), |service| {
        service.tasks.retain(|task| task.name() != "charges");
    })
}
