//! Listing, editing and browsing tickets.

use std::time::Duration;

use contracts::Cents;
use cucumber::{given, then, when};
use serde_json::Value;

use harness::gherkin::{ScenarioWorld, StepError};

use super::replies::{Replied, describe};
use super::{Done, Ticketing as _};
use crate::operation::{Operation, Price};

#[given(expr = "{word} has listed {string} for {word}")]
async fn has_listed(world: &mut ScenarioWorld, who: String, title: String, price: String) -> Done {
    world.done(Operation::List { who, title, price: Price::typed(&price) }).await
}

#[given(expr = "{word} has listed {int} tickets, one after the other")]
async fn has_listed_many(world: &mut ScenarioWorld, who: String, count: usize) -> Done {
    for number in 1..=count {
        let title = format!("Ticket {number}");
        world.done(Operation::list(&who, &title, Price(Value::from(10)))).await?;
        // Tickets listed within one millisecond have no defined order.
        world.world().pass(Duration::from_millis(2)).await;
    }
    Ok(())
}

#[when(regex = r#"^(\w+) lists "([^"]*)" for (.+)$"#)]
async fn lists(world: &mut ScenarioWorld, who: String, title: String, price: String) -> Done {
    world.operate(vec![Operation::List { who, title, price: Price::typed(&price) }]).await
}

#[when(expr = "{word} lists {string} without a price")]
async fn lists_without_price(world: &mut ScenarioWorld, who: String, title: String) -> Done {
    world.operate(vec![Operation::List { who, title, price: Price(Value::Null) }]).await
}

#[when(regex = r#"^(\w+) changes the price of "([^"]*)" to (\S+)$"#)]
async fn reprices(world: &mut ScenarioWorld, who: String, title: String, price: String) -> Done {
    world.operate(vec![Operation::reprice(&who, &title, Price::typed(&price))]).await
}

#[given(expr = "{word} has changed the price of {string} to {word}")]
async fn has_repriced(
    world: &mut ScenarioWorld,
    who: String,
    title: String,
    price: String,
) -> Done {
    world.done(Operation::reprice(&who, &title, Price::typed(&price))).await
}

#[when(expr = "{word} changes {string} to {string} for {word}")]
async fn changes(
    world: &mut ScenarioWorld,
    who: String,
    title: String,
    to: String,
    price: String,
) -> Done {
    let price = Price::typed(&price);
    world.operate(vec![Operation::Change { who, title, to, price }]).await
}

#[when(regex = r#"^(\w+) changes the price of "([^"]*)" to ([\d., ]+) in quick succession$"#)]
async fn reprices_often(
    world: &mut ScenarioWorld,
    who: String,
    title: String,
    prices: String,
) -> Done {
    for price in prices.split(", ") {
        world.operate(vec![Operation::reprice(&who, &title, Price::typed(price))]).await?;
        world.replied().iter().try_for_each(Replied::success)?;
    }
    Ok(())
}

#[when(expr = "{word} browses the newest {int} tickets for sale")]
async fn browses(world: &mut ScenarioWorld, who: String, count: usize) -> Done {
    world.operate(vec![Operation::Browse { who, query: format!("limit={count}") }]).await
}

#[when(expr = "{word} browses the next {int}")]
async fn browses_on(world: &mut ScenarioWorld, who: String, count: usize) -> Done {
    let last = world.replied().last().map(|replied| replied.reply.json());
    let after = last.as_ref().and_then(|page| page.as_array()?.last()?["id"].as_str());
    let after = after.ok_or_else(|| StepError::new("the previous page was empty".to_owned()))?;
    let query = format!("limit={count}&after={after}");
    world.operate(vec![Operation::Browse { who, query }]).await
}

#[then(regex = r#"^(?:\w+) sees (".*"|nothing)$"#)]
async fn sees(world: &mut ScenarioWorld, titles: String) -> Done {
    let replied = world.replied();
    let reply =
        replied.last().ok_or_else(|| StepError::new("no client has browsed the tickets"))?.reply;
    let page = reply.json();
    let page = page.as_array().ok_or_else(|| StepError::new(describe(reply)))?;
    let seen: Vec<String> = page.iter().map(|ticket| ticket["title"].to_string()).collect();
    let expected: Vec<&str> = match titles.as_str() {
        "nothing" => Vec::new(),
        titles => titles.split(", ").collect(),
    };
    StepError::unless(seen == expected, || format!("the page shows {}", seen.join(", ")))
}

#[then(expr = "{string} is for sale for {word}")]
async fn is_for_sale(world: &mut ScenarioWorld, title: String, price: String) -> Done {
    let ticket = offer(world, &title).await?;
    let ticket = ticket.ok_or_else(|| StepError::new(format!("{title:?} is not for sale")))?;
    let shown = Cents::from_json(&ticket["price"]);
    StepError::unless(
        shown.is_some() && shown == Cents::from_json(&Value::from(price.as_str())),
        || format!("{title:?} is for sale for {}", ticket["price"]),
    )
}

#[then(expr = "{string} is not for sale")]
async fn is_not_for_sale(world: &mut ScenarioWorld, title: String) -> Done {
    let ticket = offer(world, &title).await?;
    StepError::unless(ticket.is_none(), || format!("{title:?} is for sale"))
}

#[then(expr = "{string} is reserved for {word}")]
async fn is_reserved_for(world: &mut ScenarioWorld, title: String, buyer: String) -> Done {
    let order = world.order(&buyer, &title)?.to_owned();
    let held = shown(world, &title).await?["orderId"].clone();
    StepError::unless(held == order.as_str(), || {
        format!("{title:?} is held by order {held}, and {buyer}'s order is {order}")
    })
}

#[then(expr = "{string} has version {int}")]
async fn has_version(world: &mut ScenarioWorld, title: String, version: i64) -> Done {
    let found = shown(world, &title).await?["version"].clone();
    StepError::unless(found == version, || format!("{title:?} has version {found}"))
}

/// The ticket as the API shows it.
pub(super) async fn shown(world: &mut ScenarioWorld, title: &str) -> Result<Value, StepError> {
    let path = format!("/api/tickets/{}", world.ticket(title)?);
    let reply = world.look("Visitor", &path).await;
    StepError::unless(reply.status() == Some(200), || format!("{title:?}: {}", describe(&reply)))?;
    Ok(reply.json())
}

/// The ticket among those for sale; `None` where it is not for sale.
async fn offer(world: &mut ScenarioWorld, title: &str) -> Result<Option<Value>, StepError> {
    let id = world.ticket(title)?.to_owned();
    let reply = world.look("Visitor", "/api/tickets?limit=1000").await;
    let page = reply.json();
    let page = page.as_array().ok_or_else(|| StepError::new(describe(&reply)))?;
    Ok(page.iter().find(|ticket| ticket["id"] == id.as_str()).cloned())
}
