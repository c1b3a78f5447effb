//! Each call on the store is one command on the server, so a count of calls is a count of
//! commands. The server itself is asked: its profiler records each command on a database.

use adapters::mongo::Mongo;
use bson::{Document, doc};
use futures::TryStreamExt;
use libtest_mimic::Failed;
use mongodb::{Client, Database};
use ports::store::{Find, Index, Store, Update};

use crate::worlds::unique;

const THINGS: &str = "things";

/// Fails unless each call is the one command that belongs to it.
pub(super) async fn each_call_is_one(client: &Client) -> Result<(), Failed> {
    let name = unique("commands");
    let store = Mongo::with_client(client, &name);
    let one = Index { name: "one", keys: &["x"], unique: true, partial: None, expires: false };
    store.ensure(THINGS, &[one]).await?;
    let database = client.database(&name);
    database.run_command(doc! { "profile": 2 }).await?;
    let called = calls(&store).await;
    database.run_command(doc! { "profile": 0 }).await?;
    let recorded = recorded(&database).await?;
    store.drop_database().await?;
    called?;
    let expected = [
        "insert",
        "insert", // refused by the primary key
        "insert", // refused by another index, whose name is known
        "find",
        "find",
        "findAndModify",
        "findAndModify", // an upsert
        "findAndModify", // an upsert that the primary key refuses
        "update",
    ];
    if recorded == expected { Ok(()) } else { Err(format!("the commands are {recorded:?}").into()) }
}

async fn calls(store: &Mongo) -> Result<(), Failed> {
    let thing = |id: &str, x: i32| doc! { "_id": id, "x": x, "outbox": [{ "id": id }] };
    store.insert(THINGS, thing("a", 1)).await?;
    drop(store.insert(THINGS, thing("a", 2)).await);
    drop(store.insert(THINGS, thing("b", 1)).await);
    store.get(THINGS, "a").await?;
    let filter = doc! { "outbox.id": { "$gt": "" } };
    store.find(THINGS, Find { filter, limit: 100, ..Find::default() }).await?;
    let update = |filter, x: i32, upsert| {
        store.update(THINGS, Update { filter, change: doc! { "$set": { "x": x } }, upsert })
    };
    update(doc! { "_id": "a", "x": 1 }, 3, false).await?;
    update(doc! { "_id": "c" }, 4, true).await?;
    drop(update(doc! { "_id": "c", "x": 5 }, 5, true).await);
    let ids = ["a", "c"].map(str::to_owned);
    store.update_many(THINGS, &ids, doc! { "$pull": { "outbox": { "id": "a" } } }).await?;
    Ok(())
}

/// The names of the commands on the collection, in order.
async fn recorded(database: &Database) -> Result<Vec<String>, Failed> {
    let namespace = format!("{}.{THINGS}", database.name());
    let profile = database.collection::<Document>("system.profile");
    let found = profile.find(doc! { "ns": namespace }).sort(doc! { "$natural": 1 });
    let found: Vec<Document> = found.await?.try_collect().await?;
    let name = |entry: &Document| {
        let command = entry.get_document("command").ok();
        let name = command.and_then(|command| command.keys().next().cloned());
        match entry.get_str("op") {
            // The profiler shows the one statement of an update, without the command around it.
            Ok("update") => "update".to_owned(),
            _ => name.unwrap_or_default(),
        }
    };
    Ok(found.iter().map(name).collect())
}
