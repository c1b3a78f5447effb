//! Rule coverage in words.

use crate::subject::Rules;

/// The share of a model's rules that a run has reached.
pub fn share(rules: &Rules) -> String {
    format!("{} of {} rules of the model reached", rules.reached(), rules.possible())
}
