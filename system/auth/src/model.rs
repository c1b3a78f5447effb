//! The user document, and every decision on it: pure functions without I/O.

use contracts::{
    BanState, SessionEnd, UserBanned, UserCreated, UserSignedOut, UserState, UserUnbanned,
    UserUpdated,
};
use platform::collection::Decision;
use platform::event::Emit;
use platform::renewal::Renewed;
use ports::Timestamp;
use serde::{Deserialize, Serialize};

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The address as the user typed it, trimmed.
    pub email: String,
    /// The address in the form that is compared: see [`email_key`].
    pub email_key: String,
    /// The password hash, a PHC string.
    pub password: String,
    /// [`Role::Admin`] if the user owns a claim, also one that the settings no longer have. Only
    /// the settings grant rights: see [`crate::admins::Admins`].
    pub role: Role,
    /// The digest of the claim that the user owns; `None` for none.
    #[serde(default)]
    pub claim: Option<String>,
    /// True if the user may neither sign in nor act.
    pub banned: bool,
    /// The generation of sessions, incremented by each change of the password: sessions of an
    /// earlier one have ended.
    #[serde(default)]
    pub generation: i64,
    /// Incremented by every change.
    pub version: i64,
}

/// The role of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May buy and sell.
    User,
    /// May ban users, while the settings have the claim.
    Admin,
}

/// Normalizes an address for comparison: trimmed, in lower case.
#[must_use]
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A change of a user's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The new address; `None` to keep it.
    pub email: Option<String>,
    /// The hash of the new password; `None` to keep it.
    pub password: Option<String>,
    /// The hash against which the current password was verified.
    pub verified_hash: String,
}

/// A refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// The user does not exist.
    #[error("no such user")]
    NotFound,
    /// The address is unknown or the password is wrong. The caller must not learn which.
    #[error("unknown address or wrong password")]
    Credentials,
    /// The current password is wrong, or was changed concurrently.
    #[error("wrong current password")]
    CurrentPassword,
    /// The password is right, but the user is banned.
    #[error("the user is banned")]
    Banned,
    /// The caller's account is gone or banned.
    #[error("the caller is not signed in")]
    SignedOut,
}

/// Creates a user.
#[must_use]
pub fn sign_up(id: String, email: &str, password_hash: String) -> (User, Vec<Emit>) {
    let user = User {
        id,
        email: email.trim().to_owned(),
        email_key: email_key(email),
        role: Role::User,
        claim: None,
        password: password_hash,
        banned: false,
        generation: 0,
        version: 0,
    };
    let event = Emit::new(&UserCreated(user.state()));
    (user, vec![event])
}

/// Signs in the user, if there is one and the password was verified.
pub fn sign_in(user: Option<User>, verified: bool) -> Result<User, UserError> {
    match user {
        Some(user) if verified && user.banned => Err(UserError::Banned),
        Some(user) if verified => Ok(user),
        _ => Err(UserError::Credentials),
    }
}

/// Changes the address, the password or both. The password must have been verified against the
/// current hash: an edit that lost a race against a password change is refused.
pub fn edit(user: Option<&User>, edit: &Edit) -> Result<Decision<User>, UserError> {
    let user = user.filter(|user| !user.banned).ok_or(UserError::SignedOut)?;
    if user.password != edit.verified_hash {
        return Err(UserError::CurrentPassword);
    }
    let mut next = user.clone();
    if let Some(email) = &edit.email {
        next.email = email.trim().to_owned();
        next.email_key = email_key(email);
    }
    if let Some(password) = &edit.password {
        next.password.clone_from(password);
        next.generation += 1;
    }
    if next == *user {
        return Ok(Decision::Keep);
    }
    next.version += 1;
    let event = Emit::new(&UserUpdated(next.state()));
    Ok(Decision::Write(next, vec![event]))
}

/// Gives a user the claim of this digest. The index on claims decides whether another user owns
/// it. Idempotent.
pub fn claim(user: Option<&User>, digest: &str) -> Result<Decision<User>, UserError> {
    let user = user.filter(|user| !user.banned).ok_or(UserError::SignedOut)?;
    if user.claim.as_deref() == Some(digest) {
        return Ok(Decision::Keep);
    }
    let (role, claim) = (Role::Admin, Some(digest.to_owned()));
    let next = User { role, claim, version: user.version + 1, ..user.clone() };
    let event = Emit::new(&UserUpdated(next.state()));
    Ok(Decision::Write(next, vec![event]))
}

/// Ends a session of a user, if the account still exists; `until` as for [`ban`].
#[must_use]
pub fn sign_out(user: Option<&User>, session: &str, until: Timestamp) -> Decision<User> {
    let Some(user) = user else { return Decision::Keep };
    let next = User { version: user.version + 1, ..user.clone() };
    let (id, session) = (next.id.clone(), session.to_owned());
    let event = UserSignedOut(SessionEnd { id, session, until, version: next.version });
    Decision::Write(next, vec![Emit::new(&event)])
}

/// Bans a user; `until` is the expiry of the last token that the user could hold. Idempotent.
pub fn ban(user: Option<&User>, until: Timestamp) -> Result<Decision<User>, UserError> {
    let user = user.ok_or(UserError::NotFound)?;
    if user.banned {
        return Ok(Decision::Keep);
    }
    let next = User { banned: true, version: user.version + 1, ..user.clone() };
    let event = UserBanned(BanState { id: next.id.clone(), until, version: next.version });
    Ok(Decision::Write(next, vec![Emit::new(&event)]))
}

/// Lifts a ban; `until` as for [`ban`]. Idempotent.
pub fn unban(user: Option<&User>, until: Timestamp) -> Result<Decision<User>, UserError> {
    let user = user.ok_or(UserError::NotFound)?;
    if !user.banned {
        return Ok(Decision::Keep);
    }
    let next = User { banned: false, version: user.version + 1, ..user.clone() };
    let event = UserUnbanned(BanState { id: next.id.clone(), until, version: next.version });
    Ok(Decision::Write(next, vec![Emit::new(&event)]))
}

impl Renewed for User {
    /// The account. A ban and a sign-out matter no longer than a token.
    fn newest(&self) -> Vec<Emit> {
        vec![match self.version {
            0 => Emit::new(&UserCreated(self.state())),
            _ => Emit::new(&UserUpdated(self.state())),
        }]
    }
}

impl User {
    fn state(&self) -> UserState {
        UserState {
            id: self.id.clone(),
            email: self.email.clone(),
            generation: self.generation,
            version: self.version,
        }
    }
}

#[cfg(test)]
mod tests;
