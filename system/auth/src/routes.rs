//! HTTP in: `/api/users`. It parses, calls [`crate::model`] and maps refusals to responses.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::NoContent;
use axum::{Extension, Json};
use contracts::messages;
use identity::session::{self, SetSession};
use platform::collection::{ChangeError, Decision};
use platform::http::interface::DocumentId;
use platform::http::{ApiError, Id, Input, New, Route, Routes};
use ports::Timestamp;
use ports::store::WriteError;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::input::{ClaimInput, EditInput, SignInInput, SignUpInput};
use crate::model::{self, Edit, User, UserError};
use crate::store;
use crate::throttle::ClientAddress;

/// Returns the routes of this service.
pub fn routes(app: App) -> Routes {
    let guesses = || ApiError::too_many_attempts(Duration::from_secs(1));
    let taken = |index: &str| taken(WriteError::Duplicate { index: index.to_owned() });
    let table = [
        Route::post("/api/users/signup", sign_up).refuses([guesses(), taken(store::EMAIL)]),
        Route::post("/api/users/signin", sign_in)
            .refuses([guesses()])
            .refuses([UserError::Credentials, UserError::Banned]),
        Route::post("/api/users/signout", sign_out),
        Route::get("/api/users/currentuser", current),
        Route::patch("/api/users/me", edit)
            .refuses([nothing_new(), guesses(), taken(store::EMAIL)])
            .refuses([UserError::CurrentPassword, UserError::SignedOut]),
        Route::post("/api/users/me/admin", claim)
            .refuses([guesses(), other_claim(), taken(store::CLAIM)])
            .refuses([UserError::SignedOut]),
        Route::post("/api/users/{id}/ban", ban)
            .role("administrator")
            .refuses([no_administrator(), UserError::NotFound.into()]),
        Route::delete("/api/users/{id}/ban", unban)
            .role("administrator")
            .refuses([no_administrator(), UserError::NotFound.into()]),
    ];
    Routes::new(app, table)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "User")]
struct UserView {
    #[schemars(with = "DocumentId")]
    id: String,
    email: String,
}

/// The address of the client, which the server adds to a request where it knows one.
type Client = Option<Extension<ClientAddress>>;

/// An attempt to guess a password or an address, whatever its intention.
struct Attempt<'a> {
    app: &'a App,
    action: &'static str,
    client: Option<ClientAddress>,
    account: String,
}

impl<'a> Attempt<'a> {
    /// Refuses the attempt if too many have failed. `account` is an address or an id.
    fn begin(
        app: &'a App,
        action: &'static str,
        client: Client,
        account: &str,
    ) -> Result<Self, ApiError> {
        let client = client.map(|Extension(client)| client);
        let attempt = Self { app, action, client, account: account.trim().to_lowercase() };
        match app.throttle.pause(client, &attempt.account, app.clock.now()) {
            Some(pause) => {
                attempt.refused("too many attempts");
                Err(ApiError::too_many_attempts(pause))
            }
            None => Ok(attempt),
        }
    }

    /// Counts a failed guess.
    fn failed(&self, reason: &'static str) {
        self.app.throttle.failed(self.client, &self.account, self.app.clock.now());
        self.refused(reason);
    }

    fn refused(&self, reason: &'static str) {
        audit::refused(self.action, self.actor(), reason);
    }

    fn accepted(&self, user: &str) {
        audit::accepted(self.action, self.actor(), user);
    }

    fn actor(&self) -> Actor<'_> {
        Actor { client: self.client, account: &self.account }
    }
}

/// Signs the user in; `since` is a time before the user was looked up.
fn signed_in<R>(
    app: &App,
    user: User,
    since: Timestamp,
    respond: fn(UserView) -> R,
) -> SetSession<R> {
    let cookie = app.sessions.issue(&user.id, &user.email, user.generation, since);
    SetSession(cookie, respond(UserView { id: user.id, email: user.email }))
}

async fn sign_up(
    State(app): State<App>,
    client: Client,
    Input(input): Input<SignUpInput>,
) -> Result<SetSession<New<UserView>>, ApiError> {
    let attempt = Attempt::begin(&app, "sign-up", client, &input.email)?;
    let password = app.passwords.hash(&input.password).await;
    let since = app.clock.now();
    let id = app.entropy.id(since);
    let (user, events) = model::sign_up(id, &input.email, password);
    let inserted = app.users.insert(&user, events).await;
    if let Err(WriteError::Duplicate { .. }) = inserted {
        // Guessing which addresses exist.
        attempt.failed("address in use");
    }
    inserted.map_err(taken)?;
    attempt.accepted(&user.id);
    Ok(signed_in(&app, user, since, New))
}

async fn sign_in(
    State(app): State<App>,
    client: Client,
    Input(input): Input<SignInInput>,
) -> Result<SetSession<Json<UserView>>, ApiError> {
    let attempt = Attempt::begin(&app, "sign-in", client, &input.email)?;
    let since = app.clock.now();
    let user = store::by_email(&app.users, &input.email).await?;
    let hash = user.as_ref().map(|user| user.password.as_str());
    let verified = app.passwords.verify(&input.password, hash).await;
    let user = model::sign_in(user, verified).inspect_err(|error| match error {
        UserError::Banned => attempt.refused("banned"),
        _ => attempt.failed("wrong credentials"),
    })?;
    attempt.accepted(&user.id);
    Ok(signed_in(&app, user, since, Json))
}

