//! Random small programs: concurrent tasks of calls on the store and the bus.
//!
//! Ids, seats and subjects have few values, so that calls conflict.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One action of a task. Its reply is recorded; only [`Op::FindThenInsert`] acts on it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    /// Inserts a document.
    Insert { collection: usize, id: u8, seat: u8 },
    /// Moves a document to a seat.
    Move { collection: usize, id: u8, seat: u8 },
    /// Moves a document to a seat, provided that it has this one.
    MoveFrom { collection: usize, id: u8, from: u8, to: u8 },
    /// Moves any document that has this seat.
    MoveAny { collection: usize, from: u8, to: u8 },
    /// Increments a counter of a document.
    Count { collection: usize, id: u8 },
    /// Takes a document out of the partial index.
    Release { collection: usize, id: u8 },
    /// Moves a document to a seat, or inserts it there.
    Upsert { collection: usize, id: u8, seat: u8 },
    /// Inserts a document with this seat, or counts it up provided that it has this seat.
    UpsertAt { collection: usize, id: u8, seat: u8 },
    /// Reads a document.
    Get { collection: usize, id: u8 },
    /// Reads the documents with this seat, or the first of them.
    Find { collection: usize, seat: u8, first: bool },
    /// Reads the documents with this count.
    FindCount { collection: usize, count: u8 },
    /// Reads the documents with this seat or a higher one, through an index: a search of several
    /// steps, which a document may pass.
    FindFrom { collection: usize, seat: u8 },
    /// Counts up any document that has this seat, or inserts one.
    UpsertAny { collection: usize, id: u8, seat: u8 },
    /// Reads all documents.
    List { collection: usize },
    /// Inserts a document, provided that no other has the seat.
    FindThenInsert { collection: usize, id: u8, seat: u8 },
    /// Creates a unique index.
    Ensure { collection: usize },
    /// Creates the streams.
    EnsureStreams,
    /// Publishes a message.
    Publish { subject: u8, id: u8 },
    /// Takes a message from a consumer and answers it.
    Take { consumer: u8, answer: Answer },
    /// Opens one more subscription to a consumer, takes its backlog, and drops it.
    Subscribe { consumer: u8 },
}

/// The reply to a delivery.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    Ack,
    Nak,
    /// None, so that the ack wait elapses.
    Nothing,
}

/// Tasks that run concurrently.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) tasks: Vec<Vec<Op>>,
    /// The documents that exist from the start: collection, id, seat.
    pub(super) documents: Vec<(usize, u8, u8)>,
    /// Whether a background task relays the writes of each instance.
    pub(super) relays: bool,
    /// Whether the streams exist from the start.
    pub(super) ensured: bool,
    /// The messages that are published before the tasks begin.
    pub(super) backlog: u8,
    /// The bound in flight of the consumers.
    pub(super) max_in_flight: u32,
}

/// The theme of a program: calls conflict only within it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Theme {
    Store,
    /// Many tasks of one call on the store each, most of which can be refused or not match.
    Conditional,
    /// Many tasks of one call on the store each, of every kind, on the same few documents.
    Mixed,
    /// As mixed, two or three tasks: so few schedules that very many programs can be compared.
    Few,
    Relay,
    Bus,
}

impl Program {
    /// The program of this seed.
    pub(super) fn random(theme: Theme, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (op, most): (fn(&mut ChaCha8Rng) -> Op, usize) = match theme {
            Theme::Store => (store_op, 5),
            Theme::Conditional => (conditional_op, 5),
            Theme::Mixed => (mixed_op, 4),
            Theme::Few => (mixed_op, 3),
            Theme::Relay => (relayed_op, 3),
            Theme::Bus => (bus_op, 5),
        };
        let ops = rng.random_range(2..=most);
        let tasks = match theme {
            Theme::Conditional | Theme::Mixed | Theme::Few => ops,
            _ => rng.random_range(2..=ops.min(4)),
        };
        let mut tasks = vec![Vec::new(); tasks];
        for at in 0..ops {
            // Every task has an operation.
            let task = if at < tasks.len() { at } else { rng.random_range(0..tasks.len()) };
            tasks[task].push(op(&mut rng));
        }
        let documents = (0..rng.random_range(0..=2)).map(|id| (rng.random_range(0..2), id, id));
        let documents = documents.collect();
        let uses_bus = matches!(theme, Theme::Bus);
        Self {
            tasks,
            documents,
            relays: matches!(theme, Theme::Relay),
            ensured: uses_bus && rng.random_ratio(4, 5),
            backlog: if uses_bus { rng.random_range(0..=2) } else { 0 },
            max_in_flight: rng.random_range(1..=2),
        }
    }
}

