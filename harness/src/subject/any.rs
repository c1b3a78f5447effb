//! The subject as the engine holds it: without its types, so that the engine is compiled once
//! and not with every subject.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use platform::catalogue::Entry;

use super::Subject;
pub use super::any_clients::AnyClients;
use super::erased::Erased;
pub use super::erased::{Sales, Scripts};
use super::flow::Flow;
use super::hold::Hold;
use super::names::{Names, Written};
use super::operation::AnyOperation;
use super::processes::Processes;
use super::rules::Rules;
use crate::bugs::PlantedBug;
use crate::catalog::openapi::Interface;
use crate::evidence::Facts;
use crate::history::History;
use crate::invariants::{self, Kind, Statement, Violation};
use crate::script::{RawScript, Script};
use crate::settings::{self, Setting, Settings};
use crate::story::fault::Sentences;
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::topology::Topology;
use crate::world::Reply;

/// A subject of any type. Clones share it.
#[derive(Clone)]
pub struct AnySubject(Arc<Inner>);

struct Inner {
    inner: Box<dyn Erased>,
    name: &'static str,
    workloads: Vec<Named>,
    scopes: Vec<Named>,
    planted_bugs: Vec<PlantedBug>,
    invariants: Vec<Statement>,
    events: Arc<[Entry]>,
    topology: Topology,
    settings: Vec<Setting>,
    sentences: OnceLock<Sentences>,
    rules: Mutex<Rules>,
    flow: Mutex<Flow>,
}

/// A workload or a scope by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// A sentence about it.
    pub about: &'static str,
}

impl AnySubject {
    /// This subject without its type.
    pub fn new<S: Subject>(subject: S) -> Self {
        let workloads = subject.workloads().into_iter();
        let scopes = subject.scopes().into_iter();
        let statements = subject.invariants().into_iter();
        let (system, _) = subject.open(&TimeScale::simulated());
        let instances = system.services.iter().map(|spec| settings::instances(spec.name));
        let settings = subject.settings().iter().cloned().chain(settings::POLICY).chain(instances);
        let settings = settings.collect();
        let events: Arc<[Entry]> = subject.events().into();
        let topology = Topology::of(&system);
        Self(Arc::new(Inner {
            name: subject.name(),
            workloads: workloads.map(|w| Named { name: w.name, about: w.about }).collect(),
            scopes: scopes.map(|s| Named { name: s.name, about: s.about }).collect(),
            planted_bugs: subject.planted_bugs(),
            invariants: statements
                .map(|i| Statement {
                    name: i.name,
                    statement: i.statement,
                    kind: i.kind,
                    needs: i.needs,
                })
                .chain(invariants::statements())
                .collect(),
            flow: Mutex::new(Flow::declared(&events, &topology)),
            events,
            topology,
            settings,
            sentences: OnceLock::new(),
            rules: Mutex::new(Rules::of(subject.rules())),
            inner: Box::new(subject),
        }))
    }

    /// The name of the system.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The workloads.
    pub fn workloads(&self) -> &[Named] {
        &self.0.workloads
    }

    /// The workload of this name.
    pub fn workload(&self, name: &str) -> Option<Named> {
        self.0.workloads.iter().copied().find(|workload| workload.name == name)
    }

    /// The scripts of the workload of this name.
    pub fn scripts(&self, workload: &str) -> Option<Scripts> {
        let at = self.0.workloads.iter().position(|known| known.name == workload)?;
        Some(self.0.inner.scripts(at))
    }

    /// The scripts of the race on real servers.
    pub fn race(&self) -> Option<Scripts> {
        self.0.inner.race()
    }

    /// The scripts of the world of processes.
    pub fn load(&self) -> Option<Scripts> {
        self.0.inner.load()
    }

    /// The sale of `load`: the things for sale, and the script.
    pub fn sale(&self) -> Option<(&'static str, Sales)> {
        self.0.inner.sale()
    }

    /// The program that runs the services as processes.
    pub fn processes(&self) -> Option<Processes> {
        self.0.inner.processes()
    }

