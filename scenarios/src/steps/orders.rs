//! Reserving, cancelling and paying.

use contracts::Cents;
use cucumber::{given, then, when};
use ports::Timestamp;
use ports::clock::after;
use serde_json::Value;

use super::Done;
use crate::stage::act::{BAD_CARD, GOOD_CARD};
use crate::stage::answers::describe;
use crate::stage::{Act, Stage, Wrong};

#[given(expr = "{word} has reserved {string}")]
async fn has_reserved(stage: &mut Stage, who: String, title: String) -> Done {
    stage.done(&who, Act::Reserve(title)).await
}

#[when(expr = "{word} reserves {string}")]
async fn reserves(stage: &mut Stage, who: String, title: String) -> Done {
    stage.act(vec![(who, Act::Reserve(title))]).await
}

#[given(expr = "{word} has cancelled {string}")]
async fn has_cancelled(stage: &mut Stage, who: String, title: String) -> Done {
    stage.done(&who, Act::cancel(&who, &title)).await
}

#[when(expr = "{word} cancels {string}")]
async fn cancels(stage: &mut Stage, who: String, title: String) -> Done {
    let act = Act::cancel(&who, &title);
    stage.act(vec![(who, act)]).await
}

#[when(expr = "{word} cancels {word} order of {string}")]
async fn cancels_for(stage: &mut Stage, who: String, owner: String, title: String) -> Done {
    let owner = possessor(&owner);
    stage.act(vec![(who, Act::Cancel { owner, title })]).await
}

#[given(expr = "{word} has paid for {string}")]
async fn has_paid(stage: &mut Stage, who: String, title: String) -> Done {
    stage.done(&who, Act::pay(&who, &title)).await
}

#[when(expr = "{word} pays for {string}")]
async fn pays(stage: &mut Stage, who: String, title: String) -> Done {
    let act = Act::pay(&who, &title);
    stage.act(vec![(who, act)]).await
}

#[when(expr = "{word} pays for {string} with a card that is declined")]
async fn pays_badly(stage: &mut Stage, who: String, title: String) -> Done {
    let act = Act::Pay { owner: who.clone(), title, token: BAD_CARD };
    stage.act(vec![(who, act)]).await
}

#[when(expr = "{word} pays for {string} without a card")]
async fn pays_without(stage: &mut Stage, who: String, title: String) -> Done {
    let act = Act::Pay { owner: who.clone(), title, token: "" };
    stage.act(vec![(who, act)]).await
}

#[when(expr = "{word} pays for {word} order of {string}")]
async fn pays_for(stage: &mut Stage, who: String, owner: String, title: String) -> Done {
    let owner = possessor(&owner);
    stage.act(vec![(who, Act::Pay { owner, title, token: GOOD_CARD })]).await
}

#[when(expr = "{word} looks at {word} order of {string}")]
async fn looks_at(stage: &mut Stage, who: String, owner: String, title: String) -> Done {
    let owner = possessor(&owner);
    stage.act(vec![(who, Act::Look { owner, title })]).await
}

#[then(regex = r#"^(\w+)'s order of "([^"]*)" is (created|awaiting payment|complete|cancelled)$"#)]
async fn order_is(stage: &mut Stage, buyer: String, title: String, status: String) -> Done {
    let order = order(stage, &buyer, &title).await?;
    let status = status.replace(' ', ":");
    Wrong::unless(order["status"] == status.as_str(), || {
        format!("{buyer}'s order of {title:?} is {}", order["status"])
    })
}

#[then(expr = "{word} order of {string} costs {word}")]
async fn order_costs(stage: &mut Stage, buyer: String, title: String, price: String) -> Done {
    let buyer = possessor(&buyer);
    let order = order(stage, &buyer, &title).await?;
    let found = &order["ticket"]["price"];
    let expected = Cents::from_json(&Value::from(price));
    Wrong::unless(expected.is_some() && Cents::from_json(found) == expected, || {
        format!("{buyer}'s order of {title:?} costs {found}")
    })
}

#[then(expr = "{word} order of {string} can be paid for {int} minutes")]
async fn order_expires(stage: &mut Stage, buyer: String, title: String, minutes: u64) -> Done {
    let buyer = possessor(&buyer);
    let order = order(stage, &buyer, &title).await?;
    let until: Option<Timestamp> = order["expiresAt"].as_str().and_then(|text| text.parse().ok());
    let until = until.ok_or_else(|| Wrong(format!("the order names no time: {order}")))?;
    let written = std::time::Duration::from_secs(60 * minutes);
    let (now, whole) = (stage.world().now(), stage.pace().of(written));
    // The look itself took a moment.
    let fits = until <= after(now, whole) && until > after(now, whole / 2);
    Wrong::unless(fits, || format!("at {now} the order can be paid until {until}"))
}

#[then(expr = "{word} has {int} order(s)")]
async fn has_orders(stage: &mut Stage, who: String, count: usize) -> Done {
    let orders = orders(stage, &who).await?;
    Wrong::unless(orders.len() == count, || format!("{who} has {} orders", orders.len()))
}

#[when(expr = "{word} finds an order of {string} after all")]
#[then(expr = "{word} finds an order of {string} after all")]
async fn finds_order(stage: &mut Stage, who: String, title: String) -> Done {
    let ticket = stage.ticket(&title)?.to_owned();
    let orders = orders(stage, &who).await?;
    let found = orders.iter().find(|order| order["ticket"]["id"] == ticket.as_str());
    let found = found.ok_or_else(|| Wrong(format!("{who} has no order of {title:?}")))?;
    let id = found["id"].as_str().ok_or_else(|| Wrong(format!("without an id: {found}")))?;
    stage.remember_order(&who, &title, id, Cents::from_json(&found["ticket"]["price"]));
    Ok(())
}

/// The order as its buyer is shown it.
async fn order(stage: &mut Stage, buyer: &str, title: &str) -> Result<Value, Wrong> {
    let path = format!("/api/orders/{}", stage.order(buyer, title)?);
    let reply = stage.look(buyer, &path).await;
    Wrong::unless(reply.status() == Some(200), || {
        format!("{buyer}'s order of {title:?}: {}", describe(&reply))
    })?;
    Ok(reply.json())
}

async fn orders(stage: &mut Stage, who: &str) -> Result<Vec<Value>, Wrong> {
    let reply = stage.look(who, "/api/orders").await;
    let orders = reply.json().as_array().cloned();
    orders.ok_or_else(|| Wrong(format!("{who}'s orders: {}", describe(&reply))))
}

/// `Anna`, from `Anna's`.
pub(super) fn possessor(text: &str) -> String {
    text.strip_suffix("'s").unwrap_or(text).to_owned()
}
