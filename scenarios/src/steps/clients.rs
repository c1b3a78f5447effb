//! Clients that send whatever they like.

use cucumber::gherkin::Step;
use cucumber::{then, when};
use http::Method;

use super::Done;
use crate::stage::answers::problems;
use crate::stage::{Act, Stage, Wrong};

#[when(expr = "{word} sends {word} {string}")]
async fn sends(stage: &mut Stage, who: String, method: String, path: String, step: &Step) -> Done {
    let body = step.docstring.as_ref();
    let body = body.map(|text| ("application/json", text.trim().to_owned()));
    send(stage, who, &method, path, body).await
}

#[when(expr = "{word} sends {word} {string} as plain text")]
async fn sends_text(
    stage: &mut Stage,
    who: String,
    method: String,
    path: String,
    step: &Step,
) -> Done {
    let body = step.docstring.as_ref().map(|text| ("text/plain", text.trim().to_owned()));
    send(stage, who, &method, path, body).await
}

#[when(expr = "{word} sends {word} {string} with a body of {int} kilobytes")]
async fn sends_much(
    stage: &mut Stage,
    who: String,
    method: String,
    path: String,
    kilobytes: usize,
) -> Done {
    let body = format!("{{\"title\":\"{}\",\"price\":1}}", "x".repeat(kilobytes * 1024));
    send(stage, who, &method, path, Some(("application/json", body))).await
}

async fn send(
    stage: &mut Stage,
    who: String,
    method: &str,
    path: String,
    body: Option<(&'static str, String)>,
) -> Done {
    let method: Method =
        method.parse().map_err(|_| Wrong(format!("{method:?} is not a method")))?;
    stage.act(vec![(who, Act::Send { method, path, body })]).await
}

#[then(expr = "the request is refused with {int}")]
async fn is_refused(stage: &mut Stage, status: u16) -> Done {
    for answered in stage.answered() {
        let refused = answered.reply.status() == Some(status);
        Wrong::unless(refused, || format!("the answer is {}", answered.describe()))?;
        problems(&answered.reply)?;
    }
    Ok(())
}

#[then(expr = "no ticket is for sale")]
async fn nothing_for_sale(stage: &mut Stage) -> Done {
    let page = stage.look("Somebody", "/api/tickets").await.json();
    let empty = page.as_array().is_some_and(Vec::is_empty);
    Wrong::unless(empty, || format!("for sale: {page}"))
}
