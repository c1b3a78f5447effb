//! Accounts and sessions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cucumber::{given, then, when};
use http::header;
use serde_json::{Value, json};

use harness::gherkin::{ScenarioWorld, StepError};

use super::replies::describe;
use super::{Done, Ticketing as _};
use crate::operation::{Operation, PASSWORD};
use crate::person::Person;

#[given(expr = "{word} has signed up")]
async fn has_signed_up(world: &mut ScenarioWorld, who: String) -> Done {
    world.done(Operation::sign_up(&who)).await
}

#[when(expr = "{word} signs up")]
async fn signs_up(world: &mut ScenarioWorld, who: String) -> Done {
    world.operate(vec![Operation::sign_up(&who)]).await
}

#[when(expr = "{word} signs up with the email {string} and the password {string}")]
async fn signs_up_with(
    world: &mut ScenarioWorld,
    who: String,
    email: String,
    password: String,
) -> Done {
    world.operate(vec![Operation::SignUp { who, email: Some(email), password }]).await
}

#[when(expr = "{int} people sign up with the email {string} at the same moment")]
async fn sign_up_at_once(world: &mut ScenarioWorld, people: usize, email: String) -> Done {
    let sign_up = |number| Operation::SignUp {
        who: format!("Person {number}"),
        email: Some(email.clone()),
        password: PASSWORD.to_owned(),
    };
    world.operate((1..=people).map(sign_up).collect()).await
}

#[when(expr = "{word} signs in with the email {string} and the password {string}")]
async fn signs_in_with(
    world: &mut ScenarioWorld,
    who: String,
    email: String,
    password: String,
) -> Done {
    world.operate(vec![Operation::SignIn { who, email: Some(email), password }]).await
}

#[when(expr = "{word} guesses the password of {string} {int} times")]
async fn guesses(world: &mut ScenarioWorld, who: String, email: String, times: usize) -> Done {
    for _ in 0..times {
        let (who, email) = (who.clone(), Some(email.clone()));
        let password = "a guess".to_owned();
        world.operate(vec![Operation::SignIn { who, email, password }]).await?;
    }
    Ok(())
}

#[given(expr = "{word} has signed out")]
async fn has_signed_out(world: &mut ScenarioWorld, who: String) -> Done {
    world.done(Operation::SignOut { who }).await
}

#[when(expr = "{word} signs out")]
async fn signs_out(world: &mut ScenarioWorld, who: String) -> Done {
    world.operate(vec![Operation::SignOut { who }]).await
}

#[when(expr = "{word} changes the email to {string}, confirming with the password {string}")]
async fn changes_address(
    world: &mut ScenarioWorld,
    who: String,
    email: String,
    current: String,
) -> Done {
    let body = json!({ "email": email, "currentPassword": current });
    world.operate(vec![Operation::ChangeAccount { who, change: body }]).await
}

#[when(expr = "{word} changes the password to {string}, confirming with the password {string}")]
async fn changes_password(
    world: &mut ScenarioWorld,
    who: String,
    new: String,
    current: String,
) -> Done {
    let body = json!({ "password": new, "currentPassword": current });
    world.operate(vec![Operation::ChangeAccount { who, change: body }]).await
}

#[when(expr = "{word} claims the rights of the administrator with {string}")]
async fn claims(world: &mut ScenarioWorld, who: String, claim: String) -> Done {
    world.operate(vec![Operation::claim(&who, &claim)]).await
}

#[given(expr = "{word} has claimed the rights of the administrator")]
async fn has_claimed(world: &mut ScenarioWorld, who: String) -> Done {
    world.meet(std::slice::from_ref(&who)).await?;
    world.done(Operation::claim(&who, &world.clients().admin_claim.clone())).await
}

#[given(expr = "{word} has banned {word}")]
async fn has_banned(world: &mut ScenarioWorld, who: String, whom: String) -> Done {
    world.meet(std::slice::from_ref(&whom)).await?;
    world.done(Operation::Ban { who, whom }).await
}

#[when(expr = "{word} bans {word}")]
async fn bans(world: &mut ScenarioWorld, who: String, whom: String) -> Done {
    world.meet(std::slice::from_ref(&whom)).await?;
    world.operate(vec![Operation::Ban { who, whom }]).await
}

#[when(expr = "{word} lifts the ban on {word}")]
async fn lifts_the_ban(world: &mut ScenarioWorld, who: String, whom: String) -> Done {
    world.operate(vec![Operation::Unban { who, whom }]).await
}

