//! What a duration in a scenario means in a world: what is written in simulation, a fraction
//! of it on real servers.
//!
//! It only converts; it never waits.

use std::time::Duration;

use platform::run::Policy;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// How fast time goes in a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// How long an order holds its ticket unpaid.
    pub window: Duration,
    /// How long a session lives.
    pub lifetime: Duration,
    /// How messages are delivered.
    pub policy: Policy,
    /// By what minutes and hours are divided; seconds are divided by [`Self::seconds`].
    minutes: u32,
    seconds: u32,
}

impl Pace {
    /// As written. All simulations go at this pace.
    pub fn simulated() -> Self {
        // Leftovers of a crash are looked for more seldom than in production: in a quarter of
        // an hour of virtual time that would be most of what there is to do.
        let policy = Policy { sweep: 5 * MINUTE, ..Policy::default() };
        Self { window: WINDOW, lifetime: HOUR, policy, minutes: 1, seconds: 1 }
    }

    /// On real servers, for a scenario with these steps. Where minutes pass, a quarter of an
    /// hour takes three seconds, and where hours pass, an hour does. Where none pass, a hold
    /// cannot run out. The ack wait is short where the scenario waits for it.
    pub fn real<'a>(steps: impl IntoIterator<Item = &'a str>) -> Self {
        let mut longest = Duration::ZERO;
        let mut waits = false;
        for step in steps {
            longest = longest.max(passing_in(step));
            waits |= WAITING.iter().any(|word| step.contains(word));
        }
        let minutes = match longest {
            _ if longest < MINUTE => 1,
            _ if longest < HOUR => 300,
            _ => 1200,
        };
        let policy = Policy {
            ack_wait: Duration::from_secs(if waits { 1 } else { 10 }),
            // Rarer than scenarios wait for rest: a sweep is work, and so no rest.
            sweep: Duration::from_secs(2),
            first_back_off: Duration::from_millis(20),
            max_back_off: Duration::from_millis(200),
            ..Policy::default()
        };
        let lifetime = if longest < HOUR { HOUR } else { HOUR / minutes };
        Self { window: WINDOW / minutes, lifetime, policy, minutes, seconds: 10 }
    }

    /// How long this is here. What is shorter than the reservation window stays well within
    /// it, also where the scenario itself takes a moment.
    pub fn of(&self, written: Duration) -> Duration {
        if written < MINUTE {
            return written / self.seconds;
        }
        let scaled = written / self.minutes;
        if self.minutes > 1 && written < WINDOW { scaled * 2 / 3 } else { scaled }
    }

    /// Longer than the bus waits for an acknowledgement.
    pub fn past_ack_wait(&self) -> Duration {
        self.policy.ack_wait * 3 / 2
    }
}

/// Words of steps after which an ack wait runs out.
const WAITING: [&str; 7] =
    ["acknowledg", "ack wait", "crashes", "stopped", "unreachable", "is cut", "breaks"];

/// How much time this step lets pass; nothing where it only names a time.
fn passing_in(step: &str) -> Duration {
    let words: Vec<&str> = step.split_whitespace().collect();
    let [.., number, unit, "pass" | "passes"] = words[..] else { return Duration::ZERO };
    let unit = match unit.trim_end_matches('s') {
        "minute" => MINUTE,
        "hour" => HOUR,
        _ => return Duration::ZERO,
    };
    number.parse().map_or(Duration::ZERO, |number: u32| unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_time_is_as_written() {
        let pace = Pace::simulated();
        assert_eq!(pace.of(15 * MINUTE), pace.window);
        assert_eq!(pace.of(Duration::from_secs(2)), Duration::from_secs(2));
    }

    #[test]
    fn real_time_is_short_and_keeps_its_order() {
        let pace = Pace::real(["14 minutes pass", "15 minutes pass"]);
        assert_eq!(pace.window, Duration::from_secs(3));
        assert_eq!(pace.of(15 * MINUTE), pace.window);
        assert!(pace.of(14 * MINUTE) < pace.window - Duration::from_millis(800));
        assert_eq!(pace.lifetime, HOUR);
    }

    #[test]
    fn a_session_runs_out_in_seconds_only_where_hours_pass() {
        let pace = Pace::real(["2 hours pass"]);
        assert_eq!(pace.lifetime, Duration::from_secs(3));
        assert!(pace.of(2 * HOUR) > pace.lifetime);
    }

    #[test]
    fn without_minutes_a_hold_cannot_run_out() {
        let named = "Boris's order of \"Opera\" can be paid for 15 minutes";
        let pace = Pace::real(["Boris reserves \"Opera\"", named]);
        assert_eq!(pace.window, WINDOW);
    }
}
