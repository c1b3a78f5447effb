//! The holds that have not ended, each with its bar.

use std::collections::BTreeMap;

use super::sequence::Participant;
use crate::subject::{Hold, Written};
use crate::trace::{InstanceId, Record, RecordKind};

/// A document: service, collection and id.
pub(super) type Key = (&'static str, String, String);

/// The document that a record wrote.
pub(super) fn written(record: &Record) -> Option<(Key, Written<'_>)> {
    let service = record.instance?.service;
    let RecordKind::Write { operation, collection, outcome: Ok(Some(document)), .. } = &record.kind
    else {
        return None;
    };
    let id = document.get_str("_id").unwrap_or_default().to_owned();
    let inserted = *operation == "insert";
    let written = Written { service, collection, document, inserted };
    Some(((service, collection.clone(), id), written))
}

/// The bar of a hold.
struct Bar {
    hold: Hold,
    /// Its number in the diagram.
    number: usize,
    /// The participant whose lane it is on.
    over: Participant,
}

/// The bars of the holds that have not ended, by the documents that stand for them.
#[derive(Default)]
pub(super) struct Bars(BTreeMap<Key, Bar>);

impl Bars {
    /// True if the document of this key has one.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// The number of the bar of another hold of this thing, and the participant that it is over.
    pub(super) fn beside(&self, here: InstanceId, thing: &str) -> Option<(usize, &Participant)> {
        let mut of_service = self.0.iter().filter(|((service, ..), _)| *service == here.service);
        of_service.find(|(_, bar)| bar.hold.thing == thing).map(|(_, bar)| (bar.number, &bar.over))
    }

    /// Adds a bar.
    pub(super) fn begin(&mut self, key: Key, hold: Hold, number: usize, over: Participant) {
        self.0.insert(key, Bar { hold, number, over });
    }

    /// Takes the number of the bar that ends when the document of this key stands for this hold,
    /// or for none.
    pub(super) fn end(&mut self, key: &Key, now: Option<&Hold>) -> Option<usize> {
        self.0.get(key).filter(|bar| Some(&bar.hold) != now)?;
        self.0.remove(key).map(|bar| bar.number)
    }
}
