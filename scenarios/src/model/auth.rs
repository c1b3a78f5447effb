//! The rules of accounts, sessions and bans.

use bson::{Bson, Document};
use harness::evidence::field::{id, integer, text};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::answer::{Answer, Cookie};
use super::changed;
use super::input::{self, Bad, Validity};
use super::rules::Rule;
use super::session::Caller;

/// The message of a bad address.
const EMAIL: Option<&str> = Some("Email must be valid");
/// The message of a bad new password.
const PASSWORD: Option<&str> = Some("Password must be between 4 and 20 characters");
/// The message of a missing password.
const SUPPLIED: Option<&str> = Some("You must supply a password");
/// The message of a refused sign-in.
const CREDENTIALS: &str = "Invalid credentials";

/// A password as it is compared: in NFC, every blank a space, without outer blanks.
pub fn password(text: &str) -> String {
    let blanks = |c: char| if c.is_whitespace() { ' ' } else { c };
    text.nfc().map(blanks).collect::<String>().trim().to_owned()
}

/// An address as it is compared: without outer blanks, in lower case.
pub fn address(text: &str) -> String {
    text.trim().to_lowercase()
}

fn new_password(text: &str) -> Validity {
    let fits = (4..=20).contains(&password(text).chars().count());
    if fits { Validity::Good } else { Validity::Bad }
}

fn supplied(text: &str) -> Validity {
    if password(text).is_empty() { Validity::Bad } else { Validity::Good }
}

/// The sets of bad fields of a sign-up; an empty set stands for none.
pub fn sign_up_input(body: &Map<String, Value>) -> Vec<Vec<Bad>> {
    let (email, password) = (input::text(body, "email"), input::text(body, "password"));
    input::bad_fields(&[
        (("email", EMAIL), input::email(email)),
        (("password", PASSWORD), new_password(password)),
    ])
}

/// The sets of bad fields of a sign-in.
pub fn sign_in_input(body: &Map<String, Value>) -> Vec<Vec<Bad>> {
    let (email, password) = (input::text(body, "email"), input::text(body, "password"));
    input::bad_fields(&[
        (("email", EMAIL), input::email(email)),
        (("password", SUPPLIED), supplied(password)),
    ])
}

