//! Raw requests, such as malformed ones.

use cucumber::gherkin::Step;
use cucumber::{then, when};

use harness::gherkin::{ScenarioWorld, StepError};

use super::replies::problems;
use super::{Done, Ticketing as _};
use crate::operation::Operation;

#[when(expr = "{word} sends {word} {string}(:)")]
async fn sends(
    world: &mut ScenarioWorld,
    who: String,
    method: String,
    path: String,
    step: &Step,
) -> Done {
    let body = step.docstring.as_ref();
    let body = body.map(|text| ("application/json", text.trim().to_owned()));
    send(world, who, &method, path, body).await
}

#[when(expr = "{word} sends {word} {string} as plain text(:)")]
async fn sends_text(
    world: &mut ScenarioWorld,
    who: String,
    method: String,
    path: String,
    step: &Step,
) -> Done {
    let body = step.docstring.as_ref().map(|text| ("text/plain", text.trim().to_owned()));
    send(world, who, &method, path, body).await
}

#[when(expr = "{word} sends {word} {string} with a body of {int} kilobytes")]
async fn sends_much(
    world: &mut ScenarioWorld,
    who: String,
    method: String,
    path: String,
    kilobytes: usize,
) -> Done {
    let body = format!("{{\"title\":\"{}\",\"price\":1}}", "x".repeat(kilobytes * 1024));
    send(world, who, &method, path, Some(("application/json", body))).await
}

async fn send(
    world: &mut ScenarioWorld,
    who: String,
    method: &str,
    path: String,
    body: Option<(&'static str, String)>,
) -> Done {
    let method = method.to_owned();
    let body = body.map(|(kind, text)| (kind.to_owned(), text));
    world.operate(vec![Operation::Send { who, method, path, body }]).await
}

#[then(expr = "the request is rejected with status {int}")]
async fn is_rejected(world: &mut ScenarioWorld, status: u16) -> Done {
    for replied in world.replied() {
        let rejected = replied.reply.status() == Some(status);
        StepError::unless(rejected, || format!("the reply is {}", replied.describe()))?;
        problems(replied.reply)?;
    }
    Ok(())
}

#[then(expr = "no ticket is for sale")]
async fn nothing_for_sale(world: &mut ScenarioWorld) -> Done {
    let page = world.look("Visitor", "/api/tickets").await.json();
    let empty = page.as_array().is_some_and(Vec::is_empty);
    StepError::unless(empty, || format!("tickets are for sale: {page}"))
}
