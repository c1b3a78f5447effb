//! The world outside behind a real socket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use tokio::task::coop::unconstrained;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::system::{ExternalReply, ExternalService};

/// Longer than any client waits.
const NEVER: Duration = Duration::from_secs(600);

struct Answering(Arc<dyn ExternalService>);

/// A server that answers as an [`ExternalService`] does.
pub(super) struct Server(Option<MockServer>);

impl Server {
    pub(super) async fn start(outside: Arc<dyn ExternalService>) -> Self {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Answering(outside)).mount(&server).await;
        Self(Some(server))
    }

    pub(super) fn uri(&self) -> String {
        self.0.as_ref().map(MockServer::uri).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A mock server blocks its thread on a lock while it is dropped. In a task that has
        // used up its turn that lock asks to be called again, for ever.
        let server = self.0.take();
        let dropped = unconstrained(async move { drop(server) }).now_or_never();
        debug_assert!(dropped.is_some(), "nothing is awaited");
    }
}

impl Respond for Answering {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut copy = http::Request::builder()
            .method(request.method.as_str())
            .uri(request.url.path())
            .body(Bytes::copy_from_slice(&request.body))
            .expect("it came as a request");
        copy.headers_mut().clone_from(&request.headers);
        match self.0.answer(&copy) {
            ExternalReply::Response(answer) => {
                let (parts, body) = answer.into_parts();
                let mut template = ResponseTemplate::new(parts.status.as_u16());
                for (name, value) in &parts.headers {
                    template = template.append_header(name, value);
                }
                template.set_body_bytes(body)
            }
            ExternalReply::Lost => ResponseTemplate::new(200).set_delay(NEVER),
            // A mock server cannot refuse a connection; to its client both mean «try again».
            ExternalReply::Refused => ResponseTemplate::new(503),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use tokio::task::coop::{consume_budget, has_budget_remaining};

    use super::*;

    struct Silent;

    impl ExternalService for Silent {
        fn answer(&self, _: &http::Request<Bytes>) -> ExternalReply {
            ExternalReply::Lost
        }
    }

    #[tokio::test]
    async fn a_server_can_be_dropped_in_a_task_whose_turn_is_over() {
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
