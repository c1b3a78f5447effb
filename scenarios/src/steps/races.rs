//! Several people at the same moment, and who comes out first.

use cucumber::gherkin::Step;
use cucumber::{then, when};

use super::{Done, rows, tickets};
use crate::script;
use crate::stage::act::BAD_CARD;
use crate::stage::{Act, Answered, Stage, Wrong};
use crate::story::rows as script_rows;

#[when(expr = "{int} buyers reserve {string} at the same moment")]
async fn many_reserve(stage: &mut Stage, buyers: usize, title: String) -> Done {
    let act = Act::Reserve(title);
    stage.act((1..=buyers).map(|n| (format!("Buyer {n}"), act.clone())).collect()).await
}

#[when(expr = "{word} pays for {string} {int} times at the same moment")]
async fn pays_often(stage: &mut Stage, who: String, title: String, times: usize) -> Done {
    let act = Act::pay(&who, &title);
    stage.act(vec![(who, act); times]).await
}

#[when("at the same moment")]
async fn at_once(stage: &mut Stage, step: &Step) -> Done {
    act_at_once(stage, step).await
}

/// Does what the rows say; where a company is on the stage, as its script.
pub(super) async fn act_at_once(stage: &mut Stage, step: &Step) -> Done {
    if stage.is_scripted() {
        let acts: Result<Vec<_>, _> = rows(step)?.iter().map(|row| script_act(row)).collect();
        return stage.play(&acts?).await;
    }
    let acts: Result<_, _> = rows(step)?.iter().map(|row| row_act(row)).collect();
    stage.act(acts?).await
}

#[when("one after the other, without a pause")]
async fn without_pause(stage: &mut Stage, step: &Step) -> Done {
    for row in rows(step)? {
        stage.act(vec![row_act(row)?]).await?;
        stage.answered().iter().try_for_each(Answered::success)?;
    }
    Ok(())
}

/// The cells of a row that is padded to the length of others.
fn cells(row: &[String]) -> Vec<&str> {
    row.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect()
}

fn unknown(cells: &[&str]) -> Wrong {
    Wrong(format!("nobody knows how to do this: {}", cells.join(" | ")))
}

fn script_act(row: &[String]) -> Result<script::Act, Wrong> {
    let cells = cells(row);
    script_rows::act(&cells).ok_or_else(|| unknown(&cells))
}

/// `| Boris | pays for | Opera |`, and for a new price `| Anna | reprices | Opera | 25.00 |`.
fn row_act(row: &[String]) -> Result<(String, Act), Wrong> {
    let cells = cells(row);
    let (who, act) = match cells[..] {
        [who, "reserves", title] => (who, Act::Reserve(title.to_owned())),
        [who, "cancels", title] => (who, Act::cancel(who, title)),
        [who, "pays for", title] => (who, Act::pay(who, title)),
        [who, "pays badly for", title] => {
            let (owner, title) = (who.to_owned(), title.to_owned());
            (who, Act::Pay { owner, title, token: BAD_CARD })
        }
        [who, "bans", whom] => (who, Act::Ban(whom.to_owned())),
        [who, "reprices", title, price] => (who, Act::reprice(title, price)),
        _ => return Err(unknown(&cells)),
    };
    Ok((who.to_owned(), act))
}

#[then(expr = "exactly {int} of them has {string}")]
async fn exactly_has(stage: &mut Stage, count: usize, title: String) -> Done {
    let winners = winners(stage.answered());
    let ids: Vec<_> = winners.iter().map(|answered| answered.reply.json()["id"].clone()).collect();
    Wrong::unless(ids.len() == count, || format!("{} of them were given an order", ids.len()))?;
    let held = tickets::shown(stage, &title).await?["orderId"].clone();
    Wrong::unless(ids.contains(&held), || format!("{title:?} is held by {held}, not by {ids:?}"))?;
    let orders = stage.world().documents("orders", "orders").await?;
    let ticket = stage.ticket(&title)?;
    let holding = |order: &&bson::Document| {
        let holds = order.get_bool("holding").unwrap_or_default();
        holds && order.get_str("ticketId").is_ok_and(|of| of == ticket)
    };
    let holding = orders.iter().filter(holding).count();
    Wrong::unless(holding == count, || format!("{holding} orders hold {title:?}"))
}

#[then(expr = "exactly {int} of them succeed(s)")]
async fn exactly_succeed(stage: &mut Stage, count: usize) -> Done {
    let winners = winners(stage.answered()).len();
    Wrong::unless(winners == count, || format!("{winners} of them succeeded"))
}

#[then(expr = "the other(s) is/are told {string}")]
async fn others_told(stage: &mut Stage, message: String) -> Done {
    let mut others = stage.answered().iter().filter(|answered| !answered.is_success()).peekable();
    Wrong::unless(others.peek().is_some(), || "all of them succeeded".to_owned())?;
    others.try_for_each(|answered| answered.refused(&message))
}

fn winners(answered: &[Answered]) -> Vec<&Answered> {
    answered.iter().filter(|answered| answered.is_success()).collect()
}
