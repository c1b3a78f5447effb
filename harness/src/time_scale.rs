//! The meaning of a duration in a world: as written in simulation, a fraction of it on real
//! servers.
//!
//! It only converts; it never waits.

use std::time::Duration;

use platform::run::Policy;

use crate::settings::{
    ACK_WAIT, ATTEMPTS, CLEAR_AFTER, DEAD_LETTERS_AGE, DOCUMENTS_AGE, EVENTS_AGE, IN_FLIGHT,
    RELAY_BATCH, Settings,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The factor by which time runs faster, and the delivery policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeScale {
    policy: Policy,
    /// The divisor of minutes and hours.
    minutes: u32,
    /// The divisor of seconds.
    seconds: u32,
    /// The longest pause, as written.
    longest: Duration,
    /// The shortest deadline of the system, as written.
    deadline: Duration,
}

impl TimeScale {
    /// As written: for every simulation.
    pub fn simulated() -> Self {
        // Sweeps are rarer than in production: within a quarter of an hour of virtual time
        // they would be most of the work.
        // Outboxes are cleared at once: quiescence waits for that, and clients that act at a
        // deadline must not come late.
        let (sweep, clear_after) = (5 * MINUTE, Duration::ZERO);
        let policy = Policy { sweep, clear_after, ..Policy::default() };
        let (longest, deadline) = (Duration::ZERO, HOUR);
        Self { policy, minutes: 1, seconds: 1, longest, deadline }
    }

    /// On real servers, for a scenario whose longest pause is this, of a system whose shortest
    /// deadline is this. Where minutes pass, a quarter of an hour takes three seconds, and
    /// where hours pass, one hour does. Where none pass, no deadline runs out. With
    /// `short_ack_wait`, the ack wait runs out within the scenario.
    pub fn real(longest: Duration, deadline: Duration, short_ack_wait: bool) -> Self {
        let minutes = match longest {
            _ if longest < MINUTE => 1,
            _ if longest < HOUR => 300,
            _ => 1200,
        };
        let policy = Policy {
            ack_wait: Duration::from_secs(if short_ack_wait { 1 } else { 10 }),
            // Rarer than scenarios wait for quiescence: a sweep is work, and prevents it.
            sweep: Duration::from_secs(2),
            // Scenarios wait for it after every step.
            clear_after: Duration::from_millis(20),
            first_back_off: Duration::from_millis(20),
            max_back_off: Duration::from_millis(200),
            ..Policy::default()
        };
        Self { policy, minutes, seconds: 10, longest, deadline }
    }

    /// The same with the delivery policy of these settings.
    #[must_use]
    pub fn with(mut self, settings: &Settings) -> Self {
        let policy = &mut self.policy;
        if settings.changed(&ACK_WAIT).is_some() {
            policy.ack_wait = settings.time(&ACK_WAIT);
        }
        if settings.changed(&CLEAR_AFTER).is_some() {
            policy.clear_after = settings.time(&CLEAR_AFTER);
        }
        for (setting, field) in [
            (&EVENTS_AGE, &mut policy.events.max_age),
            (&DEAD_LETTERS_AGE, &mut policy.dead_letters.max_age),
            (&DOCUMENTS_AGE, &mut policy.documents),
        ] {
            if settings.changed(setting).is_some() {
                *field = Some(settings.time(setting));
            }
        }
        for (setting, field) in [
            (&ATTEMPTS, &mut policy.max_deliver),
            (&IN_FLIGHT, &mut policy.max_in_flight),
            (&RELAY_BATCH, &mut policy.relay_batch),
        ] {
            if settings.changed(setting).is_some() {
                *field = settings.count(setting);
            }
        }
        self
    }

    /// The deadline of a system that has none.
    pub const NO_DEADLINE: Duration = HOUR;

    /// For processes under load, of a system whose shortest deadline is this: a quarter of an
    /// hour takes fifteen seconds, in which a payment under faults has time, and an hour takes one.
    /// The delivery policy is that of production, except that the ack wait runs out while processes
    /// are down.
    pub fn under_load(deadline: Duration) -> Self {
        let policy = Policy { ack_wait: Duration::from_secs(2), ..Policy::default() };
        Self { policy, minutes: 60, seconds: 10, longest: 15 * MINUTE, deadline }
    }

    /// For a system on real servers that people use: the delivery policy of production, and
    /// deadlines that are this many times shorter than written.
    pub fn used(faster: u32) -> Self {
        let (longest, deadline) = (HOUR, HOUR);
        // The console shows what is unpublished, so an event must not look so for a second longer.
        let policy = Policy { clear_after: Duration::from_millis(20), ..Policy::default() };
        Self { policy, minutes: faster, seconds: 1, longest, deadline }
    }

    /// The delivery policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A pause in this world. A pause shorter than the system's shortest deadline stays well
    /// within it, although the scenario itself takes a moment.
    pub fn of(&self, written: Duration) -> Duration {
        if written < MINUTE {
            return written / self.seconds;
        }
        let scaled = written / self.minutes;
        if self.minutes > 1 && written < self.deadline { scaled * 2 / 3 } else { scaled }
    }

    /// A deadline of the system in this world: one of an hour or more is scaled only where
    /// hours pass.
    pub fn deadline(&self, written: Duration) -> Duration {
        if written >= HOUR && self.longest < HOUR { written } else { written / self.minutes }
    }

    /// Longer than the bus waits for an acknowledgement.
    pub fn past_ack_wait(&self) -> Duration {
        self.policy.ack_wait * 3 / 2
    }
}

/// The time that passes in a step of a scenario, from its text; zero if the step only mentions
/// a duration.
pub fn pause_in(step: &str) -> Duration {
    let words: Vec<&str> = step.split_whitespace().collect();
    let [.., number, unit, "pass" | "passes"] = words[..] else { return Duration::ZERO };
    let unit = match unit.trim_end_matches('s') {
        "minute" => MINUTE,
        "hour" => HOUR,
        "day" => 24 * HOUR,
        _ => return Duration::ZERO,
    };
    number.parse().map_or(Duration::ZERO, |number: u32| unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(15 * 60);

    #[test]
    fn simulated_time_is_as_written() {
        let time = TimeScale::simulated();
        assert_eq!(time.of(WINDOW), WINDOW);
        assert_eq!(time.deadline(HOUR), HOUR);
        assert_eq!(time.of(Duration::from_secs(2)), Duration::from_secs(2));
    }

    #[test]
    fn real_time_is_short_and_keeps_its_order() {
        let time = TimeScale::real(15 * MINUTE, WINDOW, false);
        assert_eq!(time.deadline(WINDOW), Duration::from_secs(3));
        assert_eq!(time.of(WINDOW), time.deadline(WINDOW));
        assert!(time.of(14 * MINUTE) < time.deadline(WINDOW) - Duration::from_millis(800));
        assert_eq!(time.deadline(HOUR), HOUR);
    }

    #[test]
    fn an_hour_long_deadline_runs_out_in_seconds_only_where_hours_pass() {
        let time = TimeScale::real(2 * HOUR, WINDOW, false);
        assert_eq!(time.deadline(HOUR), Duration::from_secs(3));
        assert!(time.of(2 * HOUR) > time.deadline(HOUR));
    }

    #[test]
    fn without_a_pause_of_minutes_no_deadline_runs_out() {
        let time = TimeScale::real(Duration::ZERO, WINDOW, false);
        assert_eq!(time.deadline(WINDOW), WINDOW);
    }

    #[test]
    fn a_system_that_people_use_has_the_deadlines_of_production_unless_they_are_scaled() {
        for deadline in [WINDOW, HOUR, 24 * HOUR] {
            assert_eq!(TimeScale::used(1).deadline(deadline), deadline);
            assert_eq!(TimeScale::used(60).deadline(deadline), deadline / 60);
        }
    }

    #[test]
    fn a_step_that_names_a_time_is_no_pause() {
        assert_eq!(pause_in("15 minutes pass"), WINDOW);
        assert_eq!(pause_in("1 hour passes"), HOUR);
        assert_eq!(pause_in("2 days pass"), 48 * HOUR);
        assert_eq!(pause_in("Ben's order can be paid for 15 minutes"), Duration::ZERO);
    }
}
