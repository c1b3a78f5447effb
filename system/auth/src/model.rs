//! The user, and every decision on one. Nothing here reads or writes anything.

use std::collections::BTreeSet;
use std::sync::Arc;

use contracts::{BanState, UserBanned, UserCreated, UserState, UserUnbanned, UserUpdated};
use platform::collection::Decision;
use platform::event::Emit;
use ports::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody with an address and a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Their id.
    #[serde(rename = "_id")]
    pub id: String,
    /// The address as they typed it.
    pub email: String,
    /// The address as it is compared: see [`email_key`].
    pub email_key: String,
    /// The password's hash.
    pub password: String,
    /// What they were by the list of administrators when this was written, for people who
    /// read the database. The list itself decides: see [`Admins`].
    pub role: Role,
    /// Whether they may not act any more.
    pub banned: bool,
    /// One higher with each change.
    pub version: i64,
}

/// What a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys and sells.
    User,
    /// May ban others.
    Admin,
}

/// An address as it is compared: without case.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The addresses of the administrators. Clones share them.
#[derive(Debug, Clone)]
pub struct Admins(Arc<BTreeSet<String>>);

impl Admins {
    /// These addresses, in whatever case.
    pub fn new(addresses: &[String]) -> Self {
        Self(Arc::new(addresses.iter().map(|email| email_key(email)).collect()))
    }

    /// Whether this user, as the database knows them now, may act as an administrator.
    pub fn allow(&self, user: Option<&User>) -> bool {
        user.is_some_and(|user| !user.banned && self.0.contains(&user.email_key))
    }

    fn role(&self, email_key: &str) -> Role {
        if self.0.contains(email_key) { Role::Admin } else { Role::User }
    }
}

/// What a user wants to change of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The new address.
    pub email: Option<String>,
    /// The new password's hash.
    pub password: Option<String>,
    /// The hash that the current password was verified against.
    pub proven: String,
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such user.
    NotFound,
    /// There is no such address, or it has another password: which one is nobody's business.
    Credentials,
    /// The current password is another one.
    CurrentPassword,
    /// They may not act any more, and asked to sign in.
    Banned,
    /// Whoever asks is not signed in, or not any more.
    SignedOut,
}

/// Signs up a new user.
pub fn sign_up(
    id: String,
    email: &str,
    password_hash: String,
    admins: &Admins,
) -> (User, Vec<Emit>) {
    let email_key = email_key(email);
    let user = User {
        id,
        email: email.trim().to_owned(),
        role: admins.role(&email_key),
        email_key,
        password: password_hash,
        banned: false,
        version: 0,
    };
    let event = Emit::new(&UserCreated(user.state()));
    (user, vec![event])
}

/// Signs in the user with this address, if the password was verified.
pub fn sign_in(user: Option<User>, verified: bool) -> Result<User, Refused> {
    match user {
        Some(user) if verified && user.banned => Err(Refused::Banned),
        Some(user) if verified => Ok(user),
        _ => Err(Refused::Credentials),
    }
}

/// Changes the address, the password or both. Only whoever knows the password of this very
/// moment may: a change that another one has overtaken is refused.
pub fn edit(user: Option<&User>, edit: &Edit, admins: &Admins) -> Result<Decision<User>, Refused> {
    let user = user.filter(|user| !user.banned).ok_or(Refused::SignedOut)?;
    if user.password != edit.proven {
        return Err(Refused::CurrentPassword);
    }
    let mut next = user.clone();
    if let Some(email) = &edit.email {
        next.email = email.trim().to_owned();
        next.email_key = email_key(email);
        next.role = admins.role(&next.email_key);
    }
    if let Some(password) = &edit.password {
        next.password.clone_from(password);
    }
    if next == *user {
        return Ok(Decision::Keep);
    }
    next.version += 1;
    let event = Emit::new(&UserUpdated(next.state()));
    Ok(Decision::Write(next, vec![event]))
}

/// Bans a user; `until` is when the last token that they could hold ends. Again: nothing
/// changes.
pub fn ban(user: Option<&User>, until: Timestamp) -> Result<Decision<User>, Refused> {
    let user = user.ok_or(Refused::NotFound)?;
    if user.banned {
        return Ok(Decision::Keep);
    }
    let next = User { banned: true, version: user.version + 1, ..user.clone() };
    let event = UserBanned(BanState { id: next.id.clone(), until, version: next.version });
    Ok(Decision::Write(next, vec![Emit::new(&event)]))
}

/// Ends a ban; `until` as for [`ban`]. Again: nothing changes.
pub fn unban(user: Option<&User>, until: Timestamp) -> Result<Decision<User>, Refused> {
    let user = user.ok_or(Refused::NotFound)?;
    if !user.banned {
        return Ok(Decision::Keep);
    }
    let next = User { banned: false, version: user.version + 1, ..user.clone() };
    let event = UserUnbanned(BanState { id: next.id.clone(), until, version: next.version });
    Ok(Decision::Write(next, vec![Emit::new(&event)]))
}

impl User {
    fn state(&self) -> UserState {
        UserState { id: self.id.clone(), email: self.email.clone(), version: self.version }
    }
}

#[cfg(test)]
mod tests;
