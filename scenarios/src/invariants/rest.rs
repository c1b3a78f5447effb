//! At rest every outbox is empty and no timer is overdue.

use super::Evidence;
use super::evidence::id;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let mut broken = Vec::new();
    for (collection, documents) in evidence.collections() {
        for document in documents {
            if document.get_array("outbox").is_ok_and(|outbox| !outbox.is_empty()) {
                broken.push(format!("the outbox of {} in {collection} is not empty", id(document)));
            }
        }
    }
    let now = platform::date::to_bson(evidence.now);
    for timer in &evidence.timers {
        if timer.get_datetime("due").is_ok_and(|due| *due <= now) {
            broken.push(format!("the timer of order {} is overdue", id(timer)));
        }
    }
    broken
}