    /// The milestone that this reply shows.
    pub fn milestone(&self, operation: &AnyOperation, reply: &Reply) -> Option<&'static str> {
        self.0.inner.milestone(operation, reply)
    }

    /// The figures of the outcome of a run.
    pub fn figures(
        &self,
        facts: &Facts,
        clients: &dyn AnyClients,
        history: &History,
    ) -> Vec<(&'static str, String)> {
        self.0.inner.figures(facts, clients, history)
    }

    /// The scopes.
    pub fn scopes(&self) -> &[Named] {
        &self.0.scopes
    }

    /// The script of the scope of this name, and how many of its rounds lead.
    pub fn scope(&self, name: &str) -> Option<(Script, usize)> {
        let at = self.0.scopes.iter().position(|known| known.name == name)?;
        Some(self.0.inner.scope(at))
    }

    /// The planted bugs.
    pub fn planted_bugs(&self) -> &[PlantedBug] {
        &self.0.planted_bugs
    }

    /// The planted bug of this name.
    pub fn planted_bug(&self, name: &str) -> Option<&PlantedBug> {
        self.0.planted_bugs.iter().find(|bug| bug.name == name)
    }

    /// All invariants: those of the subject first.
    pub fn invariants(&self) -> &[Statement] {
        &self.0.invariants
    }

    /// The statement of the invariant of this name.
    pub fn statement(&self, invariant: &str) -> String {
        self.invariant(invariant).map_or(invariant, |known| known.statement).to_owned()
    }

    /// The invariant of this name.
    pub fn invariant(&self, name: &str) -> Option<Statement> {
        self.0.invariants.iter().find(|known| known.name == name).copied()
    }

    /// Whether users feel a violation of the invariant of this name.
    pub fn is_harm(&self, invariant: &str) -> bool {
        self.invariant(invariant).is_some_and(|known| known.kind == Kind::Harm)
    }

    /// The place of an invariant among all: the smaller, the more severe for users.
    pub fn severity(&self, invariant: &str) -> (bool, usize) {
        let at = self.0.invariants.iter().position(|known| known.name == invariant);
        (!self.is_harm(invariant), at.unwrap_or(usize::MAX))
    }

    /// The declared events.
    pub fn events(&self) -> &[Entry] {
        &self.0.events
    }

    /// The services, with what they declare.
    pub fn topology(&self) -> &Topology {
        &self.0.topology
    }

    /// The routes that describe themselves, by service.
    pub fn interfaces(&self) -> Vec<Interface> {
        let (system, _) = self.open(&TimeScale::simulated(), &Settings::default());
        Topology::interfaces(&system)
    }

    /// The external service as stories call it, and the requests that services send to it.
    pub fn external(&self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        self.0.inner.external()
    }

    /// The sentences about faults.
    pub fn sentences(&self) -> &Sentences {
        self.0.sentences.get_or_init(|| Sentences::new(self.events(), self.external().0))
    }

    /// The deadlines of the system.
    pub fn deadlines(&self) -> &'static [Duration] {
        self.0.inner.deadlines()
    }

    /// The built-in feature files: name and text.
    pub fn features(&self) -> &'static [(&'static str, &'static str)] {
        self.0.inner.features()
    }

    /// The name of the n-th client.
    pub fn client_name(&self, number: usize) -> String {
        self.0.inner.client_name(number)
    }

    /// The name of the n-th thing of a kind.
    pub fn thing_name(&self, kind: &str, number: usize) -> String {
        self.0.inner.thing_name(kind, number)
    }

    /// The names of a run.
    pub fn names(&self, records: &[crate::trace::Record]) -> Names {
        Names::of(records, |written, names| self.0.inner.learn_names(written, names))
    }

    /// Learns the names in one more record.
    pub(crate) fn learn_names(&self, record: &crate::trace::Record, names: &mut Names) {
        names.learn(record, |written, names| self.0.inner.learn_names(written, names));
    }

    /// The hold that a written document stands for.
    pub(crate) fn hold(&self, written: &Written<'_>) -> Option<Hold> {
        self.0.inner.hold(written)
    }

    /// The page that people use, as routes.
    pub(crate) fn page(&self) -> Option<axum::Router> {
        self.0.inner.page()
    }

    /// The operation in these table cells.
    pub fn operation_from_cells(&self, cells: &[&str]) -> Option<AnyOperation> {
        self.0.inner.operation_from_cells(cells)
    }

    /// The script with its operations read.
    ///
    /// # Errors
    ///
    /// When an operation is not one of this subject.
    pub(crate) fn read_script(&self, script: RawScript) -> Result<Script, serde_json::Error> {
        script.try_map(|operation| self.0.inner.read_operation(operation))
    }

    /// A fresh system and its clients.
    pub(crate) fn open(
        &self,
        time: &TimeScale,
        settings: &Settings,
    ) -> (System, Box<dyn AnyClients>) {
        let (mut system, clients) = self.0.inner.open(time, settings);
        system.settings = settings.clone();
        system.events = Arc::clone(&self.0.events);
        (system, clients)
    }

    /// The settings: the subject's first.
    pub fn settings(&self) -> &[Setting] {
        &self.0.settings
    }

    /// The rules of the subject's model, with the number of judged runs that reached each.
    pub fn rules(&self) -> Rules {
        self.0.rules.lock().clone()
    }

    /// The edges between services and events, with the number of judged runs that used each.
    pub fn flow(&self) -> Flow {
        self.0.flow.lock().clone()
    }

    /// The violations that this evidence shows: harms first, of each kind the subject's first.
    pub fn judge(
        &self,
        facts: &Facts,
        clients: &dyn AnyClients,
        history: &History,
    ) -> Vec<Violation> {
        let (mut violations, reached) = self.0.inner.judge(facts, clients, history);
        self.0.rules.lock().add(reached);
        self.0.flow.lock().add(&facts.trace);
        let declared = invariants::Declared {
            events: &self.0.events,
            copies: self.0.inner.copies(),
            monotonic_fields: self.0.inner.monotonic_fields(),
        };
        violations.extend(invariants::violations(facts, &declared));
        violations.sort_by_key(|violation| self.severity(&violation.invariant));
        violations
    }
}

impl std::fmt::Debug for AnySubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnySubject").field("name", &self.0.name).finish_non_exhaustive()
    }
}
