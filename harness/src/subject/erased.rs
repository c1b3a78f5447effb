//! A subject without its types: what [`AnySubject`](super::AnySubject) calls.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::any_clients::AnyClients;
use super::evidence::Evidence;
use super::hold::Hold;
use super::names::{Names, Written};
use super::operation::{AnyOperation, Operation};
use super::processes::Processes;
use super::{Subject, workload};
use crate::evidence::Facts;
use crate::history::History;
use crate::invariants::{Copy, Violation};
use crate::script::Script;
use crate::settings::Settings;
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::world::Reply;

/// The scripts of one workload, by seed.
pub type Scripts = Box<dyn Fn(u64) -> Script>;

/// The script of a sale with these many buyers and things.
pub type Sales = Box<dyn Fn(usize, usize) -> Script>;

/// The violations of a run, and the rules that it reached.
pub(super) type Judged = (Vec<Violation>, BTreeSet<&'static str>);

pub(super) trait Erased: Send + Sync {
    fn scripts(&self, workload: usize) -> Scripts;
    fn race(&self) -> Option<Scripts>;
    fn load(&self) -> Option<Scripts>;
    fn sale(&self) -> Option<(&'static str, Sales)>;
    fn scope(&self, at: usize) -> (Script, usize);
    fn external(&self) -> (&'static str, &'static [(&'static str, &'static str)]);
    fn deadlines(&self) -> &'static [Duration];
    fn features(&self) -> &'static [(&'static str, &'static str)];
    fn client_name(&self, number: usize) -> String;
    fn thing_name(&self, kind: &str, number: usize) -> String;
    fn learn_names(&self, written: &Written<'_>, names: &mut Names) -> Option<String>;
    fn hold(&self, written: &Written<'_>) -> Option<Hold>;
    fn operation_from_cells(&self, cells: &[&str]) -> Option<AnyOperation>;
    fn read_operation(&self, operation: Value) -> Result<AnyOperation, serde_json::Error>;
    fn open(&self, time: &TimeScale, settings: &Settings) -> (System, Box<dyn AnyClients>);
    fn copies(&self) -> &'static [Copy];
    fn monotonic_fields(&self) -> &'static [&'static str];
    fn judge(&self, facts: &Facts, clients: &dyn AnyClients, history: &History) -> Judged;
    fn processes(&self) -> Option<Processes>;
    fn page(&self) -> Option<axum::Router>;
    fn milestone(&self, operation: &AnyOperation, reply: &Reply) -> Option<&'static str>;
    fn figures(
        &self,
        facts: &Facts,
        clients: &dyn AnyClients,
        history: &History,
    ) -> Vec<(&'static str, String)>;
}

impl<S: Subject> Erased for S {
    fn scripts(&self, workload: usize) -> Scripts {
        draws::<S>(&self.workloads()[workload])
    }

    fn race(&self) -> Option<Scripts> {
        Subject::race(self).as_ref().map(draws::<S>)
    }

    fn load(&self) -> Option<Scripts> {
        Subject::load(self).as_ref().map(draws::<S>)
    }

    fn sale(&self) -> Option<(&'static str, Sales)> {
        let sale = Subject::sale(self)?;
        Some((sale.things, Box::new(move |buyers, things| (sale.script)(buyers, things).erased())))
    }

    fn scope(&self, at: usize) -> (Script, usize) {
        let scope = &self.scopes()[at];
        ((scope.script)().erased(), scope.lead)
    }

    fn external(&self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        Subject::external(self)
    }

    fn deadlines(&self) -> &'static [Duration] {
        Subject::deadlines(self)
    }

    fn features(&self) -> &'static [(&'static str, &'static str)] {
        Subject::features(self)
    }

    fn client_name(&self, number: usize) -> String {
        Subject::client_name(self, number)
    }

    fn thing_name(&self, kind: &str, number: usize) -> String {
        Subject::thing_name(self, kind, number)
    }

    fn learn_names(&self, written: &Written<'_>, names: &mut Names) -> Option<String> {
        Subject::learn_names(self, written, names)
    }

    fn hold(&self, written: &Written<'_>) -> Option<Hold> {
        Subject::hold(self, written)
    }

    fn operation_from_cells(&self, cells: &[&str]) -> Option<AnyOperation> {
        S::Operation::from_cells(cells).map(AnyOperation::new)
    }

    fn read_operation(&self, operation: Value) -> Result<AnyOperation, serde_json::Error> {
        serde_json::from_value::<S::Operation>(operation).map(AnyOperation::new)
    }

    fn open(&self, time: &TimeScale, settings: &Settings) -> (System, Box<dyn AnyClients>) {
        let (system, clients) = Subject::open_with(self, time, settings);
        (system, Box::new(clients))
    }

    fn copies(&self) -> &'static [Copy] {
        Subject::copies(self)
    }

    fn monotonic_fields(&self) -> &'static [&'static str] {
        Subject::monotonic_fields(self)
    }

    fn judge(&self, facts: &Facts, clients: &dyn AnyClients, history: &History) -> Judged {
        let clients = clients.any().downcast_ref().expect("the clients are this subject's");
        let evidence = Evidence::<S>::new(facts, clients, history);
        let invariants = self.invariants();
        let checked = invariants.iter().filter(|invariant| facts.can_show(invariant.needs));
        let violations = checked.flat_map(|invariant| {
            let broken = (invariant.check)(&evidence).into_iter();
            broken.map(|how| Violation { invariant: invariant.name.to_owned(), how })
        });
        (violations.collect(), evidence.reached())
    }

    fn processes(&self) -> Option<Processes> {
        Subject::processes(self)
    }

    fn page(&self) -> Option<axum::Router> {
        Subject::page(self)
    }

    fn milestone(&self, operation: &AnyOperation, reply: &Reply) -> Option<&'static str> {
        Subject::milestone(self, operation.downcast()?, reply)
    }

    fn figures(
        &self,
        facts: &Facts,
        clients: &dyn AnyClients,
        history: &History,
    ) -> Vec<(&'static str, String)> {
        let clients = clients.any().downcast_ref().expect("the clients are this subject's");
        Subject::figures(self, &Evidence::<S>::new(facts, clients, history))
    }
}

fn draws<S: Subject>(workload: &workload::Workload<S::Operation>) -> Scripts {
    let strategy = (workload.scripts)();
    Box::new(move |seed| workload::draw(&strategy, seed).erased())
}
