//! Races on real servers: the seed determines the script, and the servers the schedule.
//!
//! In simulation a race is a [`crate::case`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::evidence::Facts;
use crate::invariants::Violation;
use crate::script::Script;
use crate::session::{EndError, RunError, Session};
use crate::subject::AnySubject;
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
        let violations = match play(&mut session, &script).await {
            Ok(facts) => session.judge(subject, &facts),
            Err(why) => vec![why.into_finding()?.into()],
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

async fn play(session: &mut Session, script: &Script) -> Result<Facts, EndError> {
    session.prepare(&script.clients).await?;
    session.play(&script.rounds).await?;
    session.conclude(true).await
}
