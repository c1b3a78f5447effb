//! The store on MongoDB, through the `mongodb` driver.
//!
//! Every write is journaled by a majority of a replica set before it is acknowledged, so an
//! acknowledged write survives a crash on a single server, and the loss of the primary of a set.
//! A read returns what a majority has: nothing follows from a write that the next primary may
//! lack. It uses no transactions, and never repeats a write; only the driver may, where the server
//! recognizes the repetition. An unknown outcome is reported as unknown.
//!
//! Read on in `mongo/error.rs`, which classifies the outcomes.

mod duplicate;
mod error;

use std::time::Duration;

use async_trait::async_trait;
use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use futures::TryStreamExt;
use mongodb::options::{
    Acknowledgment, ClientOptions, IndexOptions, ReadConcern, ReturnDocument, WriteConcern,
};
use mongodb::{Client, Collection, Database, IndexModel};

use self::duplicate::{Fields, KnownIndexes};
use self::error::{
    is_existing_collection, is_missing_collection, read_error, reported_error, write_error,
};
use ports::store::limits;
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

/// The field of an answer that says that its write may not last.
const CONCERN_ERROR: &str = "writeConcernError";

/// One database on a MongoDB server.
#[derive(Debug, Clone)]
pub struct Mongo {
    database: Database,
    indexes: KnownIndexes,
}

impl Mongo {
    /// A client for the server or replica set at `url`, with this adapter's time limits and
    /// durability. It connects on first use.
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
        options.read_concern = Some(ReadConcern::majority());
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

    /// The collection, of documents as they are encoded: the driver would decode them with
    /// `serde`, which exhausts a thread's stack at a depth that the server allows.
    fn collection(&self, name: &str) -> Collection<RawDocumentBuf> {
        self.database.collection(name)
    }

    /// Runs a write on `collection` within the time limit, and classifies its error.
    async fn write<T>(
        &self,
        collection: &str,
        call: impl Future<Output = mongodb::error::Result<T>>,
    ) -> Result<T, WriteError> {
        let error = match tokio::time::timeout(CALL_LIMIT, call).await {
            Ok(Ok(written)) => return Ok(written),
            Ok(Err(error)) => error,
            Err(_) => {
                return Err(WriteError::Unknown(format!("no answer within {CALL_LIMIT:?}")));
            }
        };
        Err(match write_error(&error) {
            Some(error) => error,
            None => {
                let response: Option<&RawDocument> = error.server_response().map(AsRef::as_ref);
                if response.is_some_and(|answer| matches!(answer.get(CONCERN_ERROR), Ok(Some(_)))) {
                    return Err(unsettled());
                }
                self.duplicate(collection, response.and_then(duplicate::reported)).await
            }
        })
    }

    /// Fails if the server's answer to an insert reports that nothing was inserted, or that it
    /// may not last.
    async fn inserted(&self, collection: &str, answer: &Document) -> Result<(), WriteError> {
        let errors = answer.get_array("writeErrors").map_or(&[][..], Vec::as_slice);
        if let Some(error) = errors.first().and_then(Bson::as_document) {
            let message = error.get_str("errmsg").unwrap_or_default();
            let code = error.get_i32("code").unwrap_or_default();
            return Err(match reported_error(code, message) {
                Some(error) => error,
                None if answer.contains_key(CONCERN_ERROR) => unsettled(),
                None => self.duplicate(collection, duplicate::reported_in(error)).await,
            });
        }
        match answer.get_document(CONCERN_ERROR) {
            Ok(error) => Err(WriteError::Unknown(error.to_string())),
            Err(_) => Ok(()),
        }
    }

    /// The error of a write that the unique index on these fields refused.
    async fn duplicate(&self, collection: &str, fields: Option<Fields>) -> WriteError {
        let unnamed = "a unique index refused the write, and its name cannot be found";
        let Some(fields) = fields else { return WriteError::Unavailable(unnamed.to_owned()) };
        if let Some(index) = self.indexes.name(collection, &fields) {
            return WriteError::Duplicate { index };
        }
        // Ensured by another process.
        match read(self.unique_indexes(collection)).await {
            Ok(unique) => self.indexes.remember(collection, unique),
            Err(error) => return WriteError::Unavailable(format!("{unnamed}: {error}")),
        }
        match self.indexes.name(collection, &fields) {
            Some(index) => WriteError::Duplicate { index },
            None => WriteError::Unavailable(unnamed.to_owned()),
        }
    }

