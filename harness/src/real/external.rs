//! The external services behind a real socket, so that services call them over HTTP.

use std::sync::Arc;
use std::time::Duration;

use adapters::system::SystemClock;
use bytes::Bytes;
use futures::FutureExt;
use ports::clock::Clock;
use tokio::task::coop::unconstrained;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::system::{ExternalReply, ExternalService};

/// Delay of a response that never arrives: longer than any client waits.
const NEVER: Duration = Duration::from_secs(600);

struct Responder(Arc<dyn ExternalService>);

/// An HTTP server that responds as an [`ExternalService`] does.
pub(super) struct Server(Option<MockServer>);

impl Server {
    pub(super) async fn start(service: Arc<dyn ExternalService>) -> Self {
        // A system that people use would fill the memory with them.
        let server = MockServer::builder().disable_request_recording().start().await;
        Mock::given(any()).respond_with(Responder(service)).mount(&server).await;
        Self(Some(server))
    }

    pub(super) fn uri(&self) -> String {
        self.0.as_ref().map(MockServer::uri).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dropping a mock server blocks the thread on a tokio lock. In a task without
        // cooperative budget that lock yields forever, so the drop would never return.
        let server = self.0.take();
        let dropped = unconstrained(async move { drop(server) }).now_or_never();
        debug_assert!(dropped.is_some(), "dropping awaits nothing");
    }
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let (path, query) = (request.url.path(), request.url.query());
        let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let mut copy = http::Request::builder()
            .method(request.method.as_str())
            .uri(target)
            .body(Bytes::copy_from_slice(&request.body))
            .expect("a received request is valid");
        copy.headers_mut().clone_from(&request.headers);
        match self.0.answer(&copy, SystemClock.now()) {
            ExternalReply::Response(answer) => template(answer),
            ExternalReply::Slow(answer, time) => template(answer).set_delay(time),
            ExternalReply::Lost => ResponseTemplate::new(200).set_delay(NEVER),
            // A mock server cannot refuse a connection; a client retries after a 503 as well.
            ExternalReply::Refused => ResponseTemplate::new(503),
        }
    }
}

fn template(answer: http::Response<Bytes>) -> ResponseTemplate {
    let (parts, body) = answer.into_parts();
    let mut template = ResponseTemplate::new(parts.status.as_u16());
    for (name, value) in &parts.headers {
        template = template.append_header(name, value);
    }
    template.set_body_bytes(body)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use ports::Timestamp;
    use tokio::task::coop::{consume_budget, has_budget_remaining};

    use super::*;

    struct Silent;

    impl ExternalService for Silent {
        fn answer(&self, _: &http::Request<Bytes>, _: Timestamp) -> ExternalReply {
            ExternalReply::Lost
        }
    }

    #[tokio::test]
    async fn a_server_can_be_dropped_in_a_task_without_budget() {
        let mut server = Some(Server::start(Arc::new(Silent)).await);
        poll_fn(|context| {
            while has_budget_remaining() {
                let _ = pin!(consume_budget()).poll(context);
            }
            server.take();
            Poll::Ready(())
        })
        .await;
    }
}
