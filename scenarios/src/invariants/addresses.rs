//! An email address belongs to one user, regardless of case, and so does a claim.

use std::collections::BTreeMap;

use super::Evidence;
use super::evidence::{Records as _, text};

/// A claim belongs to one user.
pub(super) fn claimed_once(evidence: &Evidence) -> Vec<String> {
    let claims = evidence.users().iter().filter(|user| !text(user, "claim").is_empty());
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    claims.for_each(|user| *owners.entry(text(user, "claim")).or_default() += 1);
    let shared = owners.into_iter().filter(|(_, owners)| *owners > 1);
    shared.map(|(claim, owners)| format!("{owners} users own the claim {claim}")).collect()
}

/// An address belongs to one user.
pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for user in evidence.users() {
        *users.entry(text(user, "email").to_lowercase()).or_default() += 1;
    }
    let shared = users.iter().filter(|(_, users)| **users > 1);
    shared
        .map(|(address, users)| format!("{users} users have the email address {address}"))
        .collect()
}
