//! Listing and editing tickets, and looking at what is for sale.

use std::time::Duration;

use contracts::Cents;
use cucumber::{given, then, when};
use serde_json::Value;

use super::Done;
use crate::stage::act::typed;
use crate::stage::answers::describe;
use crate::stage::{Act, Stage, Wrong};

#[given(expr = "{word} has listed {string} for {word}")]
async fn has_listed(stage: &mut Stage, who: String, title: String, price: String) -> Done {
    stage.done(&who, Act::List { title, price: typed(&price) }).await
}

#[given(expr = "{word} has listed {int} tickets, one after the other")]
async fn has_listed_many(stage: &mut Stage, who: String, count: usize) -> Done {
    for number in 1..=count {
        let title = format!("Ticket {number}");
        stage.done(&who, Act::List { title, price: Value::from(10) }).await?;
        // Two tickets of the same millisecond have no order.
        stage.world().pass(Duration::from_millis(2)).await;
    }
    Ok(())
}

#[when(regex = r#"^(\w+) lists "([^"]*)" for (.+)$"#)]
async fn lists(stage: &mut Stage, who: String, title: String, price: String) -> Done {
    stage.act(vec![(who, Act::List { title, price: typed(&price) })]).await
}

#[when(expr = "{word} lists {string} without a price")]
async fn lists_without_price(stage: &mut Stage, who: String, title: String) -> Done {
    stage.act(vec![(who, Act::List { title, price: Value::Null })]).await
}

#[when(regex = r#"^(\w+) changes the price of "([^"]*)" to (\S+)$"#)]
async fn reprices(stage: &mut Stage, who: String, title: String, price: String) -> Done {
    let act = Act::reprice(&title, &price);
    stage.act(vec![(who, act)]).await
}

#[given(expr = "{word} has changed the price of {string} to {word}")]
async fn has_repriced(stage: &mut Stage, who: String, title: String, price: String) -> Done {
    stage.done(&who, Act::reprice(&title, &price)).await
}

#[when(expr = "{word} changes {string} to {string} for {word}")]
async fn changes(stage: &mut Stage, who: String, title: String, to: String, price: String) -> Done {
    let price = typed(&price);
    stage.act(vec![(who, Act::Change { title, to, price })]).await
}

#[when(regex = r#"^(\w+) changes the price of "([^"]*)" without a pause to ([\d., ]+)$"#)]
async fn reprices_often(stage: &mut Stage, who: String, title: String, prices: String) -> Done {
    for price in prices.split(", ") {
        stage.act(vec![(who.clone(), Act::reprice(&title, price))]).await?;
        stage.answered().iter().try_for_each(crate::stage::Answered::success)?;
    }
    Ok(())
}

#[when(expr = "{word} looks at the newest {int} tickets for sale")]
async fn browses(stage: &mut Stage, who: String, count: usize) -> Done {
    stage.act(vec![(who, Act::Browse(format!("limit={count}")))]).await
}

#[when(expr = "{word} looks at the next {int}")]
async fn browses_on(stage: &mut Stage, who: String, count: usize) -> Done {
    let last = stage.answered().last().map(|answered| answered.reply.json());
    let after = last.as_ref().and_then(|page| page.as_array()?.last()?["id"].as_str());
    let after = after.ok_or_else(|| Wrong("the page before was empty".to_owned()))?;
    let query = format!("limit={count}&after={after}");
    stage.act(vec![(who, Act::Browse(query))]).await
}

#[then(regex = r#"^(?:\w+) sees (".*"|nothing)$"#)]
async fn sees(stage: &mut Stage, titles: String) -> Done {
    let reply = &stage.answered().last().ok_or_else(|| Wrong("nobody looked".to_owned()))?.reply;
    let page = reply.json();
    let page = page.as_array().ok_or_else(|| Wrong(describe(reply)))?;
    let seen: Vec<String> = page.iter().map(|ticket| ticket["title"].to_string()).collect();
    let expected: Vec<&str> = match titles.as_str() {
        "nothing" => Vec::new(),
        titles => titles.split(", ").collect(),
    };
    Wrong::unless(seen == expected, || format!("the page shows {}", seen.join(", ")))
}

#[then(expr = "{string} is for sale for {word}")]
async fn is_for_sale(stage: &mut Stage, title: String, price: String) -> Done {
    let ticket = offer(stage, &title).await?;
    let ticket = ticket.ok_or_else(|| Wrong(format!("{title:?} is not for sale")))?;
    let shown = Cents::from_json(&ticket["price"]);
    Wrong::unless(
        shown.is_some() && shown == Cents::from_json(&Value::from(price.as_str())),
        || format!("{title:?} is for sale for {}", ticket["price"]),
    )
}

#[then(expr = "{string} is not for sale")]
async fn is_not_for_sale(stage: &mut Stage, title: String) -> Done {
    let ticket = offer(stage, &title).await?;
    Wrong::unless(ticket.is_none(), || format!("{title:?} is for sale"))
}

#[then(expr = "{string} is reserved for {word}")]
async fn is_reserved_for(stage: &mut Stage, title: String, buyer: String) -> Done {
    let order = stage.order(&buyer, &title)?.to_owned();
    let held = shown(stage, &title).await?["orderId"].clone();
    Wrong::unless(held == order.as_str(), || {
        format!("{title:?} is held by order {held}, and {buyer}'s order is {order}")
    })
}

#[then(expr = "{string} is in version {int}")]
async fn is_in_version(stage: &mut Stage, title: String, version: i64) -> Done {
    let found = shown(stage, &title).await?["version"].clone();
    Wrong::unless(found == version, || format!("{title:?} is in version {found}"))
}

/// The ticket as its page shows it.
pub(super) async fn shown(stage: &mut Stage, title: &str) -> Result<Value, Wrong> {
    let path = format!("/api/tickets/{}", stage.ticket(title)?);
    let reply = stage.look("Somebody", &path).await;
    Wrong::unless(reply.status() == Some(200), || format!("{title:?}: {}", describe(&reply)))?;
    Ok(reply.json())
}

/// The ticket among those for sale.
async fn offer(stage: &mut Stage, title: &str) -> Result<Option<Value>, Wrong> {
    let id = stage.ticket(title)?.to_owned();
    let reply = stage.look("Somebody", "/api/tickets?limit=1000").await;
    let page = reply.json();
    let page = page.as_array().ok_or_else(|| Wrong(describe(&reply)))?;
    Ok(page.iter().find(|ticket| ticket["id"] == id.as_str()).cloned())
}
