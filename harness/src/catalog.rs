//! The catalog of a subject: its events, with their publishers and readers, and its routes, from
//! the declarations that the services use.
//!
//! It is plain data and runs nothing. [`asyncapi`] describes the events for other tools and
//! [`openapi`] the routes; [`changes`] and [`routes`] compare with an older catalog, and [`text`]
//! writes the events for people.

pub mod asyncapi;
pub mod changes;
pub mod openapi;
pub mod routes;
mod schemas;
pub mod text;

use platform::catalogue::Entry;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::topology::Topology;

/// The events of a subject.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The name of the subject.
    pub subject: &'static str,
    /// The events, in the order in which they are declared.
    pub events: Vec<Event>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The name of its type.
    pub name: String,
    /// The subject, without the namespace.
    pub subject: String,
    /// The service that publishes it.
    pub from: String,
    /// The services that consume it.
    pub to: Vec<String>,
    /// The JSON Schema of its payload.
    pub schema: Value,
}

impl Event {
    fn of(entry: &Entry) -> Self {
        Self {
            name: entry.name.to_owned(),
            subject: entry.subject.to_owned(),
            from: entry.from.to_owned(),
            to: entry.to.iter().map(|&service| service.to_owned()).collect(),
            schema: entry.schema.as_value().clone(),
        }
    }
}

/// The schema that the reference in this one leads to; `None` without a reference.
fn target<'v>(root: &'v Value, schema: &Value) -> Option<&'v Value> {
    root.pointer(schema["$ref"].as_str()?.strip_prefix('#')?)
}

impl Catalog {
    /// The catalog of these declarations.
    pub fn of(subject: &'static str, entries: &[Entry]) -> Self {
        Self { subject, events: entries.iter().map(Event::of).collect() }
    }

    /// The differences between what is declared and what the services consume, a sentence each.
    pub fn undeclared(&self, topology: &Topology) -> Vec<String> {
        let mut wrong = Vec::new();
        for service in &topology.services {
            let subjects = service.consumers.iter().flat_map(|consumer| &consumer.subjects);
            let subjects: Vec<&str> = subjects.copied().collect();
            for event in &self.events {
                let declared = event.to.iter().any(|to| to == service.name);
                let consumes = subjects.contains(&event.subject.as_str());
                if consumes && !declared {
                    wrong.push(format!(
                        "{} consumes {}, which does not declare it",
                        service.name, event.name
                    ));
                }
                if declared && !consumes {
                    wrong.push(format!(
                        "{} declares {} as a consumer that has no listener",
                        event.name, service.name
                    ));
                }
            }
            let unknown = subjects.iter().filter(|s| self.events.iter().all(|e| e.subject != **s));
            wrong.extend(unknown.map(|subject| {
                format!("{} consumes {subject}, which is no declared event", service.name)
            }));
        }
        wrong
    }
}
