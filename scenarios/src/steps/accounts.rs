//! Accounts and sessions.

use cucumber::{given, then, when};
use http::header;
use serde_json::{Value, json};

use super::Done;
use crate::client::Person;
use crate::stage::answers::describe;
use crate::stage::{Act, Stage, Wrong};

#[given(expr = "{word} has signed up")]
async fn has_signed_up(stage: &mut Stage, who: String) -> Done {
    stage.done(&who, Act::sign_up(&who)).await
}

#[when(expr = "{word} signs up")]
async fn signs_up(stage: &mut Stage, who: String) -> Done {
    let act = Act::sign_up(&who);
    stage.act(vec![(who, act)]).await
}

#[when(expr = "{word} signs up with the address {string} and the password {string}")]
async fn signs_up_with(stage: &mut Stage, who: String, email: String, password: String) -> Done {
    stage.act(vec![(who, Act::SignUp { email, password })]).await
}

#[when(expr = "{int} people sign up with the address {string} at the same moment")]
async fn sign_up_at_once(stage: &mut Stage, people: usize, email: String) -> Done {
    let act = Act::SignUp { email, password: "curtain".to_owned() };
    stage.act((1..=people).map(|n| (format!("Person {n}"), act.clone())).collect()).await
}

#[when(expr = "{word} signs in with the address {string} and the password {string}")]
async fn signs_in_with(stage: &mut Stage, who: String, email: String, password: String) -> Done {
    stage.act(vec![(who, Act::SignIn { email, password })]).await
}

#[given(expr = "{word} has signed out")]
async fn has_signed_out(stage: &mut Stage, who: String) -> Done {
    stage.done(&who, Act::SignOut).await
}

#[when(expr = "{word} signs out")]
async fn signs_out(stage: &mut Stage, who: String) -> Done {
    stage.act(vec![(who, Act::SignOut)]).await
}

#[when(expr = "{word} changes the address to {string}, giving the password {string}")]
async fn changes_address(stage: &mut Stage, who: String, email: String, current: String) -> Done {
    let body = json!({ "email": email, "currentPassword": current });
    stage.act(vec![(who, Act::ChangeAccount(body))]).await
}

#[when(expr = "{word} changes the password to {string}, giving the password {string}")]
async fn changes_password(stage: &mut Stage, who: String, new: String, current: String) -> Done {
    let body = json!({ "password": new, "currentPassword": current });
    stage.act(vec![(who, Act::ChangeAccount(body))]).await
}

#[given(expr = "{word} has banned {word}")]
async fn has_banned(stage: &mut Stage, who: String, whom: String) -> Done {
    stage.meet(std::slice::from_ref(&whom)).await?;
    stage.done(&who, Act::Ban(whom)).await
}

#[when(expr = "{word} bans {word}")]
async fn bans(stage: &mut Stage, who: String, whom: String) -> Done {
    stage.meet(std::slice::from_ref(&whom)).await?;
    stage.act(vec![(who, Act::Ban(whom))]).await
}

#[when(expr = "{word} lifts the ban of {word}")]
async fn lifts_the_ban(stage: &mut Stage, who: String, whom: String) -> Done {
    stage.act(vec![(who, Act::Unban(whom))]).await
}

#[then(expr = "{word} is signed in")]
async fn is_signed_in(stage: &mut Stage, who: String) -> Done {
    let user = current_user(stage, &who).await?;
    let person = stage.person(&who);
    Wrong::unless(user["id"] == person.id.as_str() && user["iat"].is_i64(), || {
        format!("{who} is not signed in; the session is that of {user}")
    })
}

#[then(expr = "{word} is signed in as {string}")]
async fn is_signed_in_as(stage: &mut Stage, who: String, email: String) -> Done {
    let user = current_user(stage, &who).await?;
    Wrong::unless(user["email"] == email.as_str(), || {
        format!("{who} is to be signed in as {email}; the session is that of {user}")
    })
}

#[then(expr = "{word} is signed out")]
async fn is_signed_out(stage: &mut Stage, who: String) -> Done {
    let user = current_user(stage, &who).await?;
    Wrong::unless(user.is_null(), || format!("{who} is still signed in as {user}"))
}

async fn current_user(stage: &mut Stage, who: &str) -> Result<Value, Wrong> {
    let reply = stage.look(who, "/api/users/currentuser").await;
    let body = reply.json();
    let user = body.get("currentUser").cloned();
    user.filter(|_| reply.status() == Some(200)).ok_or_else(|| Wrong(describe(&reply)))
}

#[then("no script in a page can read the session cookie, and no other site can send it")]
async fn cookie_is_safe(stage: &mut Stage) -> Done {
    let cookie = stage.answered().iter().find_map(|answered| match &answered.reply {
        harness::world::Reply::Answer(answer) => answer.headers().get(header::SET_COOKIE),
        harness::world::Reply::Unanswered(_) => None,
    });
    let cookie = cookie.and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.ok_or_else(|| Wrong("no cookie was set".to_owned()))?;
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        let has = cookie.split(';').any(|part| part.trim() == attribute);
        Wrong::unless(has, || format!("the cookie lacks {attribute}: {cookie}"))?;
    }
    Ok(())
}

#[given(regex = r"^(\w+) carries (\w+)'s session, but (.+)$")]
async fn carries_forgery(stage: &mut Stage, who: String, whose: String, how: String) -> Done {
    stage.meet(&[who.clone(), whose.clone()]).await?;
    let (theirs, own) = (session(stage, &whose)?, session(stage, &who)?);
    let [head, claims, signature] = [0, 1, 2].map(|part| theirs.split('.').nth(part).unwrap_or(""));
    let own_signature = own.rsplit('.').next().unwrap_or_default();
    let token = match how.as_str() {
        "with another signature" => format!("{head}.{claims}.{own_signature}"),
        "without a signature" => format!("{head}.{claims}."),
        // `{"alg":"none"}`
        "that says it needs no signature" => format!("eyJhbGciOiJub25lIn0.{claims}."),
        "cut in half" => theirs[..theirs.len() / 2].to_owned(),
        "with the claims of nobody" => format!("{head}.e30.{signature}"),
        _ => return Err(Wrong(format!("no session is made like this: {how}"))),
    };
    let envelope = STANDARD.encode(json!({ "jwt": token }).to_string());
    set_cookie(stage, &who, &envelope);
    Ok(())
}

#[given(expr = "{word} carries a session that reads {string}")]
async fn carries_nonsense(stage: &mut Stage, who: String, value: String) -> Done {
    stage.meet(std::slice::from_ref(&who)).await?;
    set_cookie(stage, &who, &value);
    Ok(())
}

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The token in somebody's cookie.
fn session(stage: &Stage, who: &str) -> Result<String, Wrong> {
    let cookie = stage.person(who).cookie;
    let value = cookie.as_deref().and_then(|cookie| cookie.strip_prefix("session="));
    let envelope = value.and_then(|value| STANDARD.decode(value).ok());
    let envelope: Option<Value> = envelope.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let token = envelope.and_then(|envelope| envelope["jwt"].as_str().map(str::to_owned));
    token.ok_or_else(|| Wrong(format!("{who} has no session: {cookie:?}")))
}

/// Gives somebody this cookie. Whatever it says, who asks is not known from it.
fn set_cookie(stage: &mut Stage, who: &str, value: &str) {
    let known = stage.person(who);
    let cookie = Some(format!("session={value}"));
    stage.set_person(who, Person { cookie, id: String::new(), ..known });
}
