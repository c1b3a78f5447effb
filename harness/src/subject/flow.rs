//! Flow coverage: the edges between services and events as they are declared, and how many runs
//! have used each.

use std::collections::BTreeMap;

use platform::catalogue::Entry;
use ports::bus::Stream;

use crate::topology::Topology;
use crate::trace::{Record, RecordKind};

/// The ways of an event at a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The service publishes it.
    Publishes,
    /// The service receives it.
    Receives,
}

/// The edges of a system, each with the number of runs that used it: by service, and by the
/// subject of the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow(BTreeMap<String, BTreeMap<String, Edges>>);

/// The edges between a service and an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Edges {
    publishes: Edge,
    receives: Edge,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Edge {
    is_declared: bool,
    runs: u64,
    /// True if the run that is being read has used it.
    is_used: bool,
}

impl Edges {
    fn of(&mut self, way: Way) -> &mut Edge {
        match way {
            Way::Publishes => &mut self.publishes,
            Way::Receives => &mut self.receives,
        }
    }
}

impl Flow {
    /// The edges that the catalog and the services' consumers declare, none of them used yet.
    pub(super) fn declared(events: &[Entry], topology: &Topology) -> Self {
        let published = events.iter().map(|event| (event.from, Way::Publishes, event.subject));
        let received = topology.receives().into_iter();
        let received = received.map(|(subject, service)| (service, Way::Receives, subject));
        let mut flow = Self::default();
        for (service, way, subject) in published.chain(received) {
            flow.edge(service, way, subject).is_declared = true;
        }
        flow
    }

    fn edge(&mut self, service: &str, way: Way, subject: &str) -> &mut Edge {
        let events = self.0.entry(service.to_owned()).or_default();
        events.entry(subject.to_owned()).or_default().of(way)
    }

    /// Counts the edges that one run has used.
    pub(super) fn add(&mut self, trace: &[Record]) {
        for record in trace {
            let Some(instance) = record.instance else { continue };
            let (way, subject) = match &record.kind {
                RecordKind::Publish { stream: Stream::Events, message, outcome: Ok(_) } => {
                    (Way::Publishes, &message.subject)
                }
                RecordKind::Deliver { subject, .. } => (Way::Receives, subject),
                _ => continue,
            };
            // Nearly all edges are known, and this runs after each schedule.
            match self.0.get_mut(instance.service).and_then(|events| events.get_mut(subject)) {
                Some(edges) => edges.of(way).is_used = true,
                None => self.edge(instance.service, way, subject).is_used = true,
            }
        }
        for edges in self.0.values_mut().flat_map(BTreeMap::values_mut) {
            for edge in [&mut edges.publishes, &mut edges.receives] {
                edge.runs += u64::from(std::mem::take(&mut edge.is_used));
            }
        }
    }

    /// The number of declared edges that a run has used.
    pub fn used(&self) -> usize {
        self.edges().filter(|(.., edge)| edge.is_declared && edge.runs > 0).count()
    }

    /// The number of declared edges.
    pub fn possible(&self) -> usize {
        self.edges().filter(|(.., edge)| edge.is_declared).count()
    }

    /// The declared edges that no run has used: service, way and subject of the event.
    pub fn unused(&self) -> impl Iterator<Item = (&str, Way, &str)> {
        let edges = self.edges().filter(|(.., edge)| edge.is_declared && edge.runs == 0);
        edges.map(|(service, way, subject, _)| (service, way, subject))
    }

    /// The edges that a run has used and nobody declares.
    pub fn undeclared(&self) -> impl Iterator<Item = (&str, Way, &str)> {
        let edges = self.edges().filter(|(.., edge)| !edge.is_declared && edge.runs > 0);
        edges.map(|(service, way, subject, _)| (service, way, subject))
    }

    fn edges(&self) -> impl Iterator<Item = (&str, Way, &str, &Edge)> {
        let events = self.0.iter().flat_map(|(service, events)| {
            events.iter().map(|(subject, edges)| (service.as_str(), subject.as_str(), edges))
        });
        events.flat_map(|(service, subject, edges)| {
            [
                (service, Way::Publishes, subject, &edges.publishes),
                (service, Way::Receives, subject, &edges.receives),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use ports::Timestamp;
    use ports::bus::{Message, Published};

    use super::*;
    use crate::instance::InstanceId;

    fn record(service: &'static str, kind: RecordKind) -> Record {
        let instance = Some(InstanceId { service, instance: 1 });
        Record { at: Timestamp::UNIX_EPOCH, instance, origin: None, kind }
    }

    #[test]
    fn edges_are_counted_once_a_run_and_others_are_undeclared() {
        let mut flow = Flow::default();
        flow.edge("loans", Way::Publishes, "book.lent").is_declared = true;
        flow.edge("members", Way::Receives, "book.lent").is_declared = true;
        let message = Message {
            subject: "book.lent".to_owned(),
            id: "1".to_owned(),
            headers: BTreeMap::default(),
            payload: bytes::Bytes::new(),
        };
        let outcome = Ok(Published { sequence: 1, duplicate: false });
        let publish = RecordKind::Publish { stream: Stream::Events, message, outcome };
        let deliver = RecordKind::Deliver {
            consumer: "shelves-BookLent".to_owned(),
            id: "1".to_owned(),
            subject: "book.lent".to_owned(),
            attempt: 1,
        };
        let trace = [
            record("loans", publish.clone()),
            record("loans", publish),
            record("shelves", deliver),
        ];
        flow.add(&trace);
        assert_eq!((flow.used(), flow.possible()), (1, 2));
        assert_eq!(flow.unused().collect::<Vec<_>>(), [("members", Way::Receives, "book.lent")]);
        let undeclared: Vec<_> = flow.undeclared().collect();
        assert_eq!(undeclared, [("shelves", Way::Receives, "book.lent")]);
        let runs = flow.edges().map(|(service, way, _, edge)| (service, way, edge.runs));
        let used: Vec<_> = runs.filter(|(.., runs)| *runs > 0).collect();
        assert_eq!(used, [("loans", Way::Publishes, 1), ("shelves", Way::Receives, 1)]);
    }
}
