//! The nearest passing neighbor of a failing run: the same case with one fault or one decision
//! otherwise, under which the invariant holds.
//!
//! Of the neighbors that pass, it is the one that parts latest from the failing run, because two
//! runs that part late differ in little else. First a fault or a decision is taken back; where no
//! such neighbor passes, one decision between two calls that depend on each other is made
//! otherwise, and last a few schedules are tried that have nothing in common with it.

use std::sync::Arc;

use parking_lot::Mutex;
use sim::call::{Call, Operation, Port};
use sim::scheduler::{Decision, Replay, Scheduler, SchedulingPoint};

use super::explore::SchedulerChoice;
use crate::case::{Case, FaultPlan, Schedule};
use crate::faults::FaultRule;
use crate::run::{self, Options, Run};
use crate::session::RunError;
use crate::subject::AnySubject;
use crate::trace::{RecordKind, Trace};

/// The most neighbors that run: a shrink takes hundreds to thousands.
const RUNS: usize = 64;

/// The total number of decisions after which the search stops, for runs that never reach
/// quiescence.
const DECISIONS: usize = 100_000;

/// The number of other schedules that are tried where no order of two calls makes a difference.
const SCHEDULES: u64 = 12;

/// The number of calls, after the one that has waited longest, that may run in its place.
const REACH: usize = 4;

/// The result of a search among the neighbors of a failing run.
#[derive(Debug)]
pub struct Nearest {
    /// The neighbor; `None` where all that were tried fail.
    pub passing: Option<Neighbor>,
    /// The number of neighbors that ran.
    pub tried: usize,
}

/// A neighbor under which the invariant holds.
#[derive(Debug)]
pub struct Neighbor {
    /// Its run, watched.
    pub run: Run,
    /// The difference.
    pub otherwise: Otherwise,
    /// The index of the first record of the failing run that may differ.
    pub parting: usize,
}

/// The difference between a case and its neighbor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Otherwise {
    /// This fault is not injected.
    WithoutFault(FaultRule),
    /// The decision of this number is made as in FIFO, or otherwise.
    Decision(u32),
    /// The decision of this number, which was FIFO's, is made otherwise.
    AnotherOrder(u32),
    /// The whole schedule is another one.
    AnotherSchedule,
}

/// Finds the nearest passing neighbor of a watched run that violates this invariant; `on_run` is
/// called after each run.
///
/// # Errors
///
/// When the harness fails.
pub fn nearest(
    subject: &AnySubject,
    run: &Run,
    invariant: &str,
    mut on_run: impl FnMut(),
) -> Result<Nearest, RunError> {
    let mut search = Search { subject, invariant, on_run: &mut on_run, tried: 0, decisions: 0 };
    let mut found = search.first(taken_back(run))?;
    if found.is_none() {
        found = search.first(swapped(subject, run)?)?;
    }
    if found.is_none() && run.injected().is_empty() {
        found = search.first(rescheduled(run))?;
    }
    let passing = found.map(|Candidate { case, otherwise, parting }| {
        let run = run::run_watched(subject, &case)?;
        let first = run.reorderings().next().map(|first| first.mark);
        let parting = parting.or(first).unwrap_or_default();
        Ok::<_, RunError>(Neighbor { run, otherwise, parting })
    });
    Ok(Nearest { passing: passing.transpose()?, tried: search.tried })
}

struct Candidate {
    case: Case,
    otherwise: Otherwise,
    /// The index of the first record that may differ, where it is known before the run.
    parting: Option<usize>,
}

struct Search<'a> {
    subject: &'a AnySubject,
    invariant: &'a str,
    on_run: &'a mut dyn FnMut(),
    tried: usize,
    decisions: usize,
}

impl Search<'_> {
    /// The candidate that parts latest of those that violate nothing, or else of those that do not
    /// violate the invariant.
    fn first(&mut self, mut candidates: Vec<Candidate>) -> Result<Option<Candidate>, RunError> {
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.parting));
        let mut second_best = None;
        for candidate in candidates {
            if self.tried >= RUNS || self.decisions >= DECISIONS {
                break;
            }
            let run = run::judge(self.subject, &candidate.case)?;
            self.tried += 1;
            self.decisions += run.decisions;
            (self.on_run)();
            if !run.is_finding() {
                return Ok(Some(candidate));
            }
            if second_best.is_none() && !run.violates(self.invariant) {
                second_best = Some(candidate);
            }
        }
        Ok(second_best)
    }
}

