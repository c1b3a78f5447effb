//! Mistakes with who may write what, and when.

use std::sync::Arc;

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use harness::system::System;
use platform::Ports;
use platform::ports::store::{Find, Store, Update, WriteError};

use super::twist::{StoreTwist, TwistedStore};
use super::{with_ports, with_service};

fn twisted(ports: Ports, twist: impl StoreTwist + 'static) -> Ports {
    Ports { store: Arc::new(TwistedStore { inner: Arc::clone(&ports.store), twist }), ..ports }
}

/// Without the unique indexes of orders; a look before the insert instead.
pub(super) fn look_then_insert(system: System) -> System {
    let unlocked = with_service(system, Some(orders::NAME), |service| {
        for collection in &mut service.collections {
            collection.indexes.retain(|index| !index.unique);
        }
    });
    with_ports(unlocked, Some(orders::NAME), |ports| twisted(ports, Look))
}

struct Look;

#[async_trait]
impl StoreTwist for Look {
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        document: Document,
    ) -> Result<(), WriteError> {
        if let Some(ticket) = document.get("ticketId") {
            let filter = doc! { "ticketId": ticket, "holding": true };
            let holder = store.find(collection, Find { filter, ..Find::default() }).await;
            let holder = holder.map_err(|e| WriteError::Unavailable(e.to_string()))?;
            if !holder.is_empty() {
                return Err(WriteError::Duplicate { index: "one-holder".to_owned() });
            }
        }
        store.insert(collection, document).await
    }
}

/// Updates under no condition but the id.
pub(super) fn lost_update(system: System) -> System {
    with_ports(system, None, |ports| twisted(ports, AnyRevision))
}

struct AnyRevision;

impl StoreTwist for AnyRevision {
    fn update(&self, mut update: Update) -> Update {
        update.filter.remove("revision");
        update
    }
}

/// Tickets that never seem to be held.
pub(super) fn edit_while_held(system: System) -> System {
    with_ports(system, Some(tickets::NAME), |ports| twisted(ports, NeverHeld))
}

struct NeverHeld;

impl StoreTwist for NeverHeld {
    fn found(&self, mut document: Document) -> Document {
        document.insert("orderId", Bson::Null);
        document
    }
}
