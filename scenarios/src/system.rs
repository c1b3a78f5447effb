//! The ticketing system as the harness knows systems: its services from the composition root,
//! with settings for rehearsals.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use harness::system::{Answer, Outside, Part, System};
use platform::Ports;
use platform::run::Policy;
use ticketing::{SERVICES, Settings};

use crate::provider::{self, Provider};

/// The system, with this provider behind its payments.
pub fn system(provider: &Provider, window: Duration, policy: Policy) -> System {
    let settings = Settings { reservation_window: window, ..Settings::rehearsal() };
    with(provider, &settings, policy)
}

/// The system under these settings, with this provider behind its payments.
pub fn with(provider: &Provider, settings: &Settings, policy: Policy) -> System {
    let part = |entry: &ticketing::Entry| {
        let (build, settings) = (entry.build, settings.clone());
        let build = move |ports: &Ports, outside: &str| {
            let mut settings = settings.clone();
            outside.clone_into(&mut settings.provider.url);
            build(ports, &settings)
        };
        Part { name: entry.name, paths: entry.prefixes, build: Arc::new(build) }
    };
    System {
        parts: SERVICES.iter().map(part).collect(),
        outside: Arc::new(provider.clone()),
        policy,
        around: None,
    }
}

impl Outside for Provider {
    fn answer(&self, request: &http::Request<Bytes>) -> Answer {
        match self.answer(request) {
            provider::Answer::Response(response) => Answer::Response(response),
            provider::Answer::Lost => Answer::Lost,
            provider::Answer::Refused => Answer::Refused,
        }
    }
}
