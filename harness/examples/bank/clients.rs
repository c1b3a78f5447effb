//! The clients of the bank: what they do, how an operation becomes a request, and the Gherkin
//! steps. The harness brings the steps about time, faults and services.

use std::collections::BTreeMap;

use derive_more::Display;
use harness::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An operation of a client. Clients go by name, and each has one account.
#[derive(Debug, Display, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Operation {
    #[display("{who} opens an account with {balance}")]
    Open { who: String, balance: i64 },
    #[display("{who} sends {amount} to {to}")]
    Send { who: String, amount: i64, to: String },
}

impl harness::subject::Operation for Operation {}

/// The clients of one run: they know the id of each account.
#[derive(Default)]
pub(crate) struct Customers {
    pub(crate) accounts: BTreeMap<String, String>,
}

impl Clients for Customers {
    type Operation = Operation;
    type Context = ();

    fn request(&self, operation: &Operation) -> Option<Request<Bytes>> {
        Some(match operation {
            Operation::Open { who, balance } => {
                post("/api/accounts", &json!({ "owner": who, "balance": balance }))
            }
            Operation::Send { who, amount, to } => {
                let (from, to) = (self.accounts.get(who)?, self.accounts.get(to)?);
                post("/api/transfers", &json!({ "from": from, "to": to, "amount": amount }))
            }
        })
    }

    fn learn(&mut self, operation: &Operation, reply: &Reply, _: Timestamp) {
        if let (Operation::Open { who, .. }, Some(id)) = (operation, reply.json()["id"].as_str()) {
            self.accounts.insert(who.clone(), id.to_owned());
        }
    }
}

#[given(expr = "{word} has opened an account with {int}")]
async fn opens(world: &mut ScenarioWorld, who: String, balance: i64) -> Done {
    world.perform([Operation::Open { who, balance }]).await
}

#[when(expr = "{word} sends {int} to {word}")]
async fn sends(world: &mut ScenarioWorld, who: String, amount: i64, to: String) -> Done {
    world.perform([Operation::Send { who, amount, to }]).await
}

#[then(expr = "{word} has {int}")]
async fn has(world: &mut ScenarioWorld, who: String, balance: i64) -> Done {
    let account = world.clients_as::<Customers>().accounts[&who].clone();
    let found = world.get(&format!("/api/accounts/{account}")).await.json();
    StepError::unless(found["balance"] == balance, || format!("the account is {found}"))
}
