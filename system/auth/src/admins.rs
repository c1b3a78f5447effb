//! The rights of administrators: the settings name them by something that a user must prove.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::User;

/// The administrators of one instance. Clones share them.
///
/// An address is no proof: nobody verifies it, so anybody could sign up with it first. An id is
/// given by the service, and a claim is a secret that the first user who presents it owns.
#[derive(Debug, Clone, Default)]
pub struct Admins {
    ids: Arc<BTreeSet<String>>,
    claim: Option<String>,
}

impl Admins {
    /// Creates the list from user ids, and from the secret that makes its first presenter an
    /// administrator; `None` for no such secret.
    #[must_use]
    pub fn new(ids: &[String], claim: Option<&str>) -> Self {
        let ids = ids.iter().map(|id| id.to_lowercase()).collect();
        Self { ids: Arc::new(ids), claim: claim.map(digest) }
    }

    /// Returns true if this user, as of the current document, is an administrator. Another secret
    /// in the settings takes the right from the owner of the last one.
    #[must_use]
    pub fn allow(&self, user: Option<&User>) -> bool {
        user.is_some_and(|user| {
            let owns_claim = self.claim.is_some() && user.claim == self.claim;
            !user.banned && (owns_claim || self.ids.contains(&user.id))
        })
    }

    /// Returns the digest under which a user owns the presented secret; `None` if it is not the
    /// one of the settings. Digests are compared, so the time tells nothing about the secret.
    pub(crate) fn recognize(&self, presented: &str) -> Option<String> {
        self.claim.clone().filter(|claim| *claim == digest(presented))
    }
}

/// The secret is long and random, so a plain hash cannot be reversed.
fn digest(claim: &str) -> String {
    const_hex::encode(Sha256::digest(claim.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    fn user(id: &str) -> User {
        model::sign_up(id.to_owned(), "boss@example.org", "hash".to_owned()).0
    }

    fn owner(digest: &str) -> User {
        User { claim: Some(digest.to_owned()), ..user("b1") }
    }

    #[test]
    fn an_id_of_the_settings_is_an_administrator_and_an_address_is_not() {
        let admins = Admins::new(&["A1".to_owned()], None);
        assert!(admins.allow(Some(&user("a1"))));
        assert!(!admins.allow(Some(&user("b1"))));
        assert!(!admins.allow(Some(&User { banned: true, ..user("a1") })));
        assert!(!admins.allow(None));
        assert!(!Admins::default().allow(Some(&user("a1"))));
    }

    #[test]
    fn the_owner_of_the_claim_is_an_administrator_as_long_as_the_settings_have_it() {
        let admins = Admins::new(&[], Some("open sesame"));
        let digest = admins.recognize("open sesame").unwrap();
        assert_eq!(admins.recognize("open barley"), None);
        assert!(admins.allow(Some(&owner(&digest))));
        assert!(!admins.allow(Some(&user("b1"))));
        assert!(!Admins::new(&[], Some("another")).allow(Some(&owner(&digest))));
        assert!(!Admins::default().allow(Some(&owner(&digest))));
        assert_eq!(Admins::default().recognize(""), None);
    }
}