/// The sets of bad fields of an edit. A field that is absent or null keeps its value.
pub fn edit_input(body: &Map<String, Value>) -> Vec<Vec<Bad>> {
    let given = |field: &str| body.get(field).filter(|value| !value.is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let email = given("email").map_or(Validity::Good, |email| input::email(&text(email)));
    let password = given("password").map_or(Validity::Good, |value| new_password(&text(value)));
    input::bad_fields(&[
        (("email", EMAIL), email),
        (("password", PASSWORD), password),
        (("currentPassword", SUPPLIED), supplied(input::text(body, "currentPassword"))),
    ])
}

fn user_view(user: &Document) -> Value {
    json!({ "id": id(user), "email": text(user, "email") })
}

fn session(user: &Document) -> Cookie {
    let (id, email) = (id(user).to_owned(), text(user, "email").to_owned());
    Cookie::Issued(Caller { id, email, iat: 0 }, integer(user, "generation"))
}

/// Signs up under this id and hash; the address is free.
pub fn sign_up(body: &Map<String, Value>, (id, hash): (&str, &str)) -> Answer {
    let email = input::text(body, "email").trim();
    let user = bson::doc! {
        "_id": id, "email": email, "emailKey": address(email), "password": hash, "role": "user",
        "claim": Bson::Null, "banned": false, "generation": 0_i64, "version": 0_i64,
    };
    let shown = Answer::shows(Rule::SignedUp, user_view(&user));
    shown.with_cookie(session(&user)).leaving(user)
}

/// A sign-up or an edit with an address of another user.
pub fn taken(rule: Rule) -> Answer {
    Answer::refuses(rule, "Email in use")
}

/// Signs in the user of the address, if there is one; `right` is true for the right password.
pub fn sign_in(user: Option<&Document>, right: bool) -> Answer {
    match user {
        None => Answer::refuses(Rule::SignInUnknown, CREDENTIALS),
        Some(_) if !right => Answer::refuses(Rule::SignInPassword, CREDENTIALS),
        Some(user) if is_banned(user) => Answer::refuses(Rule::SignInBanned, "User is banned"),
        Some(user) => Answer::shows(Rule::SignedIn, user_view(user)).with_cookie(session(user)),
    }
}

/// Signs out the user of a session; `None` without one.
pub fn sign_out(user: Option<&Document>) -> Answer {
    let rule = if user.is_some() { Rule::SignedOut } else { Rule::SignedOutNobody };
    let answer = Answer::shows(rule, json!({})).with_cookie(Cookie::Cleared);
    let Some(user) = user else { return answer };
    let version = Bson::from(integer(user, "version") + 1);
    answer.leaving(changed(user, [("version", version)]))
}

/// The event of a write of a user, in its outbox: name and payload.
pub fn event(user: &Document) -> Option<(&str, Value)> {
    let events = user.get_array("outbox").into_iter().flatten().filter_map(Bson::as_document);
    let mut events = events.map(|event| (text(event, "name"), text(event, "payload")));
    let version = integer(user, "version");
    events.find_map(|(name, payload)| {
        let payload: Value = serde_json::from_str(payload).ok()?;
        (payload["version"] == version).then_some((name, payload))
    })
}

/// Shows the claims of the session.
pub fn current(caller: Option<&Caller>) -> Answer {
    let rule = if caller.is_some() { Rule::CurrentUser } else { Rule::CurrentNobody };
    Answer::shows(rule, json!({ "currentUser": caller }))
}

/// Edits an account; `right` is true for the right current password, `hash` the one of the new
/// password.
pub fn edit(user: Option<&Document>, body: &Map<String, Value>, right: bool, hash: &str) -> Answer {
    let given = |field: &str| body.get(field).and_then(Value::as_str);
    if given("email").is_none() && given("password").is_none() {
        let message = "You must supply a new email or a new password";
        return Answer::refuses(Rule::AccountNothing, message);
    }
    let gone = Answer::unauthorized(Rule::AccountGone);
    let Some(user) = user else { return gone };
    if !right {
        let field = [("currentPassword", Some(CREDENTIALS))];
        return Answer::invalid(Rule::AccountPassword, &field);
    }
    if is_banned(user) {
        return gone;
    }
    let mut next = user.clone();
    if let Some(email) = given("email") {
        next.insert("email", email.trim());
        next.insert("emailKey", address(email));
    }
    if given("password").is_some() {
        next.insert("password", hash);
        next.insert("generation", integer(user, "generation") + 1);
    }
    let answer = |user: &Document| {
        let shown = Answer::shows(Rule::AccountEdited, user_view(user));
        shown.with_cookie(session(user))
    };
    if next == *user {
        return answer(user);
    }
    next.insert("version", integer(user, "version") + 1);
    answer(&next).leaving(next)
}

/// The digest under which a user owns a claim.
pub fn digest(claim: &str) -> String {
    Sha256::digest(claim.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Presents a claim. `claim` is the one of the settings; `is_used` is true if another user owns it.
pub fn claim(
    user: Option<&Document>,
    body: &Map<String, Value>,
    claim: &str,
    is_used: bool,
) -> Answer {
    let presented = input::text(body, "claim").trim();
    if presented.is_empty() {
        let field = [("claim", Some("You must supply a claim"))];
        return Answer::invalid(Rule::ClaimInput, &field);
    }
    if presented != claim {
        return Answer::refuses(Rule::ClaimInvalid, "Invalid claim");
    }
    let Some(user) = user.filter(|user| !is_banned(user)) else {
        return Answer::unauthorized(Rule::ClaimGone);
    };
    let digest = digest(claim);
    if text(user, "claim") == digest {
        return Answer::empty(Rule::ClaimedAgain);
    }
    if is_used {
        return Answer::refuses(Rule::ClaimUsed, "Claim is used");
    }
    Answer::empty(Rule::Claimed).leaving(changed(
        user,
        [
            ("role", Bson::from("admin")),
            ("claim", Bson::from(digest)),
            ("version", Bson::from(integer(user, "version") + 1)),
        ],
    ))
}

/// Whether a user is banned.
pub fn is_banned(user: &Document) -> bool {
    user.get_bool("banned").unwrap_or_default()
}

/// Bans a user, or lifts the ban; `claim` is the one of the settings.
pub fn ban(caller: Option<&Document>, user: Option<&Document>, ban: bool, claim: &str) -> Answer {
    let digest = digest(claim);
    let allowed = |caller: &&Document| !is_banned(caller) && text(caller, "claim") == digest;
    if caller.filter(allowed).is_none() {
        return Answer::refuses(Rule::BanForbidden, "Not an administrator");
    }
    let Some(user) = user else { return Answer::not_found(Rule::BanUnknown) };
    let rule = match (ban, is_banned(user) == ban) {
        (true, false) => Rule::Banned,
        (true, true) => Rule::BannedAgain,
        (false, false) => Rule::Unbanned,
        (false, true) => Rule::UnbannedAgain,
    };
    if is_banned(user) == ban {
        return Answer::empty(rule);
    }
    let version = Bson::from(integer(user, "version") + 1);
    let next = changed(user, [("banned", Bson::from(ban)), ("version", version)]);
    Answer::empty(rule).leaving(next)
}
