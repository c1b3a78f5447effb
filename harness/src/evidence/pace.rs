//! How soon something has to follow: at once in calm, and in the time of a sweep after a fault.
//!
//! Durations are those of virtual time, less the time for which the scheduler kept pending calls
//! waiting. On real servers, which share their machine with others, nothing is late.

use std::time::Duration;

use ports::Timestamp;
use ports::clock::after;

use super::Facts;
use crate::faults::Effect;
use crate::trace::RecordKind;

/// The longest delay in calm.
const PROMPT: Duration = Duration::from_secs(1);

/// The longest delay after a fault: twice the period of a sweep.
const RECOVERED: Duration = Duration::from_secs(60);

/// The pace that a run allows.
pub struct Pace<'a> {
    hurried: &'a [(Timestamp, Timestamp)],
    /// Each fault: when it was injected, and when it was over.
    faults: Vec<(Timestamp, Timestamp)>,
    is_judged: bool,
}

impl<'a> Pace<'a> {
    /// The pace of a run.
    pub fn of(facts: &'a Facts) -> Self {
        let mut faults = Vec::new();
        let mut jumped = Timestamp::MIN;
        for record in facts.trace.iter() {
            let lasts = match &record.kind {
                RecordKind::Fault { effect, .. } if effect.is_disturbance() => match effect {
                    Effect::Delay(by)
                    | Effect::Partition(by)
                    | Effect::Outage(by)
                    | Effect::Jump(by) => *by,
                    _ => Duration::ZERO,
                },
                RecordKind::Crash | RecordKind::Panic { .. } => Duration::ZERO,
                _ => continue,
            };
            // Jumps of one moment add up.
            let is_jump = matches!(record.kind, RecordKind::Fault { effect: Effect::Jump(_), .. });
            let from = if is_jump { record.at.max(jumped) } else { record.at };
            let over = after(from, lasts);
            if is_jump {
                jumped = over;
            }
            faults.push((record.at, over));
        }
        // The trace does not contain when such a cut ends.
        let is_judged = facts.exact && facts.cuts == 0;
        Self { hurried: &facts.hurried, faults, is_judged }
    }

    /// By how much something that was due at `due` came too late; `None` where it came in time.
    pub fn lateness(&self, due: Timestamp, at: Timestamp) -> Option<Duration> {
        // Nearly everything follows within an instant.
        if !self.is_judged || at <= after(due, PROMPT) {
            return None;
        }
        let before = self.faults.iter().filter(|(injected, _)| *injected <= at);
        let recovered = before.map(|(_, over)| *over).max();
        let (from, limit) = match recovered {
            Some(over) => (due.max(over), RECOVERED),
            None => (due, PROMPT),
        };
        let took = self.between(from, at);
        let late = took.checked_sub(limit).filter(|late| !late.is_zero())?;
        // Whole milliseconds read better, and what is late is never late by nothing.
        Some(Duration::from_millis(u64::try_from(late.as_millis()).unwrap_or(u64::MAX).max(1)))
    }

    /// The time from one moment to another, less the time that the scheduler took.
    fn between(&self, from: Timestamp, to: Timestamp) -> Duration {
        let span = |from: Timestamp, to: Timestamp| {
            if to > from { to.duration_since(from).unsigned_abs() } else { Duration::ZERO }
        };
        let hurried = self.hurried.iter();
        let hurried: Duration = hurried.map(|(a, b)| span(from.max(*a), to.min(*b))).sum();
        span(from, to).saturating_sub(hurried)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::faults::Operation;
    use crate::trace::Record;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("it is in range")
    }

    fn facts(crash: Option<i64>) -> Facts {
        let crash = crash.map(|seconds| Record {
            at: at(seconds),
            instance: None,
            origin: None,
            kind: RecordKind::Crash,
        });
        Facts { exact: true, trace: Arc::new(crash.into_iter().collect()), ..Facts::default() }
    }

    #[test]
    fn in_calm_a_second_is_allowed() {
        let facts = facts(None);
        let pace = Pace::of(&facts);
        assert_eq!(pace.lateness(at(10), at(11)), None);
        assert_eq!(pace.lateness(at(10), at(12)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn after_a_fault_a_minute_is_allowed() {
        let facts = facts(Some(20));
        let pace = Pace::of(&facts);
        assert_eq!(pace.lateness(at(10), at(80)), None);
        assert_eq!(pace.lateness(at(10), at(81)), Some(Duration::from_secs(1)));
        assert_eq!(pace.lateness(at(10), at(12)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn jumps_of_one_moment_add_up() {
        let jump = |by| Record {
            at: at(20),
            instance: None,
            origin: None,
            kind: RecordKind::Fault {
                operation: Operation::Read,
                target: String::new(),
                effect: Effect::Jump(Duration::from_secs(by)),
            },
        };
        let trace = Arc::new(vec![jump(100), jump(50)]);
        let facts = Facts { trace, ..facts(None) };
        let pace = Pace::of(&facts);
        assert_eq!(pace.lateness(at(10), at(230)), None);
        assert_eq!(pace.lateness(at(10), at(231)), Some(Duration::from_secs(1)));
    }

    #[test]
    fn the_time_that_the_scheduler_took_does_not_count() {
        let facts = Facts { hurried: vec![(at(11), at(20))], ..facts(None) };
        assert_eq!(Pace::of(&facts).lateness(at(10), at(20)), None);
    }
}
