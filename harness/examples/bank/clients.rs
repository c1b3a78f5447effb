//! The clients of the bank: what they do, and how an operation becomes a request.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use harness::subject::{Clients, Reference};
use harness::world::Reply;
use http::Request;
use ports::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// An operation of a client. Clients go by name, and each has one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    Open { who: String, balance: i64 },
    Send { who: String, amount: i64, to: String },
}

impl Operation {
    pub(crate) fn open(who: &str, balance: i64) -> Self {
        Self::Open { who: who.to_owned(), balance }
    }

    pub(crate) fn send(who: &str, amount: i64, to: &str) -> Self {
        Self::Send { who: who.to_owned(), amount, to: to.to_owned() }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { who, balance } => write!(f, "{who} opens an account with {balance}"),
            Self::Send { who, amount, to } => write!(f, "{who} sends {amount} to {to}"),
        }
    }
}

impl harness::subject::Operation for Operation {
    fn references(&mut self) -> Vec<Reference<'_>> {
        match self {
            Self::Open { who, .. } => vec![Reference::Client(who)],
            Self::Send { who, to, .. } => vec![Reference::Client(who), Reference::Client(to)],
        }
    }

    fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Open { who, balance } if *balance != 100 => vec![Self::open(who, 100)],
            Self::Send { who, amount, to } if *amount != 10 => vec![Self::send(who, 10, to)],
            _ => Vec::new(),
        }
    }
}

/// The clients of one run: they know the id of each account.
#[derive(Default)]
pub(crate) struct Customers {
    pub(crate) accounts: BTreeMap<String, String>,
}

#[async_trait(?Send)]
impl Clients for Customers {
    type Operation = Operation;
    type Context = ();

    fn request(&self, operation: &Operation) -> Option<Request<Bytes>> {
        let (path, body) = match operation {
            Operation::Open { who, balance } => {
                ("/api/accounts", json!({ "owner": who, "balance": balance }))
            }
            Operation::Send { who, amount, to } => {
                let (from, to) = (self.accounts.get(who)?, self.accounts.get(to)?);
                ("/api/transfers", json!({ "from": from, "to": to, "amount": amount }))
            }
        };
        Some(harness::subject::clients::post(path, &body))
    }

    fn learn(&mut self, operation: &Operation, reply: &Reply, _: Timestamp) {
        if let (Operation::Open { who, .. }, Some(id)) = (operation, reply.json()["id"].as_str()) {
            self.accounts.insert(who.clone(), id.to_owned());
        }
    }
}
