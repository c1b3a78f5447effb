//! Bugs in the settings of services.

use std::sync::Arc;
use std::time::Duration;

use harness::system::System;
use ticketing::{SERVICES, Settings};

use crate::system::WINDOW;
use harness::bugs::planting::services;

/// Issues tokens that are valid for a century.
pub(super) fn token_never_expires(system: System) -> System {
    with_settings(system, |settings| {
        settings.session.lifetime = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    })
}

/// Divides the reservation window by sixty.
pub(super) fn window_in_seconds(system: System) -> System {
    with_settings(system, |settings| settings.reservation_window = WINDOW / 60)
}

/// Builds every service with changed settings.
fn with_settings(mut system: System, change: fn(&mut Settings)) -> System {
    for service in services(&mut system, None) {
        let entry = SERVICES.iter().find(|entry| entry.name == service.name);
        let build = entry.expect("the system consists of ticketing's services").build;
        service.build = Arc::new(move |ports, external| {
            let mut settings = Settings { reservation_window: WINDOW, ..Settings::rehearsal() };
            external.clone_into(&mut settings.provider.url);
            change(&mut settings);
            build(ports, &settings)
        });
    }
    system
}
