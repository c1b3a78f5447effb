//! The world outside behind a real socket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::system::{Answer, Outside};

/// Longer than any client waits.
const NEVER: Duration = Duration::from_secs(600);

struct Answering(Arc<dyn Outside>);

/// A server that answers as `outside` does.
pub(super) async fn serve(outside: Arc<dyn Outside>) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(Answering(outside)).mount(&server).await;
    server
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
            Answer::Response(answer) => {
                let (parts, body) = answer.into_parts();
                let mut template = ResponseTemplate::new(parts.status.as_u16());
                for (name, value) in &parts.headers {
                    template = template.append_header(name, value);
                }
                template.set_body_bytes(body)
            }
            Answer::Lost => ResponseTemplate::new(200).set_delay(NEVER),
            // A mock server cannot refuse a connection; to its client both mean «try again».
            Answer::Refused => ResponseTemplate::new(503),
        }
    }
}
