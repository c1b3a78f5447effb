//! Requests to the world outside, answered in the process.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use platform::ports::http::{Http, HttpError};

use super::kernel::{Call, Kernel, Port};
use super::touch::{Thing, Touch, digest};
use crate::system::{Answer, Outside};

/// The HTTP port of one instance.
pub struct SimHttp {
    /// The kernel.
    pub kernel: Kernel,
    /// The instance.
    pub instance: u32,
    /// Who answers.
    pub outside: Arc<dyn Outside>,
}

#[async_trait]
impl Http for SimHttp {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let path = request.uri().path().to_owned();
        let call = Call::new(self.instance, Port::Http, "send", path);
        self.kernel.turn(call).await;
        let answer = self.outside.answer(&request);
        // Whoever answers keeps books of which nothing is known here: the order matters.
        self.kernel.touch(|| {
            let asked = digest((request.uri().path(), request.body(), format!("{answer:?}")));
            Touch::Lasting(Thing::new("outside", ()), asked)
        });
        match answer {
            Answer::Response(response) => Ok(response),
            Answer::Lost => Err(HttpError::Unknown("the answer is lost".to_owned())),
            Answer::Refused => Err(HttpError::Unreachable("connection refused".to_owned())),
        }
    }
}
