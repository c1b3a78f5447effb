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
    /// The user's version.
    pub version: i64,
}

platform::events! {
    /// Every event of an account, without bans.
    pub USER_EVENTS of UserState, from "auth" to []:
    /// A user signed up.
    UserCreated = "user.created",
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

/// The name of the consumer through which each instance receives bans, without the service.
pub const BAN_CONSUMER: &str = "UserBans";
