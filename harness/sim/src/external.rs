//! Requests to the world outside, answered in the process.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ports::http::{Http, HttpError};

use super::access::{Access, Resource, digest};
use crate::call::{Call, Operation, Port};
use crate::kernel::Kernel;

/// A party outside the system that answers requests, such as a payment provider.
pub trait ExternalService: Send + Sync {
    /// What it does with a request, at once.
    fn answer(&self, request: &http::Request<Bytes>) -> ExternalReply;
}

/// An answer from outside, or its absence.
#[derive(Debug, Clone)]
pub enum ExternalReply {
    /// It answers.
    Response(http::Response<Bytes>),
    /// It did what was asked, and the answer is lost.
    Lost,
    /// It does not accept connections.
    Refused,
}

/// The HTTP port of one instance.
pub struct SimHttp {
    /// The kernel.
    pub kernel: Kernel,
    /// The instance.
    pub instance: u32,
    /// Who answers.
    pub service: Arc<dyn ExternalService>,
}

#[async_trait]
impl Http for SimHttp {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let path = request.uri().path().to_owned();
        let call = Call::new(self.instance, Port::Http, Operation::Send, path);
        self.kernel.step(call).await;
        let answer = self.service.answer(&request);
        // Whoever answers keeps books of which nothing is known here: the order matters.
        self.kernel.access(|| {
            let asked = digest((request.uri().path(), request.body(), format!("{answer:?}")));
            Access::DurableWrite(Resource::new("outside", ()), asked)
        });
        match answer {
            ExternalReply::Response(response) => Ok(response),
            ExternalReply::Lost => Err(HttpError::Unknown("the answer is lost".to_owned())),
            ExternalReply::Refused => Err(HttpError::Unreachable("connection refused".to_owned())),
        }
    }
}
