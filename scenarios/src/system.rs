//! The ticketing system as a subject type, and its deadlines.

use std::time::Duration;

use harness::settings::{Setting, Settings, Value};
use harness::time_scale::TimeScale;

/// The time for which an unpaid order holds its ticket.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The time for which a session token is valid.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The previous key of sessions, whose tokens are still accepted.
pub const PREVIOUS_KEY: &str = "the key before it";

/// A day: the provider forgets its idempotency keys after one.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const MINUTE: Duration = Duration::from_secs(60);

/// The setting of the time for which an unpaid order holds its ticket.
pub const HOLD_WINDOW: Setting = Setting::new(
    "hold-window",
    "the time for which an unpaid order holds its ticket",
    Value::Time(WINDOW),
    &[
        Value::Time(MINUTE),
        Value::Time(Duration::from_secs(5 * 60)),
        Value::Time(Duration::from_secs(60 * 60)),
    ],
);

/// The setting of the time for which a session token is valid.
pub const LIFETIME: Setting = Setting::new(
    "session-lifetime",
    "the time for which a session token is valid",
    Value::Time(SESSION_LIFETIME),
    &[Value::Time(Duration::from_secs(10 * 60)), Value::Time(DAY)],
);

/// The setting of the number of previous session keys whose tokens are still accepted.
pub const PREVIOUS_KEYS: Setting = Setting::new(
    "previous-keys",
    "the number of previous session keys whose tokens are still accepted",
    Value::Count(1),
    &[Value::Count(0)],
);

/// The setting of the most open orders of a user.
pub const OPEN_ORDERS: Setting = Setting::new(
    "open-orders",
    "the most orders of a user that are neither paid nor cancelled",
    Value::Count(8),
    &[Value::Count(4), Value::Count(100)],
);

/// The settings of ticketing that vary from run to run.
pub const SETTINGS: &[Setting] = &[HOLD_WINDOW, LIFETIME, PREVIOUS_KEYS, OPEN_ORDERS];

/// The settings of all services in a run with these settings.
pub fn settings(time: &TimeScale, run: &Settings) -> ticketing::Settings {
    let mut settings = ticketing::Settings::rehearsal();
    settings.reservation_window = time.deadline(run.time(&HOLD_WINDOW));
    settings.session.lifetime = time.deadline(run.time(&LIFETIME));
    settings.session.previous_key =
        (run.count(&PREVIOUS_KEYS) > 0).then(|| PREVIOUS_KEY.to_owned());
    settings.max_open_orders = run.count(&OPEN_ORDERS);
    settings
}

/// The ticketing system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ticketing;

#[cfg(test)]
mod tests {
    use harness::Subject;
    use harness::topology::Topology;
    use ticketing::LEAVING;

    use super::*;

    #[test]
    fn the_archive_has_every_collection_that_documents_leave() {
        let (system, _) = Ticketing.open(&TimeScale::simulated());
        let services = Topology::of(&system).services;
        // Users never end.
        let services = services.iter().filter(|service| service.name != "auth");
        let leaving = services.flat_map(|service| {
            service.leaving.iter().map(|collection| (service.name, *collection))
        });
        assert_eq!(leaving.collect::<Vec<_>>(), LEAVING);
    }
}
