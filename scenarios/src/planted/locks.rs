//! Bugs in holds, prices and unique email addresses.

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use harness::system::System;
use ports::store::{Find, ReadError, Store, WriteError};

use harness::bugs::planting::{with_listeners, with_ports, with_service};
use harness::bugs::ports::{StoreOverride, Updates, at_store, lying};

/// Replaces the unique indexes of orders by a query before each insert.
pub(super) fn look_then_insert(system: System) -> System {
    let look = Look {
        filter: |order| {
            let ticket = order.get("ticketId")?.clone();
            Some(doc! { "ticketId": ticket, "holding": true })
        },
        taken: "one-holder",
    };
    without_lock(system, orders::NAME, look)
}

/// Replaces the unique index of open orders by a query before each insert.
pub(super) fn look_then_count(system: System) -> System {
    let look = Look {
        filter: |order| {
            let (user, slot) = (order.get("userId")?.clone(), order.get("slot")?.clone());
            Some(doc! { "userId": user, "slot": slot, "open": true })
        },
        taken: orders::store::ONE_SLOT,
    };
    let unlocked = with_service(system, Some(orders::NAME), |service| {
        for collection in &mut service.collections {
            collection.indexes.retain(|index| index.name != orders::store::ONE_SLOT);
        }
    });
    with_ports(unlocked, Some(orders::NAME), move |ports| at_store(ports, look))
}

/// Replaces the unique index of email addresses by a query before each insert.
pub(super) fn look_then_sign_up(system: System) -> System {
    let look = Look {
        filter: |user| Some(doc! { "emailKey": user.get("emailKey")?.clone() }),
        taken: auth::store::EMAIL,
    };
    without_lock(system, auth::NAME, look)
}

fn without_lock(system: System, service: &'static str, look: Look) -> System {
    let unlocked = with_service(system, Some(service), |service| {
        for collection in &mut service.collections {
            collection.indexes.retain(|index| !index.unique);
        }
    });
    with_ports(unlocked, Some(service), move |ports| at_store(ports, look))
}

#[derive(Clone, Copy)]
struct Look {
    /// Matches the documents that an insert conflicts with.
    filter: fn(&Document) -> Option<Document>,
    /// The index that the error names.
    taken: &'static str,
}

#[async_trait]
impl StoreOverride for Look {
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        document: Document,
    ) -> Result<(), WriteError> {
        if let Some(filter) = (self.filter)(&document) {
            let found = store.find(collection, Find { filter, ..Find::default() }).await;
            let found = found.map_err(|e| WriteError::Unavailable(e.to_string()))?;
            if !found.is_empty() {
                return Err(WriteError::Duplicate { index: self.taken.to_owned() });
            }
        }
        store.insert(collection, document).await
    }
}

/// Drops the revision from the filter of every update.
pub(super) fn lost_update(system: System) -> System {
    let any_revision = Updates(|mut update| {
        update.filter.remove("revision");
        update
    });
    with_ports(system, None, move |ports| at_store(ports, any_revision))
}

/// Hides the holder of every ticket that the service reads.
pub(super) fn edit_while_held(system: System) -> System {
    with_ports(system, Some(tickets::NAME), |ports| {
        lying(ports, |ticket| {
            ticket.insert("orderId", Bson::Null);
        })
    })
}

/// Lowers the fencing number that the service reads, so that an event with the same number is
/// applied again.
pub(super) fn hold_applied_again(system: System) -> System {
    with_ports(system, Some(tickets::NAME), |ports| {
        lying(ports, |ticket| {
            let fence = ticket.get_i64("fence").unwrap_or_default();
            ticket.insert("fence", fence - 1);
        })
    })
}

/// Drops the condition on the holder when tickets are listed.
pub(super) fn lists_reserved(system: System) -> System {
    with_ports(system, Some(tickets::NAME), |ports| at_store(ports, AllForSale))
}

struct AllForSale;

#[async_trait]
impl StoreOverride for AllForSale {
    async fn find(
        &self,
        store: &dyn Store,
        collection: &str,
        mut find: Find,
    ) -> Result<Vec<Document>, ReadError> {
        find.filter.remove("orderId");
        store.find(collection, find).await
    }
}

/// Reads the price again on the insert of an order.
pub(super) fn price_read_late(system: System) -> System {
    with_ports(system, Some(orders::NAME), |ports| at_store(ports, ReadLate))
}

struct ReadLate;

#[async_trait]
impl StoreOverride for ReadLate {
    async fn insert(
        &self,
        store: &dyn Store,
        collection: &str,
        mut order: Document,
    ) -> Result<(), WriteError> {
        if let Ok(ticket) = order.get_str("ticketId") {
            let ticket = store.get("tickets", ticket).await;
            let ticket = ticket.map_err(|e| WriteError::Unavailable(e.to_string()))?;
            if let Some(price) = ticket.and_then(|ticket| ticket.get("price").cloned()) {
                reprice(&mut order, price);
            }
        }
        store.insert(collection, order).await
    }
}

/// Sets the price in the order and in the payload of its event.
fn reprice(order: &mut Document, price: Bson) {
    for event in order.get_array_mut("outbox").into_iter().flatten() {
        let Some(event) = event.as_document_mut() else { continue };
        let payload = event.get_str("payload").map(serde_json::from_str::<serde_json::Value>);
        if let Ok(Ok(mut payload)) = payload {
            payload["ticket"]["price"] = price.as_i64().unwrap_or_default().into();
            event.insert("payload", payload.to_string());
        }
    }
    order.insert("price", price);
}

/// Keeps the hold in the update that expires an order.
pub(super) fn hold_kept_on_expiry(system: System) -> System {
    with_ports(system, Some(orders::NAME), |ports| {
        let keep = Updates(|mut update| {
            if let Ok(set) = update.change.get_document_mut("$set")
                && set.get_str("reason").is_ok_and(|reason| reason == "expired")
            {
                set.insert("holding", true);
            }
            update
        });
        at_store(ports, keep)
    })
}

/// Shows a complete order to the listener of `OrderExpired` as one that awaits payment.
pub(super) fn expiry_cancels_paid(system: System) -> System {
    with_listeners(system, orders::NAME, &["OrderExpired"], |ports| {
        lying(ports, |order| restate(order, "complete", "awaiting:payment"))
    })
}

/// Shows a cancelled order to the listener of `ChargeUpdated` as one that awaits payment.
pub(super) fn completes_released(system: System) -> System {
    with_listeners(system, orders::NAME, &["ChargeUpdated"], |ports| {
        lying(ports, |order| restate(order, "cancelled", "awaiting:payment"))
    })
}

fn restate(order: &mut Document, from: &str, to: &str) {
    if order.get_str("status").is_ok_and(|status| status == from) {
        order.insert("status", to);
    }
}
