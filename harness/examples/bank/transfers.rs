//! The service `transfers`: it takes requests, and follows each transfer to its end.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use garde::Validate;
use platform::collection::{Aggregate, Collection, Decision};
use platform::event::Emit;
use platform::http::input::document_id;
use platform::http::{ApiError, Id, Input};
use platform::listen::HandleError;
use platform::service::Service;
use ports::Ports;
use ports::store::Index;
use serde::{Deserialize, Serialize};

use super::events::*;

/// The copy of an account: enough to know that it exists.
#[derive(Clone, Serialize, Deserialize)]
struct KnownAccount {
    #[serde(rename = "_id")]
    id: String,
    owner: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Transfer {
    #[serde(rename = "_id")]
    id: String,
    from: String,
    to: String,
    amount: i64,
    status: Status,
    version: i64,
}

macro_rules! aggregate {
    ($document:ty, $collection:literal) => {
        impl Aggregate for $document {
            const COLLECTION: &'static str = $collection;

            fn indexes() -> Vec<Index> {
                Vec::new()
            }

            fn id(&self) -> &str {
                &self.id
            }
        }
    };
}
aggregate!(KnownAccount, "accounts");
aggregate!(Transfer, "transfers");

impl Transfer {
    fn state(&self) -> TransferState {
        let Self { id, from, to, amount, status, version } = self.clone();
        TransferState { id, from, to, amount, status, version }
    }
}

#[derive(Clone)]
struct App {
    ports: Ports,
    accounts: Collection<KnownAccount>,
    transfers: Collection<Transfer>,
}

#[derive(Deserialize, Validate)]
struct TransferInput {
    #[garde(custom(document_id))]
    from: String,
    #[garde(custom(document_id))]
    to: String,
    #[garde(range(min = 1))]
    amount: i64,
}

async fn request(
    State(app): State<App>,
    Input(input): Input<TransferInput>,
) -> Result<(StatusCode, Json<TransferState>), ApiError> {
    let TransferInput { from, to, amount } = input;
    for account in [&from, &to] {
        app.accounts.get(account).await?.ok_or_else(ApiError::not_found)?;
    }
    let id = app.ports.entropy.id(app.ports.clock.now());
    let transfer = Transfer { id, from, to, amount, status: Status::Requested, version: 0 };
    let requested = Emit::new(&TransferRequested(transfer.state()));
    app.transfers.insert(&transfer, vec![requested]).await?;
    Ok((StatusCode::ACCEPTED, Json(transfer.state())))
}

async fn show(State(app): State<App>, Id(id): Id) -> Result<Json<TransferState>, ApiError> {
    let transfer = app.transfers.get(&id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(transfer.state()))
}

async fn opened(app: App, account: AccountState) -> Result<(), HandleError> {
    let copy = KnownAccount { id: account.id, owner: account.owner };
    let keep_first = |known: Option<&KnownAccount>| {
        Ok::<_, HandleError>(match known {
            Some(_) => Decision::Keep,
            None => Decision::Write(copy.clone(), Vec::new()),
        })
    };
    app.accounts.change(&copy.id, keep_first).await?;
    Ok(())
}

async fn decided(app: App, account: AccountState) -> Result<(), HandleError> {
    let Some(decided) = account.transfer else { return Ok(()) };
    let end = |transfer: Option<&Transfer>| {
        let transfer = transfer.ok_or_else(|| HandleError::permanent("unknown transfer"))?;
        if transfer.status != Status::Requested {
            return Ok::<_, HandleError>(Decision::Keep);
        }
        let version = transfer.version + 1;
        let next = Transfer { status: decided.status, version, ..transfer.clone() };
        let ended = match next.status {
            Status::Settled => Emit::new(&TransferSettled(next.state())),
            _ => Emit::new(&TransferRefused(next.state())),
        };
        Ok(Decision::Write(next, vec![ended]))
    };
    app.transfers.change(&decided.id, end).await?;
    Ok(())
}

/// Assembles the service from its ports.
pub(crate) fn service(ports: &Ports) -> Service {
    let (accounts, transfers) = (Collection::new(ports), Collection::new(ports));
    let app = App { ports: ports.clone(), accounts, transfers };
    let routes = Router::new()
        .route("/api/transfers", post(request))
        .route("/api/transfers/{id}", get(show))
        .with_state(app.clone());
    Service::named("transfers")
        .routes(&["/api/transfers"], routes)
        .collection::<KnownAccount>()
        .collection::<Transfer>()
        .on(OPENED, &app, opened)
        .on(DECIDED, &app, decided)
        .task(app.transfers.relay("transfers", ports))
}
