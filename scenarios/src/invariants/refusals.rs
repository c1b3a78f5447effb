//! Nobody is told that a ticket is reserved unless somebody else had it meanwhile.

use super::Evidence;
use super::evidence::Told;
use super::one_holder::histories;
use super::word::id_in;
use crate::script::Act;

/// What a buyer who is too late is told.
const RESERVED: u16 = 400;

/// Whether another request of the same buyer may have made an order and not heard of it.
fn may_have_made(other: &Told, told: &Told) -> bool {
    let unheard = !matches!(other.status, Some(201 | RESERVED));
    !std::ptr::eq(other, told) && other.by == told.by && other.about == told.about && unheard
}

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let reserve = |told: &&Told| matches!(told.act, Act::Reserve { .. });
    let refused = evidence.told.iter().filter(reserve).filter(|t| t.status == Some(RESERVED));
    let mut refused = refused.peekable();
    if refused.peek().is_none() {
        return Vec::new();
    }
    let histories = histories(evidence);
    let had = |order: &str| {
        let mut told = evidence.told.iter().filter(reserve);
        told.any(|told| told.status == Some(201) && id_in(&told.body) == order)
    };
    let unjust = refused.filter(|told| {
        let holds = histories.get(&told.about).into_iter().flatten();
        let mut reasons = holds.filter(|hold| {
            let meanwhile = hold.from < told.answered && told.asked < hold.to;
            // An order that this very request made, and of which nobody was told, is no reason.
            let own = hold.buyer == told.by
                && hold.from >= told.asked
                && !had(&hold.order)
                && !evidence.told.iter().filter(reserve).any(|other| may_have_made(other, told));
            meanwhile && !own
        });
        reasons.next().is_none()
    });
    unjust.map(|told| format!("nobody else had the ticket meanwhile: {}", told.act)).collect()
}
