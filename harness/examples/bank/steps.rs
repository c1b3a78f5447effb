//! The Gherkin steps of the bank. The harness brings those about time, faults and services.

use cucumber::{given, then, when};
use harness::gherkin::{ScenarioWorld, StepError};

use super::clients::{Customers, Operation};

#[given(expr = "{word} has opened an account with {int}")]
#[when(expr = "{word} opens an account with {int}")]
async fn opens(world: &mut ScenarioWorld, who: String, balance: i64) -> Result<(), StepError> {
    world.perform([Operation::open(&who, balance)]).await
}

#[when(expr = "{word} sends {int} to {word}")]
async fn sends(
    world: &mut ScenarioWorld,
    who: String,
    amount: i64,
    to: String,
) -> Result<(), StepError> {
    world.perform([Operation::send(&who, amount, &to)]).await
}

#[then(expr = "{word} has {int}")]
async fn has(world: &mut ScenarioWorld, who: String, balance: i64) -> Result<(), StepError> {
    let known = world.clients_as::<Customers>().accounts.get(&who).cloned();
    let account = known.ok_or_else(|| StepError::new(format!("{who} has no account")))?;
    let reply = world.get(&format!("/api/accounts/{account}")).await;
    let found = reply.json();
    StepError::unless(found["balance"] == balance, || format!("the account is {found}"))
}
