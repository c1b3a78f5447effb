//! Numbers as documents of a collection.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::options::{Acknowledgment, ClientOptions, WriteConcern};
use mongodb::{Client, Collection};
use tokio::time::timeout;

use super::Failure;
use super::load::Target;
use super::setup::Setup;

/// The time after which a write counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The time without a server that takes writes after which a write fails.
const SELECTION_LIMIT: Duration = Duration::from_millis(500);

/// The collection of numbers.
pub(crate) struct Documents {
    collection: Collection<Document>,
}

impl Documents {
    /// The collection, with this write concern.
    pub(crate) async fn open(
        setup: &Setup,
        majority: bool,
        journal: bool,
    ) -> Result<Self, Failure> {
        let mut options = ClientOptions::parse(setup.url()).await?;
        options.server_selection_timeout = Some(SELECTION_LIMIT);
        let w = if majority { Acknowledgment::Majority } else { Acknowledgment::Nodes(1) };
        options.write_concern = Some(WriteConcern::builder().w(w).journal(journal).build());
        let collection =
            Client::with_options(options)?.database("durability").collection("numbers");
        Ok(Self { collection })
    }
}

#[async_trait]
impl Target for Documents {
    async fn write(&self, number: u64) -> Result<(), Failure> {
        let id = i64::try_from(number)?;
        let inserted = async { self.collection.insert_one(doc! { "_id": id }).await };
        timeout(ANSWER_LIMIT, inserted).await??;
        Ok(())
    }

    async fn kept(&self) -> Result<BTreeSet<u64>, Failure> {
        let documents: Vec<Document> = self.collection.find(doc! {}).await?.try_collect().await?;
        let numbers = documents.iter().map(|document| Ok(document.get_i64("_id")?.try_into()?));
        numbers.collect()
    }
}
