//! Reduction loses no outcome: every outcome of a random small program that the search without
//! reduction reaches, the search with reduction reaches too.

mod program;
mod world;

use std::collections::BTreeSet;

use super::Search;
use super::independence::Coupling;
use program::{Answer, Op, Program, Theme};
use world::{Outcome, run};

/// A program with more schedules than this is skipped.
const SCHEDULES: u64 = 600;

/// The outcomes of all runs of the search, and the number of runs that reached their end;
/// `None` where there are too many.
fn outcomes(
    program: &Program,
    instances: u32,
    search: &Search,
) -> Option<(BTreeSet<Outcome>, u64)> {
    let mut reached = BTreeSet::new();
    loop {
        let (kernel, outcome) = run(program, instances, search.scheduler());
        if search.end(&kernel.take_accesses()) {
            reached.insert(outcome);
        }
        if !search.go_back() {
            return Some((reached, search.counts().visited));
        }
        if search.counts().visited > SCHEDULES {
            return None;
        }
    }
}

/// A program of these tasks on empty collections.
fn program(tasks: Vec<Vec<Op>>) -> Program {
    Program {
        tasks,
        documents: Vec::new(),
        relays: false,
        ensured: true,
        backlog: 0,
        max_in_flight: 2,
    }
}

/// The outcomes with reduction, and the number of runs.
fn reduced(program: &Program) -> (BTreeSet<Outcome>, u64) {
    outcomes(program, 1, &Search::new(Coupling::Free)).expect("a small program")
}

#[test]
fn tasks_that_share_nothing_take_one_run() {
    let insert = |collection, id| Op::Insert { collection, id, seat: id };
    let program =
        program(vec![vec![insert(0, 1), Op::Get { collection: 0, id: 1 }], vec![insert(1, 1)]]);
    let (reached, visited) = reduced(&program);
    assert_eq!((reached.len(), visited), (1, 1));
    let every = outcomes(&program, 1, &Search::without_reduction()).expect("a small program");
    assert_eq!(every.1, 3);
}

#[test]
fn two_finds_before_two_inserts_are_explored() {
    let task = |id| vec![Op::FindThenInsert { collection: 1, id, seat: 0 }];
    let program = program(vec![task(1), task(2)]);
    let (reached, _) = reduced(&program);
    assert!(reached.iter().any(|outcome| outcome.documents[1].len() == 2), "{reached:#?}");
    let coupled = outcomes(&program, 1, &Search::new(Coupling::All)).expect("a small program");
    assert_eq!(coupled.0, reached);
}

/// The number of outcomes and runs where two tasks publish and the others take.
fn publishing(takers: Vec<Vec<Op>>) -> (usize, u64) {
    let publish = |subject| vec![Op::Publish { subject, id: subject }];
    let mut tasks = vec![publish(0), publish(1)];
    tasks.extend(takers);
    let (reached, runs) = reduced(&program(tasks));
    (reached.len(), runs)
}

#[test]
fn messages_of_one_consumer_arrive_in_both_orders() {
    let take = Op::Take { consumer: 1, answer: Answer::Ack };
    assert_eq!(publishing(vec![vec![take, take]]), (2, 2));
}

#[test]
fn the_order_of_messages_without_a_common_consumer_is_not_explored() {
    let take = Op::Take { consumer: 0, answer: Answer::Ack };
    assert_eq!(publishing(vec![vec![take]]), (1, 1));
}
