//! Concurrent requests.

use cucumber::{then, when};

use harness::gherkin::{ScenarioWorld, StepError};

use super::replies::Replied;
use super::{Done, Ticketing as _, tickets};
use crate::operation::{Card, Operation};

#[when(expr = "{int} buyers reserve {string} at the same moment")]
async fn many_reserve(world: &mut ScenarioWorld, buyers: usize, title: String) -> Done {
    let reserve = |number| Operation::reserve(&format!("Buyer {number}"), &title);
    world.operate((1..=buyers).map(reserve).collect()).await
}

#[when(expr = "{word} pays for {string} {int} times at the same moment")]
async fn pays_often(world: &mut ScenarioWorld, who: String, title: String, times: usize) -> Done {
    world.operate(vec![Operation::pay(&who, &title, Card::Good); times]).await
}

#[then(expr = "exactly {int} of them has {string}")]
async fn exactly_has(world: &mut ScenarioWorld, count: usize, title: String) -> Done {
    let ids: Vec<_> =
        winners(world).iter().map(|replied| replied.reply.json()["id"].clone()).collect();
    StepError::unless(ids.len() == count, || format!("{} of them were given an order", ids.len()))?;
    let held = tickets::shown(world, &title).await?["orderId"].clone();
    StepError::unless(ids.contains(&held), || {
        format!("{title:?} is held by {held}, not by {ids:?}")
    })?;
    let orders = world.world().documents("orders", "orders").await?;
    let ticket = world.ticket(&title)?;
    let holding = |order: &&bson::Document| {
        let holds = order.get_bool("holding").unwrap_or_default();
        holds && order.get_str("ticketId").is_ok_and(|of| of == ticket)
    };
    let holding = orders.iter().filter(holding).count();
    StepError::unless(holding == count, || format!("{holding} orders hold {title:?}"))
}

#[then(expr = "exactly {int} of them succeed(s)")]
async fn exactly_succeed(world: &mut ScenarioWorld, count: usize) -> Done {
    let winners = winners(world).len();
    StepError::unless(winners == count, || format!("{winners} of them succeeded"))
}

#[then(expr = "the other(s) get(s) the error {string}")]
async fn others_get_error(world: &mut ScenarioWorld, message: String) -> Done {
    let replied = world.replied();
    let mut others = replied.iter().filter(|replied| !replied.is_success()).peekable();
    StepError::unless(others.peek().is_some(), || "all of them succeeded".to_owned())?;
    others.try_for_each(|replied| replied.refused(&message))
}

fn winners(world: &ScenarioWorld) -> Vec<Replied<'_>> {
    world.replied().into_iter().filter(Replied::is_success).collect()
}