fn store_op(rng: &mut ChaCha8Rng) -> Op {
    let collection = usize::from(rng.random_ratio(1, 4));
    let (id, seat, other) =
        (rng.random_range(0..3), rng.random_range(0..3), rng.random_range(0..3));
    match rng.random_range(0..16) {
        0..=2 => Op::Insert { collection, id, seat },
        3 => Op::Move { collection, id, seat },
        4 | 5 => Op::MoveFrom { collection, id, from: other, to: seat },
        6 => Op::MoveAny { collection, from: other, to: seat },
        7 => Op::Count { collection, id },
        8 => Op::Release { collection, id },
        9 => Op::Upsert { collection, id, seat },
        10 => Op::UpsertAt { collection, id, seat },
        11 => Op::Get { collection, id },
        12 => Op::Find { collection, seat, first: other == 0 },
        13 => Op::FindCount { collection, count: other },
        14 if id == 0 => Op::Ensure { collection },
        14 => Op::List { collection },
        _ => Op::FindThenInsert { collection, id, seat },
    }
}

fn conditional_op(rng: &mut ChaCha8Rng) -> Op {
    let (id, seat, other) =
        (rng.random_range(0..2), rng.random_range(0..2), rng.random_range(0..2));
    let collection = 0;
    match rng.random_range(0..10) {
        0..=3 => Op::Insert { collection, id, seat },
        4 => Op::MoveFrom { collection, id, from: other, to: seat },
        5 => Op::Release { collection, id },
        6 => Op::UpsertAt { collection, id, seat },
        7 => Op::Get { collection, id },
        8 => Op::Find { collection, seat, first: false },
        _ => Op::List { collection },
    }
}

fn mixed_op(rng: &mut ChaCha8Rng) -> Op {
    let (id, seat, other) =
        (rng.random_range(0..2), rng.random_range(0..2), rng.random_range(0..2));
    let collection = 0;
    match rng.random_range(0..15) {
        0 | 1 => Op::Insert { collection, id, seat },
        2 => Op::Move { collection, id, seat },
        3 | 4 => Op::MoveFrom { collection, id, from: other, to: seat },
        5 => Op::MoveAny { collection, from: other, to: seat },
        6 => Op::Count { collection, id },
        7 => Op::Release { collection, id },
        8 => Op::Upsert { collection, id, seat },
        9 => Op::UpsertAt { collection, id, seat },
        10 => Op::UpsertAny { collection, id, seat },
        11 => Op::Get { collection, id },
        12 => Op::Find { collection, seat, first: other == 0 },
        13 => Op::FindFrom { collection, seat },
        _ if id == 0 => Op::Ensure { collection: usize::from(seat) },
        _ => Op::List { collection },
    }
}

fn relayed_op(rng: &mut ChaCha8Rng) -> Op {
    let (id, seat, other) =
        (rng.random_range(0..2), rng.random_range(0..2), rng.random_range(0..2));
    match rng.random_range(0..5) {
        0 | 1 => Op::Insert { collection: 0, id, seat },
        2 => Op::MoveFrom { collection: 0, id, from: other, to: seat },
        3 => Op::Move { collection: 0, id, seat },
        _ => Op::Count { collection: 0, id },
    }
}

fn bus_op(rng: &mut ChaCha8Rng) -> Op {
    let (subject, id, consumer) =
        (rng.random_range(0..2), rng.random_range(0..3), rng.random_range(0..3));
    let answer = match rng.random_range(0..4) {
        0 | 1 => Answer::Ack,
        2 => Answer::Nak,
        _ => Answer::Nothing,
    };
    match rng.random_range(0..12) {
        0..=4 => Op::Publish { subject, id },
        5..=9 => Op::Take { consumer, answer },
        10 => Op::EnsureStreams,
        _ => Op::Subscribe { consumer },
    }
}
