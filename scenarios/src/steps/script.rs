//! Found runs, line by line: a seed, a company, the order of calls, and what plays out when.
//! Stories write these steps; see [`crate::story`].

use std::time::Duration;

use cucumber::gherkin::Step;
use cucumber::{given, then, when};

use super::{Done, races};
use crate::script::Then;
use crate::stage::{Stage, Wrong};
use crate::story::rows::read_company;

#[given(expr = "the seed {int}")]
async fn has_seed(stage: &mut Stage, seed: u64) -> Done {
    stage.set_seed(seed).await
}

#[given(regex = r"^the planted bug (\S+)$")]
async fn planted(stage: &mut Stage, bug: String) -> Done {
    stage.plant(&bug).await
}

#[given(regex = r"^the company of (.+)$")]
async fn company(stage: &mut Stage, names: String) -> Done {
    let company = read_company(&names);
    let (people, administrated) = company.ok_or_else(|| {
        Wrong(format!("{names:?} are not the first of Anna, Ben, Cleo … and the administrator"))
    })?;
    stage.assemble(people, administrated).await
}

#[given(
    regex = r"^calls go on in the order (\d+:(?:\d+|time)(?:, \d+:(?:\d+|time))*) from here on$"
)]
async fn turns(stage: &mut Stage, order: String) -> Done {
    let turn = |turn: &str| {
        let (number, position) = turn.split_once(':')?;
        Some((number.parse().ok()?, position.parse().ok()?))
    };
    let turns: Option<Vec<_>> = order.split(", ").map(turn).collect();
    stage.turn(turns.ok_or_else(|| Wrong(format!("not an order of calls: {order}")))?)
}

#[when("everything plays out")]
async fn plays_out(stage: &mut Stage) {
    stage.then(Then::Settle).await;
}

#[when(regex = r"^the moment comes that is (\d+) (second|minute)s? later$")]
async fn moment_comes(stage: &mut Stage, count: u64, unit: String) {
    stage.pass_to(span(count, &unit)).await;
}

#[when(regex = r"^at the same moment (\d+) (second|minute)s? later$")]
async fn at_once_later(stage: &mut Stage, count: u64, unit: String, step: &Step) -> Done {
    stage.pass_to(span(count, &unit)).await;
    races::act_at_once(stage, step).await
}

fn span(count: u64, unit: &str) -> Duration {
    Duration::from_secs(if unit == "minute" { 60 * count } else { count })
}

#[then(regex = r"^the promise (\S+) is kept$")]
async fn kept(stage: &mut Stage, promise: String) -> Done {
    let broken = stage.judge().await?;
    let broken = broken.iter().find(|broken| broken.invariant == promise);
    Wrong::unless(broken.is_none(), || broken.map(ToString::to_string).unwrap_or_default())
}

#[then("every promise is kept")]
async fn all_kept(stage: &mut Stage) -> Done {
    let broken = stage.judge().await?;
    Wrong::unless(broken.is_empty(), || {
        broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    })
}
