//! The evidence of a run: final documents, trace, history and dead letters, gathered once the
//! system is quiescent.

pub mod field;
pub mod pace;
pub mod payload;
pub mod renewals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bson::Document;
use platform::collection::{self, Aggregate};
use platform::deadletter::DeadLetter;
use platform::run::Policy;
use ports::Timestamp;
use ports::bus::{Message, PublishError, Published, Stream};

use crate::trace::{Record, RecordKind};
use crate::world::{World, WorldError};
use payload::Payloads;

/// The outcome of a publish.
pub type PublishOutcome = Result<Published, PublishError>;

/// Between the id of a dead letter and its sequence number.
const REPLAYED: &str = "-replayed-";

/// The id under which a dead letter is published again.
pub(crate) fn replayed(letter: &str, sequence: u64) -> String {
    format!("{letter}{REPLAYED}{sequence}")
}

/// The id of the event that a service published, from that of a message: the same, but for a dead
/// letter that was published again.
pub fn original(id: &str) -> &str {
    // A dead letter has the name of its consumer before the id.
    let id = id.rsplit('/').next().unwrap_or(id);
    // Most ids have no dash: to look for one first is cheaper than to look for the whole text.
    let mut dashes = id.match_indices('-').map(|(at, _)| at);
    dashes.find(|&at| id[at..].starts_with(REPLAYED)).map_or(id, |at| &id[..at])
}

/// The documents of all services, by service and collection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Documents(BTreeMap<(String, String), Vec<Document>>);

impl Documents {
    /// The documents of a collection; none where there is no such collection.
    pub fn of(&self, service: &str, collection: &str) -> &[Document] {
        let name = (service.to_owned(), collection.to_owned());
        self.0.get(&name).map_or(&[], Vec::as_slice)
    }

    /// The aggregates of a service, as their own type.
    ///
    /// # Panics
    ///
    /// When a document is not one of a `T`.
    pub fn all_of<T: Aggregate>(&self, service: &str) -> Vec<T> {
        let decoded = |document: &Document| collection::decode(document.clone());
        let documents = self.of(service, T::COLLECTION).iter().map(decoded);
        documents.collect::<Result<_, _>>().expect("a service writes what it reads")
    }

    /// The same, to change them: for tests of invariants.
    pub fn of_mut(&mut self, service: &str, collection: &str) -> &mut Vec<Document> {
        self.0.entry((service.to_owned(), collection.to_owned())).or_default()
    }

    /// Every collection: service, collection, documents.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, &[Document])> {
        self.0.iter().map(|((service, collection), documents)| {
            (service.as_str(), collection.as_str(), documents.as_slice())
        })
    }

    /// Adds the documents that have left by themselves, as they were: whatever holds of a document
    /// holds of it to its end.
    fn with_expired(mut self, trace: &[Record]) -> Self {
        let mut expired: BTreeMap<(&str, &str, &str), &Document> = BTreeMap::new();
        for record in trace {
            if let RecordKind::Expire { service, collection, document } = &record.kind {
                expired.insert((service, collection, field::id(document)), document);
            }
        }
        for ((service, collection, id), document) in expired {
            let documents = self.of_mut(service, collection);
            if !documents.iter().any(|known| field::id(known) == id) {
                documents.push(document.clone());
            }
        }
        self
    }

    /// Reads all collections of a world.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub async fn read(world: &mut dyn World) -> Result<Self, WorldError> {
        let mut documents = BTreeMap::new();
        for (service, collection) in world.collections() {
            let found = world.documents(service, &collection).await?;
            documents.insert((service.to_owned(), collection), found);
        }
        Ok(Self(documents))
    }
}

/// The evidence that an invariant reads. Services that run as processes of their own leave no
/// trace of their calls on ports, so there not every invariant can be checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Needs {
    /// Only the outcome: final documents, the history of the clients, the external services.
    #[default]
    Outcome,
    /// The outcome, and the trace for a part of the statement.
    TraceInPart,
    /// The trace of the calls on ports.
    Trace,
}

/// The facts of a run that need no knowledge of its subject.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The time at which they were gathered.
    pub now: Timestamp,
    /// Whether the order of the records is exactly the order in which calls took effect: so
    /// in simulation, while calls overlap on real servers.
    pub exact: bool,
    /// The final documents, and those that have left by themselves, as they were.
    pub documents: Documents,
    /// The dead letters.
    pub letters: Vec<DeadLetter>,
    /// The aggregates that a dead letter is about: their copies are known to be behind.
    pub given_up: BTreeSet<String>,
    /// Whether the trace lacks the calls on ports, because services run as processes.
    pub without_trace: bool,
    /// The number of faults that the trace does not contain: cuts by scenarios, and faults in
    /// processes, servers and links.
    pub cuts: usize,
    /// The times that passed although services had calls pending, from and to.
    pub hurried: Vec<(Timestamp, Timestamp)>,
    /// The ack wait of the consumers.
    pub ack_wait: Duration,
    /// The number of deliveries after which a message becomes a dead letter.
    pub attempts: u32,
    /// The age at which the newest event of a document is published again, if ever.
    pub renewal_age: Option<Duration>,
    /// The age from which an event is no longer handled, if any.
    pub horizon: Option<Duration>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
    /// The payloads of its events.
    pub payloads: Payloads,
}

impl Facts {
    /// Gathers the facts of a quiescent world.
    ///
    /// # Errors
    ///
    /// When the world cannot be read.
    pub async fn gather(
        world: &mut dyn World,
        exact: bool,
        policy: &Policy,
    ) -> Result<Self, WorldError> {
        let letters = world.dead_letters().await?;
        let about = letters.iter().filter_map(|l| l.message.headers.get("ce-subject").cloned());
        let trace = world.trace().records();
        Ok(Self {
            now: world.now(),
            exact,
            documents: Documents::read(world).await?.with_expired(&trace),
            renewal_age: policy.renewal_age(),
            horizon: policy.horizon(),
            given_up: about.collect(),
            letters,
            ack_wait: policy.ack_wait,
            attempts: policy.max_deliver,
            hurried: world.hurried(),
            without_trace: !world.traces_ports(),
            cuts: world.untraced_faults(),
            trace,
            payloads: Payloads::default(),
        })
    }

    /// The events that services published: each attempt, and its outcome.
    pub fn published(&self) -> impl Iterator<Item = (&Message, &PublishOutcome)> {
        // A dead letter that the harness replays is not an event of a service.
        let of_services = self.trace.iter().filter(|record| record.instance.is_some());
        of_services.filter_map(|record| match &record.kind {
            RecordKind::Publish { stream: Stream::Events, message, outcome } => {
                Some((message, outcome))
            }
            _ => None,
        })
    }

    /// Whether these facts suffice for an invariant with these needs.
    pub(crate) fn can_show(&self, needs: Needs) -> bool {
        !(self.without_trace && needs == Needs::Trace)
    }

    /// The number of injected faults that disturb, crashes and cuts together.
    pub fn disturbances(&self) -> usize {
        let is_one = |kind: &RecordKind| match kind {
            RecordKind::Fault { effect, .. } => effect.is_disturbance(),
            kind => matches!(kind, RecordKind::Crash),
        };
        self.trace.iter().filter(|record| is_one(&record.kind)).count() + self.cuts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replayed_dead_letter_is_the_event_that_it_repeats() {
        assert_eq!(original("019b-1"), "019b-1");
        let once = replayed("loans-BookLent/019b-1", 0);
        assert_eq!(original(&once), "019b-1");
        assert_eq!(original(&replayed(&format!("loans-BookLent/{once}"), 1)), "019b-1");
    }
}
