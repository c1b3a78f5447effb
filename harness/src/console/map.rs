//! The map of a system as data: its services, their stores, its events and who receives them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::subject::AnySubject;

/// The world that a console shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub(crate) enum World {
    /// In virtual time.
    Simulated,
    /// On real servers.
    Real {
        /// The divisor of the system's deadlines.
        time_scale: u32,
    },
}

/// The map of this subject in this world.
pub(crate) fn of(subject: &AnySubject, world: &World) -> Value {
    let services = subject.topology().services.iter();
    let services: Vec<Value> = services
        .map(|service| json!({ "name": service.name, "collections": service.collections }))
        .collect();
    let received = subject.topology().receives();
    let events = subject.events().iter().map(|event| {
        let to = received.iter().filter(|(subject, _)| *subject == event.subject);
        let to: Vec<&str> = to.map(|(_, service)| *service).collect();
        json!({ "name": event.name, "subject": event.subject, "from": event.from, "to": to })
    });
    let forms: Vec<String> = subject.sentences().forms().collect();
    json!({
        "name": subject.name(),
        "world": world,
        "services": services,
        "events": events.collect::<Vec<_>>(),
        "external": subject.external().0,
        "sentences": forms,
        "page": subject.page().is_some(),
    })
}
