//! A reservation is refused only while another order holds the ticket.

use super::Evidence;
use super::evidence::Call;
use super::one_holder::histories;
use crate::operation::Operation;

/// The status of a refused reservation.
const RESERVED: u16 = 400;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let reserve = |call: &Call<'_>| matches!(call.operation, Operation::Reserve { .. });
    let refused = evidence.history().filter(reserve).filter(|c| c.status() == Some(RESERVED));
    let mut refused = refused.peekable();
    if refused.peek().is_none() {
        return Vec::new();
    }
    let histories = histories(evidence);
    // The order may come from a concurrent request of the same buyer, or from one without a reply.
    let another = |call: &Call<'_>| {
        let mut others = evidence.history().filter(reserve).filter(|other| {
            other.context.by == call.context.by
                && other.context.about == call.context.about
                && !other.is(call)
        });
        others.any(|other| {
            let meanwhile =
                other.invoked().1 < call.returned().1 && call.invoked().1 < other.returned().1;
            meanwhile || other.status().is_none()
        })
    };
    let unjust = refused.filter(|call| {
        let holds = histories.get(&call.context.about).into_iter().flatten();
        let mut reasons = holds.filter(|hold| {
            let (invoked, returned) = (call.invoked().1, call.returned().1);
            let meanwhile = hold.from < returned && invoked < hold.to;
            // An order that this request created does not justify its own refusal.
            let own = hold.buyer == call.context.by && hold.from >= invoked && !another(call);
            meanwhile && !own
        });
        reasons.next().is_none()
    });
    unjust
        .map(|call| format!("refused although no other order held the ticket: {}", call.operation))
        .collect()
}
