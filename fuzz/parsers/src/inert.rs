//! Services on ports at which nothing answers, and what they answer by themselves.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::FutureExt;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use identity::session::Sessions;
use platform::service::Service;
use ports::{Ports, Timestamp};
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::entropy::SimEntropy;
use sim::external::{ExternalReply, ExternalService, SimHttp};
use sim::kernel::Kernel;
use sim::scheduler::Fifo;
use sim::store::{SimDatabase, SimStore};
use ticketing::{SERVICES, Settings};
use tower::ServiceExt;

struct Nobody;

impl ExternalService for Nobody {
    fn answer(&self, _: &Request<Bytes>, _: Timestamp) -> ExternalReply {
        ExternalReply::Refused
    }
}

/// Ports whose calls never return.
pub(crate) fn ports(service: &'static str) -> Ports {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Fifo));
    let broker = SimBroker::new(Duration::from_secs(1));
    let external = Arc::new(Nobody);
    Ports {
        store: Arc::new(SimStore::new(kernel.clone(), 0, service, SimDatabase::default())),
        bus: Arc::new(SimBus::new(kernel.clone(), 0, broker)),
        http: Arc::new(SimHttp { kernel: kernel.clone(), instance: 0, service: external }),
        clock: Arc::new(SimClock(kernel.clone())),
        entropy: Arc::new(SimEntropy::new(kernel, 0)),
    }
}

/// The service of this name.
pub(crate) fn service(name: &str) -> Service {
    let entry = SERVICES.iter().find(|entry| entry.name == name).expect("a known service");
    (entry.build)(&ports(entry.name), &Settings::rehearsal())
}

/// The `Cookie` header of a signed-in user.
pub(crate) fn cookie() -> String {
    let sessions = Sessions::new(&Settings::rehearsal().session, &ports("auth"));
    let id = "0123456789abcdef01234567";
    let issued = sessions.issue(id, "anna@example.com", 0, Timestamp::UNIX_EPOCH);
    let issued = issued.to_str().expect("it is text");
    issued.split(';').next().expect("it has a first part").to_owned()
}

/// The status with which a service answers a request before it asks any port; `None` if it has
/// accepted the request. An error must have the shape of an error.
pub(crate) fn answer(name: &str, request: Request<Body>) -> Option<StatusCode> {
    let response = service(name).routes.oneshot(request).now_or_never()?;
    let response = response.expect("a router never fails");
    let (parts, body) = response.into_parts();
    let body = body.collect().now_or_never().expect("a body is ready").expect("it is in memory");
    if parts.status.is_success() {
        return Some(parts.status);
    }
    assert!(parts.status.is_client_error(), "{} without any port", parts.status);
    let kind = parts.headers.get(header::CONTENT_TYPE).expect("an error has a type");
    assert_eq!(kind, "application/json");
    let body: serde_json::Value = serde_json::from_slice(&body.to_bytes()).expect("it is JSON");
    let problems = body["errors"].as_array().expect("an error has a list of problems");
    assert!(!problems.is_empty(), "{} without a problem", parts.status);
    assert!(problems.iter().all(|problem| problem["message"].is_string()), "{body}");
    Some(parts.status)
}
