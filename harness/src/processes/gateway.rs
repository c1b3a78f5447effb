//! The gateway: sends a client's request to the ready instances of a service in turn.
//!
//! Only a request of which no byte was sent goes to another instance: any other may have been
//! carried out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use adapters::reqwest::client;
use bytes::Bytes;
use http::{HeaderValue, header};

use super::instance::Instance;
use crate::real::ingress::exchange;
use crate::system::System;
use crate::world::Reply;

/// Time after which a client gives up.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Routes requests to instances.
pub(super) struct Gateway {
    system: System,
    instances: Vec<Arc<Instance>>,
    client: reqwest::Client,
    turn: AtomicUsize,
}

impl Gateway {
    /// A gateway to the services of this system at these instances.
    pub(super) fn new(system: System, instances: Vec<Arc<Instance>>) -> Self {
        Self { system, instances, client: client(CLIENT_TIMEOUT), turn: AtomicUsize::new(0) }
    }

    /// Sends a request and returns the reply.
    pub(super) async fn send(&self, mut request: http::Request<Bytes>) -> Reply {
        let line = format!("{} {}", request.method(), request.uri());
        let Some(service) = self.system.serves(request.uri().path()) else {
            return Reply::Unanswered(format!("no service serves {line}"));
        };
        let of_service = self.instances.iter().filter(|instance| instance.id.service == service);
        let mut ready: Vec<_> = of_service.filter(|instance| instance.is_ready()).collect();
        if !ready.is_empty() {
            let turn = self.turn.fetch_add(1, Relaxed) % ready.len();
            ready.rotate_left(turn);
        }
        // A connection for each request: a write to a kept one that its process has lost would
        // look as if the request may have arrived.
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        for instance in ready {
            match exchange(&self.client, instance.address, request.clone()).await {
                Ok(answer) => return Reply::Answer(answer),
                Err(error) if error.is_connect() => {}
                Err(error) => return Reply::Unanswered(error.to_string()),
            }
        }
        Reply::Unanswered(format!("no instance of {service} is ready for {line}"))
    }
}
