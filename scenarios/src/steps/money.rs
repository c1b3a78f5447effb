//! Charges and refunds in the provider's ledger.

use contracts::Cents;
use cucumber::then;
use serde_json::Value;

use harness::gherkin::{ScenarioWorld, StepError};

use super::{Done, Ticketing as _};
use crate::provider::LedgerCharge;

#[then(expr = "{word} has paid {word} for {string} exactly once")]
async fn has_paid(world: &mut ScenarioWorld, who: String, price: String, title: String) -> Done {
    let charges = charges(world, &who, &title)?;
    let paid = [(cents(&price)?, false)];
    StepError::unless(charges == paid, || format!("the provider's ledger shows {}", read(&charges)))
}

#[then(expr = "{word} has been refunded {word} for {string}")]
async fn has_been_refunded(
    world: &mut ScenarioWorld,
    who: String,
    price: String,
    title: String,
) -> Done {
    let charges = charges(world, &who, &title)?;
    let refunded = [(cents(&price)?, true)];
    StepError::unless(charges == refunded, || {
        format!("the provider's ledger shows {}", read(&charges))
    })
}

#[then(expr = "{word} was never charged for {string}")]
async fn was_never_charged(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    let charges = charges(world, &who, &title)?;
    StepError::unless(charges.is_empty(), || {
        format!("the provider's ledger shows {}", read(&charges))
    })
}

#[then(expr = "{word} either has {string} for {word} or keeps the money")]
async fn has_it_or_keeps_money(
    world: &mut ScenarioWorld,
    who: String,
    title: String,
    price: String,
) -> Done {
    let path = format!("/api/orders/{}", world.order(&who, &title)?);
    let status = world.look(&who, &path).await.json()["status"].clone();
    let charges = charges(world, &who, &title)?;
    let kept: Vec<_> = charges.iter().filter(|(_, refunded)| !refunded).collect();
    let fair = match status.as_str() {
        Some("complete") => kept == [&(cents(&price)?, false)],
        Some("cancelled") => kept.is_empty(),
        _ => false,
    };
    StepError::unless(fair, || {
        format!("the order is {status}, and the provider's ledger shows {}", read(&charges))
    })
}

#[then(expr = "payments shows that {word} cannot be refunded for {string}: {word}")]
async fn shows_refusal(
    world: &mut ScenarioWorld,
    who: String,
    title: String,
    code: String,
) -> Done {
    let order = world.order(&who, &title)?;
    let copies = world.world().documents("payments", "orders").await?;
    let copy = copies.iter().find(|copy| copy.get_str("_id").is_ok_and(|id| id == order));
    let charge = copy.and_then(|copy| copy.get_document("charge").ok());
    let shown = charge.and_then(|charge| charge.get_str("failure").ok());
    StepError::unless(shown == Some(code.as_str()), || format!("payments shows {shown:?}"))
}

/// The charges for the newest order that have moved money: the amount, and whether it is back.
fn charges(world: &ScenarioWorld, who: &str, title: &str) -> Result<Vec<(i64, bool)>, StepError> {
    let order = world.order(who, title)?;
    let charges = world.provider().charges();
    let of_order = |charge: &&LedgerCharge| charge.order_id == order && charge.has_moved();
    let of_order = charges.iter().filter(of_order);
    Ok(of_order.map(|charge| (charge.amount, charge.is_refunded())).collect())
}

fn cents(price: &str) -> Result<i64, StepError> {
    let cents = Cents::from_json(&Value::from(price));
    cents.map(|cents| cents.0).ok_or_else(|| StepError::new(format!("{price} is not a price")))
}

fn read(charges: &[(i64, bool)]) -> String {
    if charges.is_empty() {
        return "no charge".to_owned();
    }
    let line = |(cents, refunded): &(i64, bool)| {
        format!("{cents} cents{}", if *refunded { " (refunded)" } else { "" })
    };
    charges.iter().map(line).collect::<Vec<_>>().join(", ")
}
