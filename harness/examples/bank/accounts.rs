//! The service `accounts`: it holds the money, and decides on every debit and credit.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use garde::Validate;
use platform::collection::{Aggregate, Collection, Decision};
use platform::event::{Emit, Event};
use platform::http::{ApiError, Id, Input};
use platform::listen::HandleError;
use platform::service::Service;
use ports::Ports;
use ports::store::Index;
use serde::{Deserialize, Serialize};

use super::events::*;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    #[serde(rename = "_id")]
    id: String,
    owner: String,
    opened_with: i64,
    balance: i64,
    /// The transfers that changed this account: a repeated event changes nothing.
    applied: Vec<String>,
    version: i64,
}

impl Aggregate for Account {
    const COLLECTION: &'static str = "accounts";

    fn indexes() -> Vec<Index> {
        Vec::new()
    }

    fn id(&self) -> &str {
        &self.id
    }
}

impl Account {
    fn state(&self, transfer: Option<&TransferState>) -> AccountState {
        AccountState {
            id: self.id.clone(),
            owner: self.owner.clone(),
            balance: self.balance,
            version: self.version,
            transfer: transfer.cloned(),
        }
    }

    /// Adds this amount because of a transfer, once; `event` announces it.
    fn apply<E: Event>(
        &self,
        amount: i64,
        transfer: &TransferState,
        event: fn(AccountState) -> E,
    ) -> Decision<Self> {
        if self.applied.contains(&transfer.id) {
            return Decision::Keep;
        }
        let mut next = self.clone();
        next.balance += amount;
        next.applied.push(transfer.id.clone());
        next.version += 1;
        let emit = Emit::new(&event(next.state(Some(transfer))));
        Decision::Write(next, vec![emit])
    }
}

#[derive(Clone)]
struct App {
    ports: Ports,
    accounts: Collection<Account>,
}

#[derive(Deserialize, Validate)]
struct OpenInput {
    #[garde(length(min = 1))]
    owner: String,
    #[garde(range(min = 0))]
    balance: i64,
}

async fn open(
    State(app): State<App>,
    Input(input): Input<OpenInput>,
) -> Result<(StatusCode, Json<AccountState>), ApiError> {
    let OpenInput { owner, balance } = input;
    let id = app.ports.entropy.id(app.ports.clock.now());
    let (opened_with, applied, version) = (balance, Vec::new(), 0);
    let account = Account { id, owner, opened_with, balance, applied, version };
    let opened = Emit::new(&AccountOpened(account.state(None)));
    app.accounts.insert(&account, vec![opened]).await?;
    Ok((StatusCode::CREATED, Json(account.state(None))))
}

async fn show(State(app): State<App>, Id(id): Id) -> Result<Json<AccountState>, ApiError> {
    let account = app.accounts.get(&id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(account.state(None)))
}

async fn debit(app: App, transfer: TransferState) -> Result<(), HandleError> {
    let debit = |account: Option<&Account>| match known(account)? {
        // A refusal is remembered too: the balance may be higher when the event repeats.
        poor if poor.balance < transfer.amount => {
            let refused = TransferState { status: Status::Refused, ..transfer.clone() };
            Ok(poor.apply(0, &refused, AccountRefused))
        }
        account => Ok::<_, HandleError>(account.apply(-transfer.amount, &transfer, AccountDebited)),
    };
    app.accounts.change(&transfer.from, debit).await?;
    Ok(())
}

async fn credit(app: App, debited: AccountState) -> Result<(), HandleError> {
    let Some(debited) = debited.transfer else { return Ok(()) };
    let transfer = TransferState { status: Status::Settled, ..debited };
    let credit = |account: Option<&Account>| {
        Ok::<_, HandleError>(known(account)?.apply(transfer.amount, &transfer, AccountCredited))
    };
    app.accounts.change(&transfer.to, credit).await?;
    Ok(())
}

fn known(account: Option<&Account>) -> Result<&Account, HandleError> {
    account.ok_or_else(|| HandleError::permanent("unknown account"))
}

/// Assembles the service from its ports.
pub(crate) fn service(ports: &Ports) -> Service {
    let app = App { ports: ports.clone(), accounts: Collection::new(ports) };
    let routes = Router::new()
        .route("/api/accounts", post(open))
        .route("/api/accounts/{id}", get(show))
        .with_state(app.clone());
    Service::named("accounts")
        .routes(&["/api/accounts"], routes)
        .collection::<Account>()
        .on(REQUESTED, &app, debit)
        .on(DEBITED, &app, credit)
        .task(app.accounts.relay("accounts", ports))
}
