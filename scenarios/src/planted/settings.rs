//! Mistakes in how services are set up.

use std::sync::Arc;
use std::time::Duration;

use harness::system::System;
use ticketing::{SERVICES, Settings};

use crate::system::WINDOW;
use harness::bugs::planting::services;

/// Tokens that outlive everybody.
pub(super) fn token_never_expires(system: System) -> System {
    with_settings(system, |settings| {
        settings.session.lifetime = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    })
}

/// Fifteen seconds where fifteen minutes were meant.
pub(super) fn window_in_seconds(system: System) -> System {
    with_settings(system, |settings| settings.reservation_window = WINDOW / 60)
}

/// All services under other settings.
fn with_settings(mut system: System, change: fn(&mut Settings)) -> System {
    for part in services(&mut system, None) {
        let entry = SERVICES.iter().find(|entry| entry.name == part.name);
        let build = entry.expect("a service of ours").build;
        part.build = Arc::new(move |ports, outside| {
            let mut settings = Settings { reservation_window: WINDOW, ..Settings::rehearsal() };
            outside.clone_into(&mut settings.provider.url);
            change(&mut settings);
            build(ports, &settings)
        });
    }
    system
}
