//! The store on MongoDB, through the `mongodb` driver.
//!
//! Every write is journaled before it is acknowledged, so what a service was told is durable
//! is so on a single server as well. It uses no transactions, and repeats no write: only the
//! driver may, where the server counts both as one. What is not known is said to be unknown.

mod error;

use std::time::Duration;

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use futures::TryStreamExt;
use mongodb::options::{Acknowledgment, ClientOptions, IndexOptions, ReturnDocument, WriteConcern};
use mongodb::{Client, Database, IndexModel};

use self::error::{NAMESPACE_EXISTS, code, read_error, write_error};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

/// How long to look for a server that takes the call.
const SELECTION: Duration = Duration::from_secs(3);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);
/// How long the server may take to make a write durable.
const JOURNAL: Duration = Duration::from_secs(5);
/// How long any call may take. The driver has no time limit of its own on an answer.
const CALL: Duration = Duration::from_secs(10);
/// How many connections one client keeps at most.
const POOL: u32 = 64;
/// How many connections it makes at the same time: a burst should not wait for two.
const CONNECTING: u32 = 8;

/// One database on a MongoDB server.
#[derive(Debug, Clone)]
pub struct Mongo(Database);

impl Mongo {
    /// A client for the server at this URL, with this adapter's limits and durability. It
    /// connects when it is first used.
    pub async fn client(url: &str) -> Result<Client, ReadError> {
        let options = ClientOptions::parse(url).await;
        let mut options = options.map_err(|e| read_error(&e))?;
        options.server_selection_timeout = Some(SELECTION);
        options.connect_timeout = Some(CONNECT);
        options.max_pool_size = Some(POOL);
        options.max_connecting = Some(CONNECTING);
        let mut durable = WriteConcern::builder().w(Acknowledgment::Majority).build();
        durable.journal = Some(true);
        durable.w_timeout = Some(JOURNAL);
        options.write_concern = Some(durable);
        Client::with_options(options).map_err(|e| read_error(&e))
    }

    /// The database of this name on the server at this URL. It connects when it is first used.
    pub async fn connect(url: &str, database: &str) -> Result<Self, ReadError> {
        Ok(Self::with_client(&Self::client(url).await?, database))
    }

    /// The database of this name, over a client that others may share.
    pub fn with_client(client: &Client, database: &str) -> Self {
        Self(client.database(database))
    }

    /// Removes the database with all that is in it.
    pub async fn drop_database(&self) -> Result<(), WriteError> {
        write(async { self.0.drop().await }).await
    }

    fn collection(&self, name: &str) -> mongodb::Collection<Document> {
        self.0.collection(name)
    }
}

#[async_trait]
impl Store for Mongo {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        if indexes.is_empty() {
            return write(async {
                match self.0.create_collection(collection).await {
                    Err(error) if code(&error) == Some(NAMESPACE_EXISTS) => Ok(()),
                    created => created,
                }
            })
            .await;
        }
        let models = indexes.iter().map(model);
        write(async { self.collection(collection).create_indexes(models).await }).await.map(drop)
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        if !matches!(document.get("_id"), Some(Bson::String(_))) {
            return Err(WriteError::Rejected("a document needs a string as its _id".to_owned()));
        }
        write(async { self.collection(collection).insert_one(document).await }).await.map(drop)
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
        if update.upsert && !says_id(&update) {
            return Err(WriteError::Rejected("an upsert must say the _id".to_owned()));
        }
        let collection = self.collection(collection);
        let updated = collection.find_one_and_update(update.filter, update.change);
        let updated = updated.upsert(update.upsert).return_document(ReturnDocument::After);
        write(async { updated.await }).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        read(async { self.0.run_command(doc! { "ping": 1 }).await }).await.map(drop)
    }
}

/// Whether a new document would get a string as its `_id`, and not one that the server makes.
fn says_id(update: &Update) -> bool {
    let filter = match update.filter.get("_id") {
        Some(Bson::Document(operators)) => operators.get("$eq"),
        found => found,
    };
    let set = |operator| update.change.get_document(operator).ok()?.get("_id");
    let said = filter.or_else(|| set("$setOnInsert")).or_else(|| set("$set"));
    matches!(said, Some(Bson::String(_)))
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

async fn read<T>(call: impl Future<Output = mongodb::error::Result<T>>) -> Result<T, ReadError> {
    match tokio::time::timeout(CALL, call).await {
        Ok(answer) => answer.map_err(|e| read_error(&e)),
        Err(_) => Err(ReadError::Unavailable("no answer in time".to_owned())),
    }
}

async fn write<T>(call: impl Future<Output = mongodb::error::Result<T>>) -> Result<T, WriteError> {
    match tokio::time::timeout(CALL, call).await {
        Ok(answer) => answer.map_err(|e| write_error(&e)),
        Err(_) => Err(WriteError::Unknown("no answer in time".to_owned())),
    }
}