/// The neighbors with one fault less, and with one deviation from FIFO less or another one.
fn taken_back(run: &Run) -> Vec<Candidate> {
    let case = &run.exact;
    let rules = run.injected();
    let faults = run.trace.iter().enumerate();
    let faults = faults.filter(|(_, record)| matches!(record.kind, RecordKind::Fault { .. }));
    let without = faults.zip(rules).enumerate().map(|(nth, ((at, _), rule))| {
        let mut rules = rules.to_vec();
        rules.remove(nth);
        Candidate {
            case: Case { faults: FaultPlan::Exact(rules), ..case.clone() },
            otherwise: Otherwise::WithoutFault(rule.clone()),
            parting: Some(at),
        }
    });
    let mut candidates: Vec<Candidate> = without.collect();
    let Schedule::Exact(deviations) = &case.schedule else { return candidates };
    for (nth, (number, decision)) in deviations.iter().enumerate() {
        let watched = run.reorderings().find(|watched| watched.number == *number);
        let Some(parting) = watched.map(|watched| watched.mark) else { continue };
        let others = match decision {
            Decision::Run(position) => [Decision::FIFO, Decision::Run(position + 1)].to_vec(),
            _ => vec![Decision::FIFO],
        };
        for other in others {
            let mut deviations = deviations.clone();
            deviations[nth].1 = other;
            deviations.retain(|(_, decision)| *decision != Decision::FIFO);
            candidates.push(Candidate {
                case: Case { schedule: Schedule::Exact(deviations), ..case.clone() },
                otherwise: Otherwise::Decision(*number),
                parting: Some(parting),
            });
        }
    }
    candidates
}

/// The neighbors in which one decision of FIFO is made otherwise, where the call that runs depends
/// on the one that waited.
fn swapped(subject: &AnySubject, run: &Run) -> Result<Vec<Candidate>, RunError> {
    let Schedule::Exact(deviations) = &run.exact.schedule else { return Ok(Vec::new()) };
    let trace = Trace::lean();
    let (contested, length) = (Arc::new(Mutex::new(Vec::new())), trace.clone());
    let scheduler = || -> Box<dyn Scheduler> {
        Box::new(Surveying {
            replay: Replay::new(deviations.iter().copied()),
            contested: Arc::clone(&contested),
            trace: length.clone(),
            number: 0,
        })
    };
    let options = Options { trace, scheduler: Some(&scheduler), ..Options::default() };
    drop(run::run_with(subject, &run.exact, options)?);
    let contested = std::mem::take(&mut *contested.lock());
    let swapped = contested.into_iter().map(|Contested { number, position, mark }| {
        let mut deviations = deviations.clone();
        deviations.push((number, Decision::run(position)));
        deviations.sort_by_key(|(number, _)| *number);
        Candidate {
            case: Case { schedule: Schedule::Exact(deviations), ..run.exact.clone() },
            otherwise: Otherwise::AnotherOrder(number),
            parting: Some(mark),
        }
    });
    Ok(swapped.collect())
}

/// The same case in other schedules: a failure that needs no order is one in all of them.
fn rescheduled(run: &Run) -> Vec<Candidate> {
    let other = |number| Candidate {
        case: Case { schedule: SchedulerChoice::Mixed.schedule(number), ..run.exact.clone() },
        otherwise: Otherwise::AnotherSchedule,
        parting: None,
    };
    (0..SCHEDULES).map(other).collect()
}

/// A decision of FIFO that could be made otherwise.
struct Contested {
    number: u32,
    /// The position of the call that may run instead.
    position: usize,
    /// The number of records at that decision.
    mark: usize,
}

/// Repeats a run, and notes where two dependent calls are pending.
struct Surveying {
    replay: Replay,
    contested: Arc<Mutex<Vec<Contested>>>,
    trace: Trace,
    number: u32,
}

impl Scheduler for Surveying {
    fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision {
        let decision = self.replay.decide(point);
        if let (Decision::FIFO, [first, others @ ..]) = (decision, point.pending) {
            let mark = self.trace.len();
            let others = (1..).zip(others).take(REACH);
            let contested = others.filter(|(_, other)| depend(first, other));
            let number = self.number;
            let contested = contested.map(|(position, _)| Contested { number, position, mark });
            self.contested.lock().extend(contested);
        }
        self.number += 1;
        decision
    }
}

/// Whether the order of two calls of different causal chains may matter: both use one collection
/// and one of them writes, or one of them brings work to the instance of the other.
fn depend(one: &Call, other: &Call) -> bool {
    let writes = |call: &Call| matches!(call.operation, Operation::Insert | Operation::Update);
    let place = |call: &Call| -> Vec<String> {
        call.target.split('/').take(2).map(str::to_owned).collect()
    };
    let brings = |call: &Call| matches!(call.operation, Operation::Request | Operation::Next);
    let at_store = one.port == Port::Store && other.port == Port::Store;
    one.causal_chain != other.causal_chain
        && if at_store {
            (writes(one) || writes(other)) && place(one) == place(other)
        } else {
            one.instance == other.instance && (brings(one) || brings(other))
        }
}
