//! The service `desk`: it lists tickets, and lets buyers hold and release them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::NoContent;
use axum::routing::post;
use axum::{Json, Router};
use platform::collection::CollectionSpec;
use platform::http::ApiError;
use platform::service::Service;
use ports::Ports;
use ports::clock::{Clock, after};
use ports::entropy::Entropy;
use serde::{Deserialize, Serialize};

use crate::{Claim, LEASE, Lock, LockError, Outcome, Strategy};

/// The name of the service.
pub const NAME: &str = "desk";

#[derive(Clone)]
struct Desk {
    lock: Arc<dyn Lock>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    is_lease: bool,
}

/// The body of a listing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listing {
    pub(crate) ticket: String,
    pub(crate) price: i64,
}

/// The body of a claim.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) ticket: String,
    pub(crate) buyer: String,
}

/// A hold, as it is shown to its buyer, and named to release it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) ticket: String,
    pub(crate) hold: String,
    /// The price that the buyer was shown, in cents.
    pub(crate) price: i64,
    /// The time at which the lock ends the hold by itself, in milliseconds since 1970; `None` for
    /// never.
    pub(crate) until: Option<i64>,
}

impl From<LockError> for ApiError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::NoTicket => Self::not_found(),
            LockError::Contended => Self::unavailable(),
            LockError::Read(error) => error.into(),
            LockError::Write(error) => error.into(),
        }
    }
}

async fn list(
    State(desk): State<Desk>,
    Json(listing): Json<Listing>,
) -> Result<StatusCode, ApiError> {
    desk.lock.list(&listing.ticket, listing.price).await?;
    Ok(StatusCode::CREATED)
}

async fn hold(
    State(desk): State<Desk>,
    Json(Wish { ticket, buyer }): Json<Wish>,
) -> Result<(StatusCode, Json<Hold>), ApiError> {
    let now = desk.clock.now();
    let hold = desk.entropy.id(now);
    match desk.lock.hold(&Claim::new(&ticket, &hold, &buyer, now)).await? {
        Outcome::Held { price } => {
            let until = desk.is_lease.then(|| after(now, LEASE).as_millisecond());
            Ok((StatusCode::CREATED, Json(Hold { ticket, hold, price, until })))
        }
        Outcome::Taken => Err(ApiError::refused("The ticket is held")),
    }
}

async fn release(State(desk): State<Desk>, Json(hold): Json<Hold>) -> Result<NoContent, ApiError> {
    desk.lock.release(&hold.ticket, &hold.hold).await?;
    Ok(NoContent)
}

/// The service with this way to lock.
pub fn service(ports: &Ports, strategy: &'static Strategy) -> Service {
    let desk = Desk {
        lock: (strategy.open)(Arc::clone(&ports.store)),
        clock: Arc::clone(&ports.clock),
        entropy: Arc::clone(&ports.entropy),
        is_lease: strategy.is_lease,
    };
    let routes = Router::new()
        .route("/api/tickets", post(list))
        .route("/api/holds", post(hold))
        .route("/api/releases", post(release))
        .with_state(desk);
    let paths = &["/api/tickets", "/api/holds", "/api/releases"];
    let mut service = Service::named(NAME).routes(paths, routes);
    for (name, indexes) in (strategy.collections)() {
        service.collections.push(CollectionSpec { name, indexes });
    }
    service
}