#[then(expr = "{word} is signed in")]
async fn is_signed_in(world: &mut ScenarioWorld, who: String) -> Done {
    let user = current_user(world, &who).await?;
    let person = world.person(&who);
    StepError::unless(user["id"] == person.id.as_str() && user["iat"].is_i64(), || {
        format!("{who} should be signed in, but the current user is {user}")
    })
}

#[then(expr = "{word} is signed in as {string}")]
async fn is_signed_in_as(world: &mut ScenarioWorld, who: String, email: String) -> Done {
    let user = current_user(world, &who).await?;
    StepError::unless(user["email"] == email.as_str(), || {
        format!("{who} should be signed in as {email}, but the current user is {user}")
    })
}

#[then(expr = "{word} is signed out")]
async fn is_signed_out(world: &mut ScenarioWorld, who: String) -> Done {
    let user = current_user(world, &who).await?;
    StepError::unless(user.is_null(), || {
        format!("{who} should be signed out, but the current user is {user}")
    })
}

async fn current_user(world: &mut ScenarioWorld, who: &str) -> Result<Value, StepError> {
    let reply = world.look(who, "/api/users/currentuser").await;
    let body = reply.json();
    let user = body.get("currentUser").cloned();
    user.filter(|_| reply.status() == Some(200)).ok_or_else(|| StepError::new(describe(&reply)))
}

#[then("the session cookie is HttpOnly and SameSite=Lax")]
async fn cookie_is_safe(world: &mut ScenarioWorld) -> Done {
    let cookie = world.replied().iter().find_map(|replied| match &replied.reply {
        harness::world::Reply::Answer(answer) => answer.headers().get(header::SET_COOKIE),
        harness::world::Reply::Unanswered(_) => None,
    });
    let cookie = cookie.and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.ok_or_else(|| StepError::new("no cookie was set".to_owned()))?;
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        let has = cookie.split(';').any(|part| part.trim() == attribute);
        StepError::unless(has, || format!("the cookie lacks {attribute}: {cookie}"))?;
    }
    Ok(())
}

#[given(regex = r"^(\w+) presents (\w+)'s session (.+)$")]
async fn presents_forged_session(
    world: &mut ScenarioWorld,
    who: String,
    whose: String,
    change: String,
) -> Done {
    world.meet(&[who.clone(), whose.clone()]).await?;
    let (theirs, own) = (session(world, &whose)?, session(world, &who)?);
    let [head, claims, signature] = [0, 1, 2].map(|part| theirs.split('.').nth(part).unwrap_or(""));
    let own_signature = own.rsplit('.').next().unwrap_or_default();
    let token = match change.as_str() {
        "as it is" => theirs,
        "with a different signature" => format!("{head}.{claims}.{own_signature}"),
        "without a signature" => format!("{head}.{claims}."),
        // The header is `{"alg":"none"}`.
        "with the algorithm set to none" => format!("eyJhbGciOiJub25lIn0.{claims}."),
        "truncated to half its length" => theirs[..theirs.len() / 2].to_owned(),
        "without claims" => format!("{head}.e30.{signature}"),
        _ => {
            return Err(StepError::new(format!(
                "unknown change of a session: {change}; see `rehearse steps`"
            )));
        }
    };
    let envelope = STANDARD.encode(json!({ "jwt": token }).to_string());
    set_cookie(world, &who, &envelope);
    Ok(())
}

#[given(expr = "{word} presents the session {string}")]
async fn presents_session(world: &mut ScenarioWorld, who: String, value: String) -> Done {
    world.meet(std::slice::from_ref(&who)).await?;
    set_cookie(world, &who, &value);
    Ok(())
}

/// The token in a client's cookie.
fn session(world: &ScenarioWorld, who: &str) -> Result<String, StepError> {
    let cookie = world.person(who).cookie;
    let value = cookie.as_deref().and_then(|cookie| cookie.strip_prefix("session="));
    let envelope = value.and_then(|value| STANDARD.decode(value).ok());
    let envelope: Option<Value> = envelope.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let token = envelope.and_then(|envelope| envelope["jwt"].as_str().map(str::to_owned));
    token.ok_or_else(|| StepError::new(format!("{who} has no session: {cookie:?}")))
}

/// Gives a client this cookie and forgets the user id, which belongs to the old one.
fn set_cookie(world: &mut ScenarioWorld, who: &str, value: &str) {
    let known = world.person(who);
    let cookie = Some(format!("session={value}"));
    world.clients_mut().set_person(who, Person { cookie, id: String::new(), ..known });
}
