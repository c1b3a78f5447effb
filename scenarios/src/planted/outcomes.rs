//! Bugs in the handling of unknown outcomes.

use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use harness::system::System;
use http::{Request, Response, StatusCode};
use ports::http::{Http, HttpError};
use ports::store::{Store, Update, WriteError};

use harness::bugs::planting::with_ports;
use harness::bugs::ports::{HttpOverride, StoreOverride, at_http, at_store};

/// Reports writes with an unknown outcome as successful.
pub(super) fn unknown_is_success(system: System) -> System {
    with_ports(system, None, |ports| at_store(ports, Hopeful))
}

struct Hopeful;

#[async_trait]
impl StoreOverride for Hopeful {
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        document: Document,
    ) -> Result<(), WriteError> {
        match store.insert(collection, document).await {
            Err(WriteError::Unknown(_)) => Ok(()),
            written => written,
        }
    }

    async fn update(
        &self,
        store: &dyn Store,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        match store.update(collection, update).await {
            Err(WriteError::Unknown(_)) => Ok(Some(Document::new())),
            written => written,
        }
    }
}

/// Retries inserts with an unknown outcome, so that one that succeeded conflicts with itself.
pub(super) fn unknown_is_failure(system: System) -> System {
    with_ports(system, Some(orders::NAME), |ports| at_store(ports, Insistent))
}

struct Insistent;

#[async_trait]
impl StoreOverride for Insistent {
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        document: Document,
    ) -> Result<(), WriteError> {
        match store.insert(collection, document.clone()).await {
            Err(WriteError::Unknown(_)) => match store.insert(collection, document).await {
                // MongoDB would name the index of holders, which is checked as well.
                Err(WriteError::Duplicate { index }) if index == "_id_" => {
                    Err(WriteError::Duplicate { index: "one-holder".to_owned() })
                }
                written => written,
            },
            written => written,
        }
    }
}

/// Turns a missing response of the payment provider into a decline.
pub(super) fn timeout_is_decline(system: System) -> System {
    with_ports(system, Some(payments::NAME), |ports| at_http(ports, Declining))
}

struct Declining;

#[async_trait]
impl HttpOverride for Declining {
    async fn send(
        &self,
        http: &dyn Http,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, HttpError> {
        let charge = request.uri().path() == "/v1/charges";
        match http.send(request).await {
            Err(HttpError::Unknown(_)) if charge => {
                let mut declined = Response::new(Bytes::from_static(b"{}"));
                *declined.status_mut() = StatusCode::PAYMENT_REQUIRED;
                Ok(declined)
            }
            response => response,
        }
    }
}
