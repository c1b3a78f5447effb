//! Copies of another service's documents: of several versions, the newest wins, whatever the
//! order in which their events arrive.

use crate::collection::{self, Aggregate, Collection, Decision};
use crate::event::EventGroup;
use crate::listen::{HandleError, Listener};

/// Creates a durable listener for each type in the group: the payload, read as a `T`, replaces an
/// older version of the document.
pub fn listeners<P, T: Aggregate + Clone + 'static>(
    events: EventGroup<P>,
    copies: &Collection<T>,
    version: fn(&T) -> i64,
) -> Vec<Listener> {
    let events = EventGroup::new(events.types(), events.from, events.to);
    let state = (copies.clone(), version);
    Listener::durable(events, &state, copy::<T>).collect()
}

async fn copy<T: Aggregate + Clone>(
    (copies, version): (Collection<T>, fn(&T) -> i64),
    state: T,
) -> Result<(), HandleError> {
    copies.apply(&collection::id(&state), |known| newer(known, &state, version)).await?;
    Ok(())
}

/// Replaces a copy by a newer state; an older or equal version changes nothing.
fn newer<T: Clone>(known: Option<&T>, state: &T, version: fn(&T) -> i64) -> Decision<T> {
    match known {
        Some(known) if version(known) >= version(state) => Decision::Keep,
        _ => Decision::Write(state.clone(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_converges_on_the_newest_version() {
        for arrival in [[0, 1, 2, 2], [2, 1, 0, 2], [1, 2, 0, 1], [0, 2, 2, 1]] {
            let (mut known, mut writes) = (None, 0);
            for (number, version) in arrival.into_iter().enumerate() {
                let state = (version, number);
                if let Decision::Write(next, _) = newer(known.as_ref(), &state, |(v, _)| *v) {
                    (known, writes) = (Some(next), writes + 1);
                }
            }
            let first = arrival.iter().position(|version| *version == 2).unwrap();
            assert_eq!(known, Some((2, first)), "{arrival:?}");
            assert!(writes <= 3, "{arrival:?}");
        }
    }
}
