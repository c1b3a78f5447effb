//! A session ends when its time is over.

use std::time::Duration;

use ports::clock::after;

use super::Evidence;
use crate::script::Act;

/// How long a token lives.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let late = evidence.told.iter().filter(|told| {
        let needed = !matches!(told.act, Act::SignIn { .. } | Act::Join { .. });
        let over = told.signed_in.is_some_and(|since| told.at > after(since, LIFETIME));
        needed && over && matches!(told.status, Some(200..=299))
    });
    late.map(|told| format!("carried out for a session whose time was over: {}", told.act))
        .collect()
}
