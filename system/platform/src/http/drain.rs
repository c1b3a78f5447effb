//! Reads the rest of a request whose handler responded before its end.
//!
//! A client, such as a proxy, whose connection is closed while it still sends sees a failed
//! connection instead of the response. So the rest is read, within a bound, and discarded.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use ports::clock::Clock;

use super::input::READ_LIMIT;

/// Time in which the rest of a request must arrive. The response waits for it.
const REST_TIMEOUT: Duration = Duration::from_secs(5);

/// Middleware that runs the handler, then reads the rest of the request.
pub async fn drain(State(clock): State<Arc<dyn Clock>>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let rest: Arc<Mutex<Option<Body>>> = Arc::default();
    let unread = Arc::clone(&rest);
    let response =
        next.run(request.map(|body| Body::new(Returning { body: Some(body), unread }))).await;
    let rest = rest.lock().take();
    if let Some(body) = rest {
        // After the time limit the response is sent anyhow, and the connection closes.
        clock.within(REST_TIMEOUT, discard(body)).await;
    }
    response
}

/// Reads a body to its end, its failure or the bound.
async fn discard(body: Body) {
    let mut chunks = body.into_data_stream();
    let mut size = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        size += chunk.len();
        if size > READ_LIMIT {
            return;
        }
    }
}

/// A body that is handed back when it is dropped before its end.
struct Returning {
    body: Option<Body>,
    unread: Arc<Mutex<Option<Body>>>,
}

impl HttpBody for Returning {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if !matches!(polled, Poll::Ready(Some(Ok(_))) | Poll::Pending) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        *self.unread.lock() = self.body.take();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use async_trait::async_trait;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use futures::executor::block_on;
    use futures::stream;
    use ports::Timestamp;
    use tower::ServiceExt;

    use super::*;

    /// A clock on which no time passes.
    struct Frozen;

    #[async_trait]
    impl Clock for Frozen {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn sleep_until(&self, _: Timestamp) {
            std::future::pending::<()>().await;
        }
    }

    /// Sends a body of 100 chunks to this route; returns the number of chunks that were read.
    fn sent(route: Router) -> usize {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let chunks = stream::iter(0..100).map(move |_| {
            counted.fetch_add(1, SeqCst);
            Ok::<_, Infallible>(vec![b' '; 1024])
        });
        let request = Request::post("/").body(Body::from_stream(chunks)).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Frozen);
        let route = route.layer(from_fn_with_state(clock, drain));
        let response = block_on(route.oneshot(request)).unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        sent.load(SeqCst)
    }

    #[test]
    fn a_request_is_read_to_its_end_whatever_the_handler_reads() {
        let refuses = async || StatusCode::UNAUTHORIZED;
        assert_eq!(sent(Router::new().route("/", post(refuses))), 100);
        let reads_one = async |body: Body| {
            body.into_data_stream().next().await.unwrap().unwrap();
            StatusCode::UNAUTHORIZED
        };
        assert_eq!(sent(Router::new().route("/", post(reads_one))), 100);
        let reads_all = async |_: Bytes| StatusCode::UNAUTHORIZED;
        assert_eq!(sent(Router::new().route("/", post(reads_all))), 100);
    }
}
