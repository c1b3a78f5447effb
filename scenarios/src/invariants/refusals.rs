//! Nobody is told that a ticket is reserved unless somebody else had it meanwhile.

use super::Evidence;
use super::evidence::Told;
use super::one_holder::histories;
use crate::script::Act;

/// What a buyer who is too late is told.
const RESERVED: u16 = 400;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let reserve = |told: &&Told| matches!(told.act, Act::Reserve { .. });
    let refused = evidence.told.iter().filter(reserve).filter(|t| t.status == Some(RESERVED));
    let mut refused = refused.peekable();
    if refused.peek().is_none() {
        return Vec::new();
    }
    let histories = histories(evidence);
    // Another request of the same buyer may have made the order, if it was under way then, or
    // nobody knows how long.
    let another = |told: &Told| {
        let mut others = evidence.told.iter().filter(reserve).filter(|other| {
            other.by == told.by && other.about == told.about && !std::ptr::eq(*other, told)
        });
        others.any(|other| {
            let meanwhile = other.asked < told.answered && told.asked < other.answered;
            meanwhile || other.status.is_none()
        })
    };
    let unjust = refused.filter(|told| {
        let holds = histories.get(&told.about).into_iter().flatten();
        let mut reasons = holds.filter(|hold| {
            let meanwhile = hold.from < told.answered && told.asked < hold.to;
            // An order that this very request has made is no reason.
            let own = hold.buyer == told.by && hold.from >= told.asked && !another(told);
            meanwhile && !own
        });
        reasons.next().is_none()
    });
    unjust.map(|told| format!("nobody else had the ticket meanwhile: {}", told.act)).collect()
}
