//! The events of the bank: types and payloads.

use platform::event::{Event, EventGroup, EventType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A transfer, as its events carry it and as `transfers` stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct TransferState {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: i64,
    pub(crate) status: Status,
    pub(crate) version: i64,
}

/// The progress of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Requested,
    Settled,
    Refused,
}

/// An account, as its events carry it, with the transfer that changed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct AccountState {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) balance: i64,
    pub(crate) version: i64,
    pub(crate) transfer: Option<TransferState>,
}

/// Declares an event: its payload under a name and a subject of its own.
macro_rules! event {
    ($name:ident = $subject:literal, $state:ident) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $state);

        impl Event for $name {
            const NAME: &'static str = stringify!($name);
            const SUBJECT: &'static str = $subject;

            fn aggregate(&self) -> &str {
                &self.0.id
            }
        }
    };
}

event!(AccountOpened = "account.opened", AccountState);
event!(AccountDebited = "account.debited", AccountState);
event!(AccountCredited = "account.credited", AccountState);
event!(AccountRefused = "account.refused", AccountState);
event!(TransferRequested = "transfer.requested", TransferState);
event!(TransferSettled = "transfer.settled", TransferState);
event!(TransferRefused = "transfer.refused", TransferState);

pub(crate) const OPENED: EventGroup<AccountState> =
    EventGroup::new(&[EventType::of::<AccountOpened>()]);
pub(crate) const DEBITED: EventGroup<AccountState> =
    EventGroup::new(&[EventType::of::<AccountDebited>()]);
/// The events that end a transfer.
pub(crate) const DECIDED: EventGroup<AccountState> =
    EventGroup::new(&[EventType::of::<AccountCredited>(), EventType::of::<AccountRefused>()]);
pub(crate) const REQUESTED: EventGroup<TransferState> =
    EventGroup::new(&[EventType::of::<TransferRequested>()]);
