//! Shrinking a case that differs.

use ports::store::Store;
use proptest::strategy::ValueTree;

use super::case::Case;
use super::report::Difference;
use super::{Collections, first_difference};

/// The most attempts to make a case smaller.
const ATTEMPTS: usize = 400;

/// A smaller case that still differs.
pub(super) async fn shrunk(mut case: Case, real: &dyn Store, names: &Collections) -> Difference {
    let mut smallest = None;
    let mut attempts = 0;
    loop {
        let operations = case.tree.current();
        let difference = first_difference(&operations, real, &names.next()).await;
        let differs = difference.is_some();
        if let Some(difference) = difference {
            smallest = Some((operations, difference));
        }
        attempts += 1;
        let goes_on = if differs { case.tree.simplify() } else { case.tree.complicate() };
        if !goes_on || attempts > ATTEMPTS {
            break;
        }
    }
    let number = case.number();
    let Some((operations, (at, simulated, real))) = smallest else {
        let unstable = "the difference did not occur again".to_owned();
        return Difference {
            case: number,
            calls: Vec::new(),
            simulated: unstable.clone(),
            real: unstable,
        };
    };
    let calls = operations[..=at].iter().map(ToString::to_string).collect();
    Difference { case: number, calls, simulated, real }
}
