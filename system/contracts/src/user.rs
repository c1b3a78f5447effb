//! Events of users, from auth. Bans are the platform's own: see [`platform::bans`].

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
