//! Outgoing HTTP into whose requests faults are injected.

use std::sync::Arc;

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::Bytes;
use ports::http::{Http, HttpError};

use super::injector::Injector;
use super::rule::{Operation, Port};

pub(super) struct FaultyHttp {
    injector: Injector,
    inner: Arc<dyn Http>,
}

impl FaultyHttp {
    pub(super) fn new(injector: Injector, inner: Arc<dyn Http>) -> Self {
        Self { injector, inner }
    }
}

#[async_trait]
impl Http for FaultyHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.injector.reach(Port::Http, HttpError::Unreachable)?;
        let effect = self.injector.inject(Operation::Send, request.uri().path());
        let sent = self.inner.send(request);
        self.injector.apply(effect, sent, HttpError::Unreachable, HttpError::Unknown).await
    }
}
