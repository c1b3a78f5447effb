//! Random operations on both stores at once: where their replies differ, the simulation is
//! wrong.
//!
//! Ids, paths and values are few, so that the operations conflict; the values have all types.

use std::sync::Arc;

use adapters::mongo::Mongo;
use bson::{Bson, DateTime, Document, doc};
use conformance::store::Exact;
use libtest_mimic::Failed;
use ports::Timestamp;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sim::kernel::{Kernel, drive};
use sim::scheduler::Fifo;
use sim::store::{SimDatabase, SimStore};
use tokio::runtime::Runtime;

use crate::worlds::unique;

/// The number of sequences, unless `PROPTEST_CASES` is set.
const SEQUENCES: u32 = 200;

#[derive(Debug, Clone)]
enum Operation {
    Insert(Document),
    Get(&'static str),
    Find(Find),
    Update(Update),
    Ensure(Vec<Index>),
}

/// A reply, without the text of an error.
#[derive(Debug, PartialEq)]
enum Reply {
    Documents(Vec<Exact>),
    Duplicate(String),
    Rejected,
    /// The store failed: the comparison is void.
    Failed(String),
}

/// Runs random sequences on both stores, each in a collection of its own.
pub(super) fn random_operations(runtime: &Runtime, client: &mongodb::Client) -> Result<(), Failed> {
    let real = Mongo::with_client(client, &unique("differential"));
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = SEQUENCES;
    }
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&operations(), |operations| {
        let collection = unique("sequence");
        let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Fifo));
        let simulated = Arc::new(SimStore::new(kernel.clone(), 1, "d", SimDatabase::new()));
        for (at, operation) in operations.iter().enumerate() {
            let expected = runtime.block_on(perform(&real, &collection, operation.clone()));
            let (store, place, next) =
                (Arc::clone(&simulated), collection.clone(), operation.clone());
            let actual = drive(&kernel, async move { perform(&*store, &place, next).await });
            prop_assert_eq!(actual, expected, "operation {}", at);
        }
        Ok(())
    });
    runtime.block_on(real.drop_database())?;
    Ok(outcome?)
}

async fn perform(store: &dyn Store, collection: &str, operation: Operation) -> Reply {
    match operation {
        Operation::Insert(document) => {
            written(store.insert(collection, document).await.map(|()| None))
        }
        Operation::Get(id) => read(store.get(collection, id).await),
        Operation::Find(find) => read(store.find(collection, find).await),
        Operation::Update(update) => written(store.update(collection, update).await),
        Operation::Ensure(indexes) => {
            written(store.ensure(collection, &indexes).await.map(|()| None))
        }
    }
}

fn written(result: Result<Option<Document>, WriteError>) -> Reply {
    match result {
        Ok(document) => Reply::Documents(document.into_iter().map(Exact).collect()),
        Err(WriteError::Duplicate { index }) => Reply::Duplicate(index),
        Err(WriteError::Rejected(_)) => Reply::Rejected,
        Err(other) => Reply::Failed(other.to_string()),
    }
}

fn read(result: Result<impl IntoIterator<Item = Document>, ReadError>) -> Reply {
    match result {
        Ok(documents) => Reply::Documents(documents.into_iter().map(Exact).collect()),
        Err(ReadError::Rejected(_)) => Reply::Rejected,
        Err(other) => Reply::Failed(other.to_string()),
    }
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        4 => (id(), fields()).prop_map(|(id, fields)| {
            let mut document = doc! { "_id": id };
            document.extend(fields);
            Operation::Insert(document)
        }),
        8 => (id(), filter(), change(), any::<bool>()).prop_map(|(id, rest, change, upsert)| {
            let mut filter = doc! { "_id": id };
            filter.extend(rest);
            Operation::Update(Update { filter, change, upsert })
        }),
        6 => (filter(), sort(), 0_u32..4).prop_map(|(filter, sort, limit)| {
            Operation::Find(Find { filter, sort, limit })
        }),
        1 => id().prop_map(Operation::Get),
        1 => indexes().prop_map(Operation::Ensure),
    ];
    (indexes(), vec(operation, 1..25)).prop_map(|(indexes, mut operations)| {
        operations.insert(0, Operation::Ensure(indexes));
        operations
    })
}

fn id() -> impl Strategy<Value = &'static str> {
    select(vec!["1", "2", "3", "4", "5"])
}

fn field() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c"])
}

fn path() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c", "a.x", "b.x", "c.y", "b.0", "b.1.x", "a.x.y", "c.2", "b.0.0"])
}

