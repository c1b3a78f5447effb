//! Requests of clients in the simulated world: sent, under way, and replied to.

use std::cell::RefCell;
use std::rc::Rc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use ports::Timestamp;
use ports::causality::Causality;
use sim::access::{Access, Resource};
use sim::call::{Call, Operation, Port};
use sim::digest::Digest;
use tower::ServiceExt;

use super::Simulated;
use crate::world::{Inspect, Reply, answer_record, begin_trace, request_record};

/// A request that was sent.
pub struct Underway {
    number: u64,
    sent: Timestamp,
    reply: Rc<RefCell<Option<Reply>>>,
}

impl Underway {
    /// The time at which it was sent.
    pub(super) fn sent(&self) -> Timestamp {
        self.sent
    }

    /// True if there is a reply, or never will be one: once nobody else holds the slot, the
    /// request was aborted, because its instance crashed.
    pub fn has_ended(&self) -> bool {
        Rc::strong_count(&self.reply) == 1 || self.reply.borrow().is_some()
    }
}

impl Simulated {
    /// Sends a request, which makes progress while time passes or the world steps.
    pub fn submit(&mut self, mut request: http::Request<Bytes>) -> Underway {
        let reply = Rc::new(RefCell::new(None));
        self.requests += 1;
        let (number, sent) = (self.requests, self.kernel.now());
        let origin = client_origin(self.kernel.seed(), number);
        begin_trace(&mut request, &origin, number);
        let line = format!("{} {}", request.method(), request.uri());
        let instances = self.instances.iter().map(|instance| instance.id);
        let at = self.system.route(request.uri().path(), number, instances);
        let to = at.map(|at| self.instances[at].id);
        self.trace.add(self.now(), None, request_record(&request, number, to));
        let Some(at) = at else {
            *reply.borrow_mut() = Some(Reply::Unanswered(format!("no instance serves {line}")));
            return Underway { number, sent, reply };
        };
        let (id, routes) = (self.instances[at].id, self.instances[at].routes.clone());
        let (kernel, slot) = (self.kernel.clone(), Rc::clone(&reply));
        let trace = self.trace.clone();
        let work = async move {
            kernel.step(Call::new(id.instance, Port::Http, Operation::Request, line)).await;
            // A service may look into its memory before its first call.
            kernel.access(|| Access::Read(Resource::memory(id.instance)));
            let answer = routes.oneshot(request.map(Body::from)).await;
            let (parts, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
            let body =
                body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            kernel.access(|| {
                let answer = Digest::new("reply").number(number);
                let content = answer.number(parts.status.as_u16().into()).bytes(&body);
                Access::DurableWrite(Resource::new(answer), content.finish())
            });
            let answer = http::Response::from_parts(parts, body);
            let answer = Reply::Answer(answer);
            trace.add(kernel.now(), None, answer_record(number, &answer));
            *slot.borrow_mut() = Some(answer);
        };
        let work = self.spawn(id, origin.scope(work));
        self.instances[at].work.push(work);
        Underway { number, sent, reply }
    }

    /// The reply to a request; without one, its connection is lost.
    pub(super) fn conclude(&self, request: &Underway) -> Reply {
        let lost = || Reply::Unanswered("the connection was lost".to_owned());
        let reply = request.reply.take().unwrap_or_else(lost);
        // An answer was recorded when it arrived.
        if let Reply::Unanswered(_) = reply {
            self.trace().add(self.now(), None, answer_record(request.number, &reply));
        }
        reply
    }
}

/// The origin of a request until the service assigns one: a causal chain and a stream of
/// random numbers of its own.
fn client_origin(seed: u64, number: u64) -> Causality {
    let chain = Digest::new("client").number(seed).number(number).finish();
    Causality { correlation: format!("{chain:016x}{number:016x}"), cause: format!("{number}") }
}
