//! An email address belongs to one user, regardless of case.

use std::collections::BTreeMap;

use super::Evidence;
use super::evidence::{Records as _, text};

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
