//! Races on real servers: the seed determines the script, and the servers the schedule.
//!
//! In simulation a race is a [`crate::case`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::invariants::{QUIESCENCE, Violation};
use crate::session::{EndError, RunError, Session};
use crate::subject::{AnySubject, Unprepared};
use crate::time_scale::TimeScale;
use crate::trace::Record;

/// A race in which an invariant was violated.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The seed of the script.
    pub seed: u64,
    /// The violations.
    pub violations: Vec<Violation>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
}

/// Runs the races of these seeds on real servers, one after the other; `on_race` is called
/// after each.
///
/// # Errors
///
/// When servers cannot be had or the harness fails.
pub async fn race(
    subject: &AnySubject,
    seeds: Range<u64>,
    on_race: impl Fn(),
) -> Result<Vec<Finding>, RunError> {
    let scripts = subject.race();
    let scripts = scripts.ok_or_else(|| RunError::UnknownWorkload("race".to_owned()))?;
    let mut found = Vec::new();
    for seed in seeds {
        let script = scripts(seed);
        // Unscaled time, as in production: these scripts contain no pauses.
        let time = TimeScale::real(Duration::ZERO, Duration::from_secs(60 * 60), false);
        let mut session = Session::real(subject, time).await?;
        let ended = match session.prepare(&script.clients).await {
            Ok(()) => {
                session.play(&script.rounds).await?;
                session.conclude(true).await
            }
            Err(Unprepared::NotQuiescent(why)) => Err(why.into()),
            Err(why) => return Err(RunError::Unprepared(why)),
        };
        let violations = match ended {
            Ok(facts) => session.judge(subject, &facts),
            Err(EndError::NotQuiescent(why)) => {
                vec![Violation { invariant: QUIESCENCE.to_owned(), how: why.to_string() }]
            }
            Err(EndError::World(why)) => return Err(why.into()),
            Err(EndError::Unprepared(why)) => return Err(RunError::Unprepared(why)),
        };
        if !violations.is_empty() {
            let trace = session.world().trace().records();
            found.push(Finding { seed, violations, trace });
        }
        session.end().await;
        on_race();
    }
    Ok(found)
}
