//! The ticketing system as the harness knows systems: its services from the composition root,
//! with settings for rehearsals.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use harness::system::{ExternalReply, ExternalService, ServiceSpec, System};
use platform::run::Policy;
use ports::Ports;
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
        ServiceSpec { name: entry.name, paths: entry.prefixes, build: Arc::new(build) }
    };
    System {
        services: SERVICES.iter().map(part).collect(),
        external: Arc::new(provider.clone()),
        policy,
        decorator: None,
    }
}

impl ExternalService for Provider {
    fn answer(&self, request: &http::Request<Bytes>) -> ExternalReply {
        match self.answer(request) {
            provider::Answer::Response(response) => ExternalReply::Response(response),
            provider::Answer::Lost => ExternalReply::Lost,
            provider::Answer::Refused => ExternalReply::Refused,
        }
    }
}
