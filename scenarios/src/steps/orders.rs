//! Reserving, cancelling and paying.

use contracts::Cents;
use cucumber::{given, then, when};
use ports::Timestamp;
use ports::clock::after;
use serde_json::Value;

use harness::gherkin::{ScenarioWorld, StepError};

use super::replies::describe;
use super::{Done, Ticketing as _};
use crate::operation::{Card, Operation};

#[given(expr = "{word} has reserved {string}")]
async fn has_reserved(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.done(Operation::Reserve { who, title }).await
}

#[given(regex = r#"^(\w+) has reserved "(\w+) (\d+)" to "\w+ (\d+)"$"#)]
async fn has_reserved_many(
    world: &mut ScenarioWorld,
    who: String,
    title: String,
    from: usize,
    to: usize,
) -> Done {
    for number in from..=to {
        world.done(Operation::reserve(&who, &format!("{title} {number}"))).await?;
    }
    Ok(())
}

#[when(expr = "{word} reserves {string}")]
async fn reserves(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.operate(vec![Operation::Reserve { who, title }]).await
}

#[given(expr = "{word} has cancelled {string}")]
async fn has_cancelled(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.done(Operation::cancel(&who, &title)).await
}

#[when(expr = "{word} cancels {string}")]
async fn cancels(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.operate(vec![Operation::cancel(&who, &title)]).await
}

#[when(expr = "{word} cancels {word}'s order for {string}")]
async fn cancels_for(world: &mut ScenarioWorld, who: String, owner: String, title: String) -> Done {
    world.operate(vec![Operation::Cancel { who, owner, title }]).await
}

#[given(expr = "{word} has paid for {string}")]
async fn has_paid(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.done(Operation::pay(&who, &title, Card::Good)).await
}

#[when(expr = "{word} pays for {string}")]
async fn pays(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.operate(vec![Operation::pay(&who, &title, Card::Good)]).await
}

#[when(expr = "{word} pays for {string} with a declined card")]
async fn pays_badly(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.operate(vec![Operation::pay(&who, &title, Card::Declined)]).await
}

#[when(expr = "{word} pays for {string} without a card")]
async fn pays_without(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.operate(vec![Operation::pay(&who, &title, Card::Missing)]).await
}

#[when(expr = "{word} pays for {word}'s order for {string}")]
async fn pays_for(world: &mut ScenarioWorld, who: String, owner: String, title: String) -> Done {
    world.operate(vec![Operation::Pay { who, owner, title, card: Card::Good }]).await
}

#[when(expr = "{word} views {word}'s order for {string}")]
async fn views(world: &mut ScenarioWorld, who: String, owner: String, title: String) -> Done {
    world.operate(vec![Operation::LookAtOrder { who, owner, title }]).await
}

#[then(regex = r#"^(\w+)'s order for "([^"]*)" is (created|awaiting payment|complete|cancelled)$"#)]
async fn order_is(world: &mut ScenarioWorld, buyer: String, title: String, status: String) -> Done {
    let order = order(world, &buyer, &title).await?;
    let status = status.replace(' ', ":");
    StepError::unless(order["status"] == status.as_str(), || {
        format!("{buyer}'s order for {title:?} is {}", order["status"])
    })
}

#[then(expr = "{word}'s order for {string} costs {word}")]
async fn order_costs(
    world: &mut ScenarioWorld,
    buyer: String,
    title: String,
    price: String,
) -> Done {
    let order = order(world, &buyer, &title).await?;
    let found = &order["ticket"]["price"];
    let expected = Cents::from_json(&Value::from(price));
    StepError::unless(expected.is_some() && Cents::from_json(found) == expected, || {
        format!("{buyer}'s order for {title:?} costs {found}")
    })
}

#[then(expr = "{word}'s order for {string} expires in {int} minutes")]
async fn order_expires(
    world: &mut ScenarioWorld,
    buyer: String,
    title: String,
    minutes: u64,
) -> Done {
    let order = order(world, &buyer, &title).await?;
    let until: Option<Timestamp> = order["expiresAt"].as_str().and_then(|text| text.parse().ok());
    let until =
        until.ok_or_else(|| StepError::new(format!("the order has no expiry time: {order}")))?;
    let written = std::time::Duration::from_secs(60 * minutes);
    let (now, whole) = (world.world().now(), world.time().deadline(written));
    // Time has passed since the reservation.
    let fits = until <= after(now, whole) && until > after(now, whole / 2);
    StepError::unless(fits, || format!("at {now}, the order expires at {until}"))
}

#[then(expr = "{word} has {int} order(s)")]
async fn has_orders(world: &mut ScenarioWorld, who: String, count: usize) -> Done {
    let orders = orders(world, &who).await?;
    StepError::unless(orders.len() == count, || format!("{who} has {} orders", orders.len()))
}

#[when(expr = "{word} finds an order for {string} after all")]
#[then(expr = "{word} finds an order for {string} after all")]
async fn finds_order(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    let ticket = world.ticket(&title)?.to_owned();
    let orders = orders(world, &who).await?;
    let found = orders.iter().find(|order| order["ticket"]["id"] == ticket.as_str());
    let found = found.ok_or_else(|| StepError::new(format!("{who} has no order for {title:?}")))?;
    let id = found["id"]
        .as_str()
        .ok_or_else(|| StepError::new(format!("the order has no id: {found}")))?;
    world.remember_order(&who, &title, id, Cents::from_json(&found["ticket"]["price"]));
    Ok(())
}

/// The order as its buyer is shown it.
async fn order(world: &mut ScenarioWorld, buyer: &str, title: &str) -> Result<Value, StepError> {
    let path = format!("/api/orders/{}", world.order(buyer, title)?);
    let reply = world.look(buyer, &path).await;
    StepError::unless(reply.status() == Some(200), || {
        format!("{buyer}'s order for {title:?}: {}", describe(&reply))
    })?;
    Ok(reply.json())
}

async fn orders(world: &mut ScenarioWorld, who: &str) -> Result<Vec<Value>, StepError> {
    let reply = world.look(who, "/api/orders").await;
    let orders = reply.json().as_array().cloned();
    orders.ok_or_else(|| StepError::new(format!("{who}'s orders: {}", describe(&reply))))
}
