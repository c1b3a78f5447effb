//! The rights of administrators: the settings name them by something that a user must prove.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::User;

/// The administrators of one instance. Clones share them.
///
/// An id is given by the service, and a claim is a secret that the first user who presents it
/// owns. An address is a weak proof: nobody verifies it, so anybody can sign up with it first.
#[derive(Debug, Clone, Default)]
pub struct Admins {
    ids: Arc<BTreeSet<String>>,
    claim: Option<String>,
    emails: Arc<BTreeSet<String>>,
}

impl Admins {
    /// Creates the list from user ids, and from the secret that makes its first presenter an
    /// administrator; `None` for no such secret.
    #[must_use]
    pub fn new(ids: &[String], claim: Option<&str>) -> Self {
        let ids = ids.iter().map(|id| id.to_lowercase()).collect();
        Self { ids: Arc::new(ids), claim: claim.map(digest), emails: Arc::default() }
    }

    /// Adds the users with these addresses, compared without case.
    #[must_use]
    pub fn with_emails(self, emails: &[String]) -> Self {
        let emails = emails.iter().map(|email| email.trim().to_lowercase()).collect();
        Self { emails: Arc::new(emails), ..self }
    }

    /// Returns true if this user, as of the current document, is an administrator. Another secret
    /// in the settings takes the right from the owner of the last one.
    #[must_use]
    pub fn allow(&self, user: Option<&User>) -> bool {
        user.is_some_and(|user| {
            let owns_claim = self.claim.is_some() && user.claim == self.claim;
            let is_listed = self.ids.contains(&user.id)
                || self.emails.contains(user.email.to_lowercase().as_str());
            !user.banned && (owns_claim || is_listed)
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
    fn an_address_is_an_administrator_only_where_the_settings_list_it() {
        let admins = Admins::default().with_emails(&["Boss@Example.org ".to_owned()]);
        assert!(admins.allow(Some(&user("a1"))));
        assert!(!admins.allow(Some(&User { email: "a@example.org".to_owned(), ..user("a1") })));
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
