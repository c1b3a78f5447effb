//! Bugs in the settings of services.

use std::sync::Arc;
use std::time::Duration;

use harness::bugs::planting::services;
use harness::system::System;
use harness::time_scale::TimeScale;
use ticketing::{SERVICES, Settings};

/// Issues tokens that are valid for a century.
pub(super) fn token_never_expires(system: System) -> System {
    with_settings(system, |settings| {
        settings.session.lifetime = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    })
}

/// Divides the reservation window by sixty.
pub(super) fn window_in_seconds(system: System) -> System {
    with_settings(system, |settings| settings.reservation_window /= 60)
}

/// Keeps the part of the reservation window that is less than an hour.
pub(super) fn window_without_hours(system: System) -> System {
    with_settings(system, |settings| {
        let seconds = settings.reservation_window.as_secs() % (60 * 60);
        settings.reservation_window = Duration::from_secs(seconds);
    })
}

/// Builds every service with changed settings.
fn with_settings(mut system: System, change: fn(&mut Settings)) -> System {
    let mut settings = crate::system::settings(&TimeScale::simulated(), &system.settings);
    change(&mut settings);
    for service in services(&mut system, None) {
        let entry = SERVICES.iter().find(|entry| entry.name == service.name);
        let build = entry.expect("the system consists of ticketing's services").build;
        let settings = settings.clone();
        service.build = Arc::new(move |ports, external| {
            let mut settings = settings.clone();
            external.clone_into(&mut settings.provider.url);
            build(ports, &settings)
        });
    }
    system
}
