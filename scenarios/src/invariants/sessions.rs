//! A session ends at its expiry.

use ports::clock::after;

use super::Evidence;
use crate::operation::Operation;
use crate::system::SESSION_LIFETIME;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let late = evidence.history().filter(|call| {
        let needed = !matches!(
            call.operation,
            Operation::SignIn { .. }
                | Operation::SignUp { .. }
                | Operation::SignOut { .. }
                | Operation::Browse { .. }
                | Operation::Send { .. }
        );
        let since = call.context.signed_in;
        let over = since.is_some_and(|since| call.invoked().0 > after(since, SESSION_LIFETIME));
        needed && over && matches!(call.status(), Some(200..=299))
    });
    late.map(|call| format!("accepted for an expired session: {}", call.operation)).collect()
}