async fn sign_out(
    State(app): State<App>,
    client: Client,
    caller: Option<session::User>,
) -> Result<SetSession<Json<Nothing>>, ApiError> {
    if let Some(user) = caller {
        let sign_out =
            |account: Option<&User>| model::sign_out(account, &user.session, app.last_expiry());
        app.users.apply(&user.id, sign_out).await?;
        let client = client.map(|Extension(client)| client);
        audit::accepted("sign-out", Actor { client, account: &user.id }, &user.id);
    }
    Ok(SetSession(app.sessions.clear(), Json(Nothing {})))
}

#[derive(Serialize, JsonSchema)]
struct Nothing {}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CurrentUser")]
struct CurrentView {
    current_user: Option<session::User>,
}

async fn current(_: State<App>, current_user: Option<session::User>) -> Json<CurrentView> {
    Json(CurrentView { current_user })
}

async fn edit(
    State(app): State<App>,
    client: Client,
    caller: session::User,
    Input(input): Input<EditInput>,
) -> Result<SetSession<Json<UserView>>, ApiError> {
    if input.email.is_none() && input.password.is_none() {
        return Err(nothing_new());
    }
    let attempt = Attempt::begin(&app, "account change", client, &caller.id)?;
    let since = app.clock.now();
    let verified_hash = app.users.get(&caller.id).await?.ok_or(UserError::SignedOut)?.password;
    if !app.passwords.verify(&input.current_password, Some(&verified_hash)).await {
        attempt.failed("wrong current password");
        return Err(UserError::CurrentPassword.into());
    }
    let password = match &input.password {
        Some(password) => Some(app.passwords.hash(password).await),
        None => None,
    };
    let edit = Edit { email: input.email, password, verified_hash };
    let edit = |user: Option<&User>| model::edit(user, &edit);
    let changed = app.users.change(&caller.id, edit).await.map_err(|error| match error {
        ChangeError::Write(error) => taken(error),
        error => error.into(),
    })?;
    let user = changed.document.expect("an edit never removes the user");
    attempt.accepted(&user.id);
    Ok(signed_in(&app, user, since, Json))
}

async fn claim(
    State(app): State<App>,
    client: Client,
    caller: session::User,
    Input(input): Input<ClaimInput>,
) -> Result<NoContent, ApiError> {
    let attempt = Attempt::begin(&app, "claim", client, &caller.id)?;
    let Some(digest) = app.admins.recognize(input.claim.trim()) else {
        attempt.failed("wrong claim");
        return Err(other_claim());
    };
    let claim = |user: Option<&User>| model::claim(user, &digest);
    app.users.change(&caller.id, claim).await.map_err(|error| match error {
        ChangeError::Write(error) => {
            attempt.refused("claim not written");
            taken(error)
        }
        error => error.into(),
    })?;
    attempt.accepted(&caller.id);
    Ok(NoContent)
}

async fn ban(
    app: State<App>,
    client: Client,
    by: session::User,
    id: Id,
) -> Result<NoContent, ApiError> {
    change_ban(app, client, by, id, ("ban", model::ban)).await
}

async fn unban(
    app: State<App>,
    client: Client,
    by: session::User,
    id: Id,
) -> Result<NoContent, ApiError> {
    change_ban(app, client, by, id, ("end of ban", model::unban)).await
}

/// Decides on a ban, with the time until which receivers must remember it.
type BanDecision = fn(Option<&User>, Timestamp) -> Result<Decision<User>, UserError>;

async fn change_ban(
    State(app): State<App>,
    client: Client,
    caller: session::User,
    Id(id): Id,
    (action, decide): (&'static str, BanDecision),
) -> Result<NoContent, ApiError> {
    let client = client.map(|Extension(client)| client);
    let actor = Actor { client, account: &caller.id };
    let administrator = app.users.get(&caller.id).await?;
    if !app.admins.allow(administrator.as_ref()) {
        audit::refused(action, actor, "not an administrator");
        return Err(no_administrator());
    }
    let decide = |user: Option<&User>| decide(user, app.last_expiry());
    app.users.change(&id, decide).await?;
    audit::accepted(action, actor, &id);
    Ok(NoContent)
}

fn nothing_new() -> ApiError {
    ApiError::refused("You must supply a new email or a new password")
}

fn other_claim() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, messages::INVALID_CLAIM)
}

fn no_administrator() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, messages::NOT_ADMINISTRATOR)
}

/// Maps a violation of an index: of concurrent users with one address or one claim, one succeeds.
fn taken(error: WriteError) -> ApiError {
    match error {
        WriteError::Duplicate { index } if index == store::CLAIM => {
            ApiError::refused(messages::CLAIM_USED)
        }
        WriteError::Duplicate { index } if index == store::EMAIL => {
            ApiError::refused(messages::EMAIL_IN_USE)
        }
        error => error.into(),
    }
}

impl From<UserError> for ApiError {
    fn from(error: UserError) -> Self {
        match error {
            UserError::NotFound => Self::not_found(),
            UserError::Credentials => Self::refused(messages::INVALID_CREDENTIALS),
            UserError::CurrentPassword => {
                let message = messages::INVALID_CREDENTIALS.to_owned();
                Self::invalid([("currentPassword".to_owned(), message)])
            }
            UserError::Banned => Self::new(StatusCode::FORBIDDEN, messages::USER_BANNED),
            UserError::SignedOut => Self::not_authorized(),
        }
    }
}
