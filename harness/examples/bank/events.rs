//! The events of the bank, and the states that they carry.

use platform::prelude::*;

/// A transfer, as its events carry it and as `transfers` stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Transfer {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: i64,
    pub(crate) status: Status,
    pub(crate) version: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Requested,
    Debited,
    Settled,
    Refused,
}

/// An account, as its events carry it, with the transfer that changed it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct AccountState {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) balance: i64,
    pub(crate) transfer: Option<Transfer>,
    pub(crate) version: i64,
}

platform::events! {
    pub(crate) OPENED of AccountState, from "accounts" to ["transfers"]:
    AccountOpened = "account.opened";
    pub(crate) CHANGED of AccountState, from "accounts" to ["transfers"]:
    AccountChanged = "account.changed";
    /// Every event of a transfer.
    pub(crate) TRANSFER_EVENTS of Transfer, from "transfers" to ["accounts"]:
    TransferRequested = "transfer.requested",
    TransferChanged = "transfer.changed";
}