fn scalar() -> impl Strategy<Value = Bson> {
    select(vec![
        Bson::Null,
        Bson::Int32(0),
        Bson::Int32(1),
        Bson::Int64(1),
        Bson::Int64(2),
        Bson::Double(1.0),
        Bson::Double(1.5),
        Bson::Double(-0.0),
        Bson::Double(f64::NAN),
        Bson::String(String::new()),
        Bson::String("a".to_owned()),
        Bson::String("b".to_owned()),
        Bson::Boolean(true),
        Bson::Boolean(false),
        Bson::DateTime(DateTime::from_millis(1)),
    ])
}

fn value() -> impl Strategy<Value = Bson> {
    let name = || select(vec!["x", "y"]);
    scalar().prop_recursive(2, 8, 3, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Bson::Array),
            vec((name(), inner), 0..3).prop_map(|fields| {
                Bson::Document(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
            }),
        ]
    })
}

fn fields() -> impl Strategy<Value = Document> {
    vec((field(), value()), 0..4)
        .prop_map(|fields| fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
}

fn operators() -> impl Strategy<Value = Document> {
    let comparison = select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let one = prop_oneof![
        4 => (comparison, value()).prop_map(|(name, value)| doc! { name: value }),
        2 => (select(vec!["$in", "$nin"]), vec(value(), 0..3))
            .prop_map(|(name, values)| doc! { name: values }),
        1 => any::<bool>().prop_map(|there| doc! { "$exists": there }),
    ];
    let more =
        one.prop_recursive(1, 2, 1, |inner| inner.prop_map(|operators| doc! { "$not": operators }));
    vec(more, 1..3).prop_map(|all| all.into_iter().flatten().collect())
}

fn condition() -> impl Strategy<Value = Document> {
    let operand = prop_oneof![value(), operators().prop_map(Bson::Document)];
    (path(), operand).prop_map(|(path, operand)| doc! { path: operand })
}

fn filter() -> impl Strategy<Value = Document> {
    let branches = (select(vec!["$and", "$or", "$nor"]), vec(condition(), 0..3));
    let part = prop_oneof![
        5 => condition(),
        1 => branches.prop_map(|(name, branches)| doc! { name: branches }),
    ];
    vec(part, 0..3).prop_map(|parts| parts.into_iter().flatten().collect())
}

fn change() -> impl Strategy<Value = Document> {
    let pulled = prop_oneof![
        value(),
        operators().prop_map(Bson::Document),
        (select(vec!["x", "y"]), operators()).prop_map(|(n, v)| doc! { n: v }.into()),
    ];
    let step = prop_oneof![
        4 => (path(), value()).prop_map(|(path, v)| doc! { "$set": { path: v } }),
        1 => (path(), value()).prop_map(|(path, v)| doc! { "$setOnInsert": { path: v } }),
        1 => path().prop_map(|path| doc! { "$unset": { path: "" } }),
        2 => (path(), scalar()).prop_map(|(path, v)| doc! { "$inc": { path: v } }),
        1 => (path(), value()).prop_map(|(path, v)| doc! { "$push": { path: v } }),
        1 => (path(), vec(value(), 0..3))
            .prop_map(|(path, v)| doc! { "$push": { path: { "$each": v } } }),
        2 => (path(), pulled).prop_map(|(path, v)| doc! { "$pull": { path: v } }),
    ];
    vec(step, 1..4).prop_map(|steps| {
        let mut change = Document::new();
        for (operator, operand) in steps.into_iter().flatten() {
            match (change.get_mut(&operator), operand) {
                (Some(Bson::Document(already)), Bson::Document(more)) => already.extend(more),
                (_, operand) => drop(change.insert(operator, operand)),
            }
        }
        change
    })
}

/// The id breaks ties, so that the order is unique.
fn sort() -> impl Strategy<Value = Document> {
    let direction = || select(vec![1, -1]);
    let path = select(vec!["a", "b", "c", "a.x", "b.x", "c.y", "a.x.y"]);
    (option::of((path, direction())), direction()).prop_map(|(first, last)| {
        let mut sort = Document::new();
        if let Some((path, direction)) = first {
            sort.insert(path, direction);
        }
        sort.insert("_id", last);
        sort
    })
}

fn indexes() -> impl Strategy<Value = Vec<Index>> {
    let holding = Some(doc! { "c": true });
    let there = Some(doc! { "a": { "$exists": true } });
    let all = vec![
        Index { name: "a", keys: &["a"], unique: true, partial: None },
        Index { name: "lock", keys: &["b"], unique: true, partial: holding },
        Index { name: "there", keys: &["a", "b"], unique: true, partial: there },
        Index { name: "below", keys: &["b.x"], unique: true, partial: None },
        Index { name: "pair", keys: &["b.x", "b.y"], unique: true, partial: None },
        Index { name: "plain", keys: &["a", "c"], unique: false, partial: None },
    ];
    subsequence(all, 0..3)
}
