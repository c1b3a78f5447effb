//! Events of users, published by auth.

use ports::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The public part of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserState {
    /// The user's id.
    pub id: String,
    /// The email address.
    pub email: String,
    /// The generation of the user's sessions, incremented by each change of the password: sessions
    /// of an earlier one have ended. Zero in events of an earlier release.
    #[serde(default)]
    pub generation: i64,
    /// The user's version.
    pub version: i64,
}

platform::events! {
    /// Every event of a new account.
    pub SIGN_UP_EVENTS of UserState, from "auth" to []:
    /// A user signed up.
    UserCreated = "user.created";

    /// Every event of a changed account, without bans, for the services that verify sessions.
    pub USER_EVENTS of UserState, from "auth" to ["auth", "tickets", "orders", "payments"]:
    /// A user changed their address or password.
    UserUpdated = "user.updated";
}

/// A ban, or the end of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BanState {
    /// The user's id.
    pub id: String,
    /// The expiry of the last token that the user could hold: a receiver may forget the ban then.
    pub until: Timestamp,
    /// The user's version: of a ban and its end, the newer one wins.
    pub version: i64,
}

platform::events! {
    /// Every event of a ban, for the services that verify sessions.
    pub BAN_EVENTS of BanState, from "auth" to ["auth", "tickets", "orders", "payments"]:
    /// A user was banned.
    UserBanned = "user.banned",
    /// The ban of a user was lifted.
    UserUnbanned = "user.unbanned";
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionEnd {
    /// The user's id.
    pub id: String,
    /// The session's id.
    pub session: String,
    /// The expiry of the last token that the user could hold: a receiver may forget the end then.
    pub until: Timestamp,
    /// The user's version.
    pub version: i64,
}

platform::events! {
    /// Every end of a session by its user, for the services that verify sessions.
    pub SESSION_EVENTS of SessionEnd, from "auth" to ["auth", "tickets", "orders", "payments"]:
    /// A user signed out.
    UserSignedOut = "user.signedout";
}

/// The name of the consumer through which each instance receives bans, sign-outs and changed
/// accounts, without the service.
pub const ACCESS_CONSUMER: &str = "UserAccess";
