//! The limit: the insert that decides, made by the driver alone, with neither a port around it nor
//! a read before it.

use adapters::mongo::Mongo;
use async_trait::async_trait;
use bson::{Document, doc};
use locks::{Claim, Lock, LockError, Outcome};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::IndexOptions;
use mongodb::{Collection, Database, IndexModel};
use ports::store::{ReadError, WriteError};

/// The name in the table.
pub(crate) const NAME: &str = "bare insert";

/// The code of a refusal by a unique index.
const DUPLICATE_KEY: i32 = 11_000;

pub(crate) struct Bare {
    database: Database,
    holds: Collection<Document>,
}

impl Bare {
    pub(crate) async fn open(url: &str, database: &str) -> anyhow::Result<Self> {
        let database = Mongo::client(url).await?.database(database);
        let holds = database.collection("holds");
        let options = IndexOptions::builder()
            .unique(true)
            .partial_filter_expression(doc! { "holding": true })
            .build();
        let one_holder = IndexModel::builder().keys(doc! { "ticket": 1 }).options(options).build();
        holds.create_index(one_holder).await?;
        Ok(Self { database, holds })
    }

    pub(crate) async fn drop_database(&self) -> anyhow::Result<()> {
        Ok(self.database.drop().await?)
    }
}

fn is_duplicate(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(e)) if e.code == DUPLICATE_KEY)
}

#[async_trait]
impl Lock for Bare {
    async fn list(&self, _ticket: &str, _price: i64) -> Result<(), LockError> {
        Ok(())
    }

    async fn hold(&self, claim: &Claim) -> Result<Outcome, LockError> {
        let hold = doc! {
            "_id": &claim.hold,
            "ticket": &claim.ticket,
            "buyer": &claim.buyer,
            "price": 2000_i64,
            "holding": true,
            "event": &claim.event,
        };
        match self.holds.insert_one(hold).await {
            Ok(_) => Ok(Outcome::Held { price: 2000 }),
            Err(error) if is_duplicate(&error) => Ok(Outcome::Taken),
            Err(error) => Err(WriteError::Unknown(error.to_string()).into()),
        }
    }

    async fn release(&self, _ticket: &str, hold: &str) -> Result<(), LockError> {
        let change = doc! { "$set": { "holding": false } };
        let updated = self.holds.update_one(doc! { "_id": hold }, change).await;
        updated.map_err(|error| ReadError::Unavailable(error.to_string()))?;
        Ok(())
    }
}
