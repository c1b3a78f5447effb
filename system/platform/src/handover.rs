//! The way of events from a write to the relay of the same instance.
//!
//! A write knows the outbox that it leaves behind, so the relay need not read it again. What is
//! handed over is a copy: the outbox in the store is what counts, and the relay reads it at its
//! start, once per sweep, and whenever a copy is missing.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::event::Envelope;
use crate::wake::Wake;

/// The most outboxes that wait for the relay in memory. Beyond that, it reads the store.
const MOST: usize = 1_000;

/// The unpublished events of one document, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// The `_id` of the document.
    pub document: String,
    /// Its events, oldest first. Those at the beginning may have been published already.
    pub events: Vec<Envelope>,
}

/// The outboxes that wait for the relay. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Handover(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    wake: Wake,
    handed: Mutex<Handed>,
}

/// The outboxes that the relay takes for one step.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// In the order of the writes.
    pub(crate) outboxes: Vec<Outbox>,
    /// True if a copy is missing.
    pub(crate) must_read: bool,
}

impl Handover {
    /// Hands over the outbox that a write has left behind.
    pub fn hand(&self, outbox: Outbox) {
        {
            let mut handed = self.0.handed.lock();
            if handed.outboxes.len() < MOST {
                handed.outboxes.push(outbox);
            } else {
                handed.must_read = true;
            }
        }
        self.0.wake.wake();
    }

    /// Makes the relay read the store: a write may have left events that its writer cannot name.
    pub fn read(&self) {
        self.0.handed.lock().must_read = true;
        self.0.wake.wake();
    }

    /// As [`Self::read`], in the next step, whatever causes it.
    pub(crate) fn read_next(&self) {
        self.0.handed.lock().must_read = true;
    }

    pub(crate) fn wake(&self) -> Wake {
        self.0.wake.clone()
    }

    pub(crate) fn take(&self) -> Handed {
        std::mem::take(&mut self.0.handed.lock())
    }
}
