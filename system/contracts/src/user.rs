//! Events of users, published by auth.

use ports::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::events;

/// A user as others may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserState {
    /// The user's id.
    pub id: String,
    /// The address.
    pub email: String,
    /// The user's version.
    pub version: i64,
}

events!(UserState by id:
    /// Somebody signed up.
    UserCreated = "user.created",
    /// Somebody changed their address or password.
    UserUpdated = "user.updated",
);

/// Until when a user is banned, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BanState {
    /// The user's id.
    pub id: String,
    /// The expiry of the last token that the user could hold: a receiver may forget the ban then.
    pub until: Timestamp,
    /// The user's version: of a ban and its end, the newer one wins.
    pub version: i64,
}

events!(BanState by id:
    /// A user may no longer act.
    UserBanned = "user.banned",
    /// A user may act again.
    UserUnbanned = "user.unbanned",
);

/// The name of the consumer through which each instance receives bans, without the service.
pub const BAN_CONSUMER: &str = "UserBans";
