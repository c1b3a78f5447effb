//! Reduces a script whose outcomes differ.

use std::time::{Duration, Instant};

use futures::future::join_all;

use super::script::Script;
use super::sides::Real;
use super::{Compared, compare};

/// The time after which the smallest script so far will do.
const LIMIT: Duration = Duration::from_secs(20);

/// The smallest script found that still differs, with its outcomes: without calls, and without
/// time between them, as long as it differs.
pub(super) async fn shrink(
    mut script: Script,
    mut simulated: Vec<String>,
    mut on_server: Vec<String>,
    real: &Real,
) -> (Script, Vec<String>, Vec<String>) {
    let mut count = script.0.len() / 2;
    let started = Instant::now();
    while count > 0 && started.elapsed() < LIMIT {
        let starts = (0..script.0.len().saturating_sub(count - 1)).rev();
        let candidates: Vec<Script> = starts
            .flat_map(|from| [true, false].map(|close| script.without(from, count, close)))
            .collect();
        let compared = join_all(candidates.iter().map(|script| compare(script, real))).await;
        let smaller =
            candidates.into_iter().zip(compared).find_map(|(candidate, compared)| match compared {
                Compared::Differs(one, other) => Some((candidate, one, other)),
                _ => None,
            });
        match smaller {
            Some(smaller) => (script, simulated, on_server) = smaller,
            None => count /= 2,
        }
        count = count.min(script.0.len());
    }
    (script, simulated, on_server)
}
