//! External services, simulated in process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use ports::Timestamp;
use ports::clock::after;
use ports::http::{Http, HttpError};

use crate::access::{Access, Resource};
use crate::call::{Call, Operation, Port};
use crate::digest::Digest;
use crate::kernel::Kernel;

/// A service outside the system under rehearsal, such as a payment provider.
pub trait ExternalService: Send + Sync {
    /// Handles a request at this time, which is virtual in simulation.
    fn answer(&self, request: &http::Request<Bytes>, now: Timestamp) -> ExternalReply;
}

/// The reply of an external service, or its absence.
#[derive(Debug, Clone)]
pub enum ExternalReply {
    /// A response.
    Response(http::Response<Bytes>),
    /// The request took effect, and its response arrives after this time.
    Slow(http::Response<Bytes>, Duration),
    /// The request took effect, and the response is lost.
    Lost,
    /// The service accepts no connections.
    Refused,
}

/// The HTTP port of one instance.
pub struct SimHttp {
    /// The kernel.
    pub kernel: Kernel,
    /// The number of the instance.
    pub instance: u32,
    /// The service that handles every request.
    pub service: Arc<dyn ExternalService>,
}

#[async_trait]
impl Http for SimHttp {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let path = request.uri().path().to_owned();
        self.kernel.step(Call::new(self.instance, Port::Http, Operation::Send, path)).await;
        let now = self.kernel.now();
        let reply = self.service.answer(&request, now);
        // The state of the service is unknown here, so all requests to it are dependent.
        self.kernel.access(|| {
            let external = Resource::new(Digest::new("external"));
            Access::DurableWrite(external, exchange(&request, &reply))
        });
        match reply {
            ExternalReply::Response(response) => Ok(response),
            ExternalReply::Slow(response, time) => {
                self.kernel.sleep_until(after(now, time)).await;
                Ok(response)
            }
            ExternalReply::Lost => Err(HttpError::Unknown("the response is lost".to_owned())),
            ExternalReply::Refused => Err(HttpError::Unreachable("connection refused".to_owned())),
        }
    }
}

/// The digest of a request and its reply.
fn exchange(request: &http::Request<Bytes>, reply: &ExternalReply) -> u64 {
    let digest = Digest::new("exchange").text(request.method().as_str());
    let digest = digest.text(request.uri().path()).text(request.uri().query().unwrap_or_default());
    let digest = headers(digest, request.headers()).bytes(request.body());
    match reply {
        ExternalReply::Response(response) | ExternalReply::Slow(response, _) => {
            let digest = digest.text("response").number(response.status().as_u16().into());
            headers(digest, response.headers()).bytes(response.body()).finish()
        }
        ExternalReply::Lost => digest.text("lost").finish(),
        ExternalReply::Refused => digest.text("refused").finish(),
    }
}

/// Adds headers by name: the order of a header map is unspecified.
fn headers(digest: Digest, headers: &HeaderMap) -> Digest {
    let mut sorted: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    sorted.sort_by_key(|(name, _)| *name);
    let digest = digest.number(sorted.len() as u64);
    sorted.into_iter().fold(digest, |digest, (name, value)| digest.text(name).bytes(value))
}