    /// The unique indexes of a collection on the server.
    async fn unique_indexes(
        &self,
        collection: &str,
    ) -> mongodb::error::Result<Vec<(Fields, String)>> {
        match self.collection(collection).list_indexes().await {
            Ok(found) => {
                let models: Vec<IndexModel> = found.try_collect().await?;
                Ok(models.iter().filter_map(duplicate::unique_model).collect())
            }
            Err(error) if is_missing_collection(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Rejects unique indexes on the fields of another one: a duplicate could not be named.
    async fn check_unique(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        if !indexes.iter().any(|index| index.unique) {
            return Ok(());
        }
        let existing =
            read(self.unique_indexes(collection)).await.map_err(|error| match error {
                ReadError::Unavailable(why) => WriteError::Unavailable(why),
                ReadError::Rejected(why) => WriteError::Rejected(why),
            })?;
        for (fields, name) in duplicate::unique(indexes) {
            if let Some((_, other)) =
                existing.iter().find(|(own, as_)| *own == fields && *as_ != name)
            {
                let why = format!("index {name}: {other} is a unique index on the same fields");
                return Err(WriteError::Rejected(why));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Mongo {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        limits::names(self.database.name(), collection)?;
        limits::indexes(indexes)?;
        if indexes.is_empty() {
            let create = async {
                match self.database.create_collection(collection).await {
                    Err(error) if is_existing_collection(&error) => Ok(()),
                    created => created,
                }
            };
            return self.write(collection, create).await;
        }
        self.check_unique(collection, indexes).await?;
        self.indexes.remember(collection, duplicate::unique(indexes));
        let models = indexes.iter().map(model);
        let created = async { self.collection(collection).create_indexes(models).await };
        self.write(collection, created).await.map(drop)
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        limits::names(self.database.name(), collection)?;
        limits::document(&document)?;
        if !matches!(document.get("_id"), Some(Bson::String(_))) {
            return Err(WriteError::Rejected("a document needs a string as its _id".to_owned()));
        }
        // As a plain command, because the driver drops the report of a violated index.
        let mut command = doc! { "insert": collection, "documents": [document] };
        if let Some(concern) = self.database.write_concern() {
            let concern = bson::serialize_to_bson(concern);
            let concern = concern.map_err(|why| WriteError::Rejected(why.to_string()))?;
            command.insert("writeConcern", concern);
        }
        let answer = async { self.database.run_command(command).await };
        let answer = self.write(collection, answer).await?;
        self.inserted(collection, &answer).await
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        limits::names(self.database.name(), collection)?;
        let found = async { self.collection(collection).find_one(doc! { "_id": id }).await };
        let found = read(found).await?;
        found.as_deref().map(decoded).transpose().map_err(ReadError::Unavailable)
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        limits::names(self.database.name(), collection)?;
        limits::find(&find)?;
        let collection = self.collection(collection);
        let found: Vec<RawDocumentBuf> = read(async {
            let found = collection.find(find.filter).sort(find.sort).limit(find.limit.into());
            found.await?.try_collect().await
        })
        .await?;
        let found = found.iter().map(|document| decoded(document));
        found.collect::<Result<_, _>>().map_err(ReadError::Unavailable)
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        limits::names(self.database.name(), collection)?;
        limits::update(&update)?;
        if update.upsert && !determines_id(&update) {
            return Err(WriteError::Rejected("an upsert must determine the _id".to_owned()));
        }
        let target = self.collection(collection);
        let updated = target.find_one_and_update(update.filter, update.change);
        let updated = updated.upsert(update.upsert).return_document(ReturnDocument::After);
        let updated = self.write(collection, async { updated.await }).await?;
        updated.as_deref().map(decoded).transpose().map_err(WriteError::Unknown)
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        limits::names(self.database.name(), collection)?;
        limits::update_many(ids, &change)?;
        let target = self.collection(collection);
        let updated = target.update_many(doc! { "_id": { "$in": ids } }, change);
        let updated = self.write(collection, async { updated.await }).await?;
        Ok(updated.matched_count)
    }

    async fn ping(&self) -> Result<(), ReadError> {
        read(async { self.database.run_command(doc! { "ping": 1 }).await }).await.map(drop)
    }
}

/// The error of a write that a unique index refused for a document which no majority has yet: the
/// next primary may lack it, and take the write.
fn unsettled() -> WriteError {
    WriteError::Unknown("the document that is in the way may not last".to_owned())
}

/// The document, or the reason for which the server's answer cannot be read.
fn decoded(document: &RawDocument) -> Result<Document, String> {
    Document::try_from(document).map_err(|why| why.to_string())
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
        .expire_after(index.expires.then_some(Duration::ZERO))
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
