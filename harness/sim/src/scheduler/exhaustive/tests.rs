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
const SCHEDULES: u64 = 150;

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

/// Compares the searches with and without reduction; returns the number of runs of each, unless
/// the program has too many.
fn compare(program: &Program, instances: u32, coupling: Coupling) -> Option<(u64, u64)> {
    let (every, all) = outcomes(program, instances, &Search::without_reduction())?;
    let reduced = outcomes(program, instances, &Search::new(coupling));
    let (reached, explored) = reduced.expect("reduction does not add schedules");
    let lost: Vec<&Outcome> = every.difference(&reached).collect();
    assert!(lost.is_empty(), "{program:#?} loses {lost:#?} of {every:#?}");
    assert!(reached.is_subset(&every), "{program:#?} reaches {reached:#?}");
    assert!(explored <= all, "{program:#?}: {explored} runs instead of {all}");
    Some((all, explored))
}

/// Compares the searches over the random programs of these many seeds.
fn compare_random(theme: Theme, instances: u32, coupling: Coupling, seeds: u64) {
    let programs = (0..seeds).map(|seed| Program::random(theme, seed));
    let counts = programs.filter_map(|program| compare(&program, instances, coupling));
    let (all, explored) = counts.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    assert!(explored * 4 < all * 3, "{explored} of {all} schedules: little is reduced");
}

#[test]
fn reduction_loses_no_outcome_on_the_store() {
    compare_random(Theme::Store, 4, Coupling::Free, 1500);
}

#[test]
fn reduction_loses_no_outcome_of_conditional_writes() {
    compare_random(Theme::Conditional, 5, Coupling::Free, 800);
}

#[test]
fn reduction_loses_no_outcome_of_calls_of_every_kind() {
    compare_random(Theme::Mixed, 4, Coupling::Free, 800);
}

#[test]
fn reduction_loses_no_outcome_of_two_or_three_calls() {
    compare_random(Theme::Few, 3, Coupling::Free, 16_000);
}

#[test]
fn reduction_loses_no_outcome_on_the_bus() {
    compare_random(Theme::Bus, 1, Coupling::Free, 1200);
}

#[test]
fn reduction_loses_no_outcome_with_a_background_task() {
    compare_random(Theme::Relay, 1, Coupling::Free, 250);
}

#[test]
fn reduction_loses_no_outcome_with_the_background_tasks_of_two_instances() {
    compare_random(Theme::Relay, 2, Coupling::Looks, 150);
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
fn a_refused_insert_still_depends_on_a_search() {
    let insert = |id, seat| vec![Op::Insert { collection: 0, id, seat }];
    let tasks = vec![
        insert(1, 0),
        insert(1, 1),
        vec![Op::Get { collection: 0, id: 0 }],
        insert(1, 1),
        vec![Op::Find { collection: 0, seat: 0, first: false }],
    ];
    assert!(compare(&program(tasks), 5, Coupling::Free).is_some());
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

#[test]
fn updates_of_different_documents_take_one_run() {
    let update = |id| vec![Op::Count { collection: 0, id }];
    let mut program = program(vec![update(0), update(1)]);
    program.documents = vec![(0, 0, 0), (0, 1, 1)];
    assert_eq!(compare(&program, 2, Coupling::Free), Some((2, 1)));
}

#[test]
fn messages_of_one_stream_are_published_in_both_orders() {
    let take = Op::Take { consumer: 1, answer: Answer::Ack };
    let publish = |subject| vec![Op::Publish { subject, id: subject }];
    let (reached, runs) = reduced(&program(vec![publish(0), publish(1), vec![take, take]]));
    assert_eq!((reached.len(), runs), (2, 2));
}
