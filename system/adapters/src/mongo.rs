//! The store on MongoDB, through the `mongodb` driver.
//!
//! Every write is journaled before it is acknowledged, so an acknowledged write survives a
//! crash on a single server as well. It uses no transactions, and never repeats a write; only
//! the driver may, where the server recognizes the repetition. An unknown outcome is reported
//! as unknown.
//!
//! Read on in `mongo/error.rs`, which classifies the outcomes.

mod duplicate;
mod error;

use std::time::Duration;

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use futures::TryStreamExt;
use mongodb::options::{Acknowledgment, ClientOptions, IndexOptions, ReturnDocument, WriteConcern};
use mongodb::{Client, Collection, Database, IndexModel, Namespace};

use self::duplicate::KnownIndexes;
use self::error::{is_existing_collection, read_error, write_error};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

/// The time limit for finding a server that takes the call.
const SELECTION_LIMIT: Duration = Duration::from_secs(3);
/// The time limit of one attempt to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The time limit of the server for making a write durable.
const JOURNAL_LIMIT: Duration = Duration::from_secs(5);
/// The time limit of any call. The driver itself waits for an answer without limit.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// The most connections of one client.
const MAX_CONNECTIONS: u32 = 64;
/// The most connections that are established at once. With the driver's default of 2, a burst
/// of calls would queue.
const MAX_CONNECTING: u32 = 8;

/// One database on a MongoDB server.
#[derive(Debug, Clone)]
pub struct Mongo {
    database: Database,
    indexes: KnownIndexes,
}

impl Mongo {
    /// A client for the server at `url`, with this adapter's time limits and durability. It
    /// connects on first use.
    ///
    /// # Errors
    /// [`ReadError::Rejected`] if the URL is invalid; [`ReadError::Unavailable`] if a name in
    /// it cannot be resolved.
    pub async fn client(url: &str) -> Result<Client, ReadError> {
        let mut options = ClientOptions::parse(url).await.map_err(|e| read_error(&e))?;
        options.server_selection_timeout = Some(SELECTION_LIMIT);
        options.connect_timeout = Some(CONNECT_LIMIT);
        options.max_pool_size = Some(MAX_CONNECTIONS);
        options.max_connecting = Some(MAX_CONNECTING);
        let mut durable = WriteConcern::builder().w(Acknowledgment::Majority).build();
        durable.journal = Some(true);
        durable.w_timeout = Some(JOURNAL_LIMIT);
        options.write_concern = Some(durable);
        Client::with_options(options).map_err(|e| read_error(&e))
    }

    /// The database of this name on the server at `url`, on a client of its own.
    ///
    /// # Errors
    /// As [`Mongo::client`].
    pub async fn connect(url: &str, database: &str) -> Result<Self, ReadError> {
        Ok(Self::with_client(&Self::client(url).await?, database))
    }

    /// The database of this name, on a client that others may share.
    pub fn with_client(client: &Client, database: &str) -> Self {
        Self { database: client.database(database), indexes: KnownIndexes::default() }
    }

    /// Removes the database with everything in it, to clean up after a test.
    ///
    /// # Errors
    /// As a write of [`Store`]; a second attempt is safe.
    pub async fn drop_database(&self) -> Result<(), WriteError> {
        // A drop concerns no collection, and violates no unique index.
        self.write("", async { self.database.drop().await }).await
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }

    /// Runs a write on `collection` within the time limit, and classifies its error.
    async fn write<T>(
        &self,
        collection: &str,
        call: impl Future<Output = mongodb::error::Result<T>>,
    ) -> Result<T, WriteError> {
        match tokio::time::timeout(CALL_LIMIT, call).await {
            Ok(answer) => answer.map_err(|error| {
                let namespace = Namespace::new(self.database.name(), collection);
                write_error(&error, |message| self.indexes.refusing(&namespace, &error, message))
            }),
            Err(_) => Err(WriteError::Unknown(format!("no answer within {CALL_LIMIT:?}"))),
        }
    }
}

#[async_trait]
impl Store for Mongo {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.indexes.remember(collection, indexes);
        if indexes.is_empty() {
            let create = async {
                match self.database.create_collection(collection).await {
                    Err(error) if is_existing_collection(&error) => Ok(()),
                    created => created,
                }
            };
            return self.write(collection, create).await;
        }
        let models = indexes.iter().map(model);
        let created = async { self.collection(collection).create_indexes(models).await };
        self.write(collection, created).await.map(drop)
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        if !matches!(document.get("_id"), Some(Bson::String(_))) {
            return Err(WriteError::Rejected("a document needs a string as its _id".to_owned()));
        }
        let inserted = async { self.collection(collection).insert_one(document).await };
        self.write(collection, inserted).await.map(drop)
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        read(async { self.collection(collection).find_one(doc! { "_id": id }).await }).await
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        let collection = self.collection(collection);
        read(async {
            let found = collection.find(find.filter).sort(find.sort).limit(find.limit.into());
            found.await?.try_collect().await
        })
        .await
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        if update.upsert && !determines_id(&update) {
            return Err(WriteError::Rejected("an upsert must determine the _id".to_owned()));
        }
        let target = self.collection(collection);
        let updated = target.find_one_and_update(update.filter, update.change);
        let updated = updated.upsert(update.upsert).return_document(ReturnDocument::After);
        self.write(collection, async { updated.await }).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        read(async { self.database.run_command(doc! { "ping": 1 }).await }).await.map(drop)
    }
}

/// Whether an inserted document would get a string as its `_id`. Otherwise the server would
/// generate an `ObjectId`.
fn determines_id(update: &Update) -> bool {
    let filter = match update.filter.get("_id") {
        Some(Bson::Document(operators)) => operators.get("$eq"),
        found => found,
    };
    let set = |operator| update.change.get_document(operator).ok()?.get("_id");
    let id = filter.or_else(|| set("$setOnInsert")).or_else(|| set("$set"));
    matches!(id, Some(Bson::String(_)))
}

fn model(index: &Index) -> IndexModel {
    let keys: Document = index.keys.iter().map(|key| ((*key).to_owned(), Bson::Int32(1))).collect();
    let options = IndexOptions::builder()
        .name(index.name.to_owned())
        .unique(index.unique)
        .partial_filter_expression(index.partial.clone())
        .build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// Runs a read within the time limit, and classifies its error.
async fn read<T>(call: impl Future<Output = mongodb::error::Result<T>>) -> Result<T, ReadError> {
    match tokio::time::timeout(CALL_LIMIT, call).await {
        Ok(answer) => answer.map_err(|e| read_error(&e)),
        Err(_) => Err(ReadError::Unavailable(format!("no answer within {CALL_LIMIT:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unreachable_server_is_unavailable() {
        let mut options = ClientOptions::parse("mongodb://127.0.0.1:1").await.expect("a valid URL");
        options.server_selection_timeout = Some(Duration::from_millis(50));
        let client = Client::with_options(options).expect("it connects on first use");
        let store = Mongo::with_client(&client, "nowhere");
        let written = store.insert("things", doc! { "_id": "a" }).await;
        assert!(matches!(written, Err(WriteError::Unavailable(_))), "{written:?}");
        assert!(matches!(store.ping().await, Err(ReadError::Unavailable(_))));
    }
}
