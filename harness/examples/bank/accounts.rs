//! The service `accounts`: it holds the money, and decides on every debit and credit.

use std::collections::BTreeMap;

use platform::prelude::*;

use super::events::*;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    #[serde(flatten)]
    pub(crate) state: AccountState,
    pub(crate) opened_with: i64,
    /// The transfers that changed it, each at a version: a repeated event changes nothing.
    applied: BTreeMap<String, i64>,
}

impl Aggregate for Account {
    const COLLECTION: &'static str = "accounts";
}

impl Account {
    /// Takes the next step of a transfer, once.
    fn apply(&self, transfer: &Transfer) -> Decision<Self> {
        if self.applied.get(&transfer.id) >= Some(&transfer.version) {
            return Decision::Keep;
        }
        let (amount, status) = match transfer.status {
            Status::Requested if self.state.balance < transfer.amount => (0, Status::Refused),
            Status::Requested => (-transfer.amount, Status::Debited),
            _ => (transfer.amount, Status::Settled),
        };
        let mut next = self.clone();
        next.applied.insert(transfer.id.clone(), transfer.version);
        let moved = Transfer { status, version: transfer.version + 1, ..transfer.clone() };
        next.state.transfer = Some(moved);
        next.state.balance += amount;
        next.state.version += 1;
        let changed = Emit::new(&AccountChanged(next.state.clone()));
        Decision::Write(next, vec![changed])
    }
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Opening {
    #[garde(length(min = 1))]
    owner: String,
    #[garde(range(min = 0))]
    balance: i64,
}

async fn open(
    State(accounts): State<Collection<Account>>,
    Input(Opening { owner, balance }): Input<Opening>,
) -> Created<AccountState> {
    let id = accounts.fresh_id();
    let state = AccountState { id, owner, balance, transfer: None, version: 0 };
    let opened = Emit::new(&AccountOpened(state.clone()));
    let account = Account { state, opened_with: balance, applied: BTreeMap::new() };
    accounts.insert(&account, vec![opened]).await?;
    created(account.state)
}

async fn transfer(accounts: Collection<Account>, transfer: Transfer) -> Result<(), HandleError> {
    let account = match transfer.status {
        Status::Requested => &transfer.from,
        Status::Debited => &transfer.to,
        Status::Settled | Status::Refused => return Ok(()),
    };
    accounts.follow(account, |account| account.apply(&transfer)).await
}

pub(crate) fn service(ports: &Ports) -> Service {
    let accounts = Collection::new(ports);
    let table = [
        Route::post("/api/accounts", open),
        show("/api/accounts/{id}", &accounts, |account: Account| account.state),
    ];
    let routes = Routes::new(accounts.clone(), table);
    Service::named("accounts").routes(&["/api/accounts"], routes).collection(&accounts).on(
        TRANSFER_EVENTS,
        &accounts,
        transfer,
    )
}
