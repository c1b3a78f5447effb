//! Crash sweeps: the system survives a crash at every call of a scenario, and a system whose relay
//! removes events before publishing them does not.

use std::sync::Arc;

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use harness::gherkin::{Choice, Playable, features};
use harness::search::sweep::{Plan, Point, Side, Target, crash, sweep};
use harness::subject::AnySubject;
use harness::system::System;
use platform::outbox;
use ports::Ports;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};
use scenarios::Ticketing;

/// The scenario of this name.
fn scenario(subject: &AnySubject, name: &str) -> Target {
    let choice = Choice { names: vec![name.to_owned()], ..Choice::default() };
    let program = features::program(subject, &choice, "simulated").expect("they are built in");
    let feature = program.features.first().expect("there is such a scenario");
    Target::scenario(Playable::new(feature, &feature.scenarios[0]))
}

const PAID: &str = "Payment completes the order";
const EXPIRED: &str = "An unpaid reservation expires";

#[test]
fn a_purchase_and_an_expiry_survive_a_crash_at_every_call() {
    let subject = AnySubject::new(Ticketing);
    for name in [PAID, EXPIRED] {
        let target = scenario(&subject, name);
        let quiet = target.play(&subject, &Plan::default(), None).expect("the harness works");
        assert_eq!(quiet.failed_step, None, "{name}");
        let swept = sweep(&subject, &target, &Plan::default(), |_| {}).expect("the harness works");
        assert!(swept.calls > 20, "{name} makes {} calls", swept.calls);
        let failed: Vec<_> = swept.failed().map(|f| (f.point, &f.violations)).collect();
        assert!(failed.is_empty(), "{name}: {failed:#?}");
        assert!(swept.steps_passed() > 0, "{name}: in every run a step failed");
    }
}

#[test]
fn a_workload_can_be_swept_too() {
    let subject = AnySubject::new(Ticketing);
    let target = Target::workload(&subject, "race:3").expect("there is a race");
    let plan = Plan::default();
    let quiet = target.play(&subject, &plan, None).expect("the harness works");
    let last = Point { call: quiet.calls, side: Side::After };
    let (outcome, played) = crash(&subject, &target, &plan, last).expect("there is such a call");
    assert_eq!(outcome.violations, []);
    assert_eq!(played.injected, Some(outcome.call));
}

#[test]
fn a_crash_shows_that_an_event_is_removed_before_it_is_published() {
    let subject = AnySubject::new(Ticketing);
    let plan = Plan { change: removing_first, ..Plan::default() };
    let target = scenario(&subject, PAID);
    let calls = target.play(&subject, &plan, None).expect("the harness works").calls;
    let mut points = (1..=calls).map(|call| Point { call, side: Side::Before });
    let broken = points.find_map(|point| {
        let crashed = crash(&subject, &target, &plan, point);
        let (outcome, _) = crashed.expect("there is such a call");
        (!outcome.violations.is_empty()).then_some(outcome)
    });
    let broken = broken.unwrap_or_else(|| panic!("it survived a crash at each of {calls} calls"));
    let again = crash(&subject, &target, &plan, broken.point).expect("it was there before").0;
    assert_eq!((again.violations, again.call), (broken.violations, broken.call));
}

/// The system with a relay that removes events before it publishes them.
fn removing_first(mut system: System) -> System {
    for part in &mut system.services {
        let build = Arc::clone(&part.build);
        part.build = Arc::new(move |ports, outside| {
            let store = Arc::new(RemoveFirst(Arc::clone(&ports.store)));
            build(&Ports { store, ..ports.clone() }, outside)
        });
    }
    system
}

/// A store that removes pending events from the outbox when the relay learns of them: when it
/// reads them, or when a write hands them over.
struct RemoveFirst(Arc<dyn Store>);

impl RemoveFirst {
    async fn remove(&self, collection: &str, id: Option<&Bson>) -> Result<(), WriteError> {
        let change = doc! { "$pull": { "outbox": { "id": { "$gt": "" } } } };
        let update = Update { filter: doc! { "_id": id.cloned() }, change, upsert: false };
        self.0.update(collection, update).await.map(drop)
    }
}

#[async_trait]
impl Store for RemoveFirst {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.0.ensure(collection, indexes).await
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        let id = document.get("_id").cloned();
        self.0.insert(collection, document).await?;
        self.remove(collection, id.as_ref()).await
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        self.0.get(collection, id).await
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        let is_relay = find.filter == outbox::waiting();
        let found = self.0.find(collection, find).await?;
        for document in found.iter().filter(|_| is_relay) {
            let removed = self.remove(collection, document.get("_id")).await;
            removed.map_err(|why| ReadError::Unavailable(why.to_string()))?;
        }
        Ok(found)
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        let updated = self.0.update(collection, update).await?;
        if let Some(document) = &updated {
            self.remove(collection, document.get("_id")).await?;
        }
        Ok(updated)
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        self.0.update_many(collection, ids, change).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.0.ping().await
    }
}
