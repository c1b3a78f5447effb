//! Random cases: sequences of calls that conflict.

use bson::{Document, doc};
use ports::store::{Find, Index, Update};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::documents::{change, fields, filter, id, large, sort};
use super::operation::Operation;

/// The most calls of a case.
const CALLS: usize = 20;

/// The calls of all cases.
pub(super) type Calls = BoxedStrategy<Vec<Operation>>;

/// A random case, which can be made smaller.
pub(super) struct Case {
    number: u32,
    operations: Vec<Operation>,
    pub(super) tree: Box<dyn ValueTree<Value = Vec<Operation>>>,
}

impl Case {
    /// The case of this number in the run of this seed.
    pub(super) fn random(calls: &Calls, seed: u64, number: u32) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&number.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let tree = calls.new_tree(&mut runner).expect("no strategy filters its values");
        Self { number, operations: tree.current(), tree }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

/// The strategy that draws cases.
pub(super) fn calls() -> Calls {
    let operation = prop_oneof![
        64 => (id(), fields()).prop_map(|(id, fields)| {
            let mut document = doc! { "_id": id };
            document.extend(fields);
            Operation::Insert(document)
        }),
        128 => update(true).prop_map(Operation::Update),
        16 => update(false).prop_map(Operation::Update),
        96 => find().prop_map(Operation::Find),
        16 => id().prop_map(|id| Operation::Get(id.to_owned())),
        16 => indexes().prop_map(Operation::Ensure),
        24 => race(),
        1 => (id(), large()).prop_map(|(id, large)| {
            Operation::Insert(doc! { "_id": id, "large": large })
        }),
        1 => (id(), large(), select(vec!["$set", "$push"])).prop_map(|(id, large, operator)| {
            let change = doc! { operator: { "large": large } };
            Operation::Update(Update { filter: doc! { "_id": id }, change, upsert: true })
        }),
    ];
    let calls = (indexes(), vec(operation, 1..CALLS)).prop_map(|(indexes, mut operations)| {
        operations.insert(0, Operation::Ensure(indexes));
        operations
    });
    calls.boxed()
}

/// An update, of a document by its id or of any.
fn update(by_id: bool) -> impl Strategy<Value = Update> {
    (id(), filter(), change(), any::<bool>()).prop_map(move |(id, rest, change, upsert)| {
        let mut filter = if by_id {
            doc! { "_id": id }
        } else {
            Document::new()
        };
        filter.extend(rest);
        Update { filter, change, upsert }
    })
}

fn find() -> impl Strategy<Value = Find> {
    prop_oneof![
        // The id breaks ties, so that the order is unique.
        3 => (filter(), sort(), 0_u32..4)
            .prop_map(|(filter, sort, limit)| Find { filter, sort, limit }),
        1 => filter().prop_map(|filter| Find { filter, ..Find::default() }),
    ]
}

/// A find while a writer moves documents in the indexes.
fn race() -> impl Strategy<Value = Operation> {
    let write = prop_oneof![
        2 => (id(), select(vec!["a", "b", "c"]), -2..5_i32)
            .prop_map(|(id, field, n)| Update {
                filter: doc! { "_id": id },
                change: doc! { "$set": { field: n } },
                upsert: false,
            }),
        1 => update(true),
    ];
    let find = prop_oneof![
        2 => (select(vec!["a", "b", "c"]), -2..3_i32, sort())
            .prop_map(|(field, n, sort)| Find {
                filter: doc! { field: { "$gte": n } },
                sort,
                limit: 0,
            }),
        1 => (filter(), sort()).prop_map(|(filter, sort)| Find { filter, sort, limit: 0 }),
    ];
    (find, vec(write, 1..4), 0..3_usize, 0..3_usize).prop_map(|(find, updates, before, more)| {
        Operation::Race { find, updates, before, between: before + more }
    })
}

fn indexes() -> impl Strategy<Value = Vec<Index>> {
    let index = |name, keys, unique, partial| Index { name, keys, unique, partial, expires: false };
    let all = vec![
        index("a", &["a"], true, None),
        index("lock", &["b"], true, Some(doc! { "c": true })),
        index("there", &["a", "b"], true, Some(doc! { "a": { "$exists": true } })),
        index("equal", &["c", "a"], true, Some(doc! { "b": { "$eq": 1 } })),
        index("below", &["b.x"], true, None),
        index("pair", &["b.x", "b.y"], true, None),
        index("with id", &["_id", "a"], true, None),
        index("plain", &["a", "c"], false, None),
        index("some", &["c"], false, Some(doc! { "a": 1, "b": { "$exists": true } })),
        index("dup key: { a: 1 }", &["c", "b"], true, None),
    ];
    // Each of these contradicts another one, or is refused on its own.
    let contradictions = vec![
        index("a", &["b"], true, None),
        index("a", &["a"], false, None),
        index("again", &["a"], true, None),
        index("twin", &["b"], true, Some(doc! { "c": false })),
        index("plain", &["a", "c"], false, Some(doc! { "a": 1 })),
        index("", &["a"], false, None),
        index("*", &["a"], false, None),
        index("empty", &["a..b"], false, None),
        index("none", &[], false, None),
        index("less", &["a"], false, Some(doc! { "a": { "$exists": false } })),
        index("not", &["a"], false, Some(doc! { "a": { "$ne": 1 } })),
    ];
    prop_oneof![
        6 => subsequence(all.clone(), 0..3),
        1 => (subsequence(all, 0..2), select(contradictions)).prop_map(|(mut all, one)| {
            all.push(one);
            all
        }),
    ]
}
