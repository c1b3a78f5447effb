//! A world outside that fails on plan.

use std::sync::Arc;

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;
use ports::http::{Http, HttpError};

use super::{Effect, Operation, Reach, Site};

pub(super) struct FaultyHttp {
    pub(super) at: Site,
    pub(super) inner: Arc<dyn Http>,
}

#[async_trait]
impl Http for FaultyHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if self.at.is_cut(Reach::ExternalService) {
            return Err(HttpError::Unreachable("connection refused".to_owned()));
        }
        match self.at.inject(Operation::Send, request.uri().path()) {
            Some(Effect::Fail) => Err(HttpError::Unreachable("connection refused".to_owned())),
            Some(Effect::FailAfter) => {
                self.inner.send(request).await?;
                Err(HttpError::Unknown("connection lost before the answer".to_owned()))
            }
            Some(Effect::Vanish) => {
                Err(HttpError::Unknown("connection lost before the answer".to_owned()))
            }
            Some(Effect::Delay(by)) => {
                self.at.clock.sleep(by).await;
                self.inner.send(request).await
            }
            Some(Effect::CrashBefore) => self.at.crash().await,
            Some(Effect::CrashAfter) => {
                // The answer goes down with the instance.
                drop(self.inner.send(request).await);
                self.at.crash().await
            }
            _ => self.inner.send(request).await,
        }
    }
}
