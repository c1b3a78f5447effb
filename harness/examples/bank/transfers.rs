//! The service `transfers`: it takes requests, and follows each transfer to its end.

use platform::prelude::*;

use super::events::*;

impl Aggregate for Transfer {
    const COLLECTION: &'static str = "transfers";
}

/// The copy of an account: enough to know that it exists.
#[derive(Clone, Serialize, Deserialize)]
struct KnownAccount {
    id: String,
    owner: String,
    version: i64,
}

impl Aggregate for KnownAccount {
    const COLLECTION: &'static str = "accounts";
}

#[derive(Clone)]
struct App {
    accounts: Collection<KnownAccount>,
    transfers: Collection<Transfer>,
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Request {
    #[garde(custom(document_id))]
    from: String,
    #[garde(custom(document_id))]
    to: String,
    #[garde(range(min = 1))]
    amount: i64,
}

async fn request(
    State(app): State<App>,
    Input(Request { from, to, amount }): Input<Request>,
) -> Created<Transfer> {
    for account in [&from, &to] {
        app.accounts.get(account).await?.ok_or_else(ApiError::not_found)?;
    }
    let (id, status) = (app.transfers.fresh_id(), Status::Requested);
    let transfer = Transfer { id, from, to, amount, status, version: 0 };
    let requested = Emit::new(&TransferRequested(transfer.clone()));
    app.transfers.insert(&transfer, vec![requested]).await?;
    created(transfer)
}

async fn changed(app: App, account: AccountState) -> Result<(), HandleError> {
    let Some(moved) = account.transfer else { return Ok(()) };
    let follow = |transfer: &Transfer| {
        if transfer.version >= moved.version {
            return Decision::Keep;
        }
        Decision::Write(moved.clone(), vec![Emit::new(&TransferChanged(moved.clone()))])
    };
    app.transfers.follow(&moved.id, follow).await
}

pub(crate) fn service(ports: &Ports) -> Service {
    let app = App { accounts: Collection::new(ports), transfers: Collection::new(ports) };
    let table = [
        Route::post("/api/transfers", request).refuses([ApiError::not_found()]),
        show("/api/transfers/{id}", &app.transfers, |transfer| transfer),
    ];
    let routes = Routes::new(app.clone(), table);
    Service::named("transfers")
        .routes(&["/api/transfers"], routes)
        .collection(&app.transfers)
        .copy(OPENED, &app.accounts, "version")
        .on(CHANGED, &app, changed)
}
