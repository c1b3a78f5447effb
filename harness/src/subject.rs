//! The subject: a system under rehearsal with its declarations for the harness.
//!
//! Implement [`Subject`] for your system, hand it to [`crate::cli::main`], and every command,
//! both worlds, all faults, shrinking, stories and reports work on it. `docs/guide.md` in the
//! repository builds one line by line.
//!
//! Next: [`operation`] (what a client does), [`clients`] (requests and replies), [`workload`]
//! (what is generated), [`any`] (the subject as the engine holds it).

pub mod any;
mod any_clients;
pub mod clients;
mod erased;
pub mod evidence;
pub mod flow;
mod hold;
pub mod names;
pub mod operation;
pub mod processes;
pub mod rules;
pub mod workload;

use std::time::Duration;

use platform::catalogue::Entry;

use crate::bugs::PlantedBug;
use crate::invariants::Copy;
use crate::settings::{Setting, Settings};
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::world::Reply;

pub use any::AnySubject;
pub use clients::{Clients, Unprepared};
pub use evidence::{Evidence, Invariant, Invocation};
pub use flow::Flow;
pub use hold::Hold;
pub use names::{Name, Names, Written};
pub use operation::{AnyOperation, Operation, Reference};
pub use processes::{CommandLine, Launch, Processes};
pub use rules::Rules;
pub use workload::{Sale, Scope, Workload};

/// A system under rehearsal.
///
/// The first four methods are required. Each of the others adds something: events make
/// payloads and coverage checkable, copies make replication checkable, planted bugs show that
/// the rehearsal finds bugs.
pub trait Subject: Send + Sync + Sized + 'static {
    /// An operation of a client, as plain data.
    type Operation: Operation;
    /// The clients of one run, with the external services of that run.
    type Clients: Clients<Operation = Self::Operation>;

    /// The name of the system, as in "Rehearsing the library".
    fn name(&self) -> &'static str;

    /// A fresh system with fresh external services, and its clients. Durations of the system
    /// go through `time`, because minutes are scaled down on real servers.
    fn open(&self, time: &TimeScale) -> (System, Self::Clients);

    /// The settings that vary from run to run. Those of the delivery policy and the numbers of
    /// instances are added for every system.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    /// As [`Self::open`], with the settings of one run. A subject that declares settings
    /// implements it; the delivery policy of `time` has its settings already.
    fn open_with(&self, time: &TimeScale, _settings: &Settings) -> (System, Self::Clients) {
        self.open(time)
    }

    /// The workloads. The first one is raced on real servers too, so it should not depend on
    /// time.
    fn workloads(&self) -> Vec<Workload<Self::Operation>>;

    /// The invariants of this system, the most severe for users first. Those of
    /// [`crate::invariants`] are checked as well.
    fn invariants(&self) -> Vec<Invariant<Self>>;

    /// The events that services publish: types, subjects, schemas, publishers and consumers.
    fn events(&self) -> Vec<Entry> {
        Vec::new()
    }

    /// The rules of a model of this system, in words. Invariants note the rules that a run reaches
    /// with [`Evidence::reach`], and reports list those that no run has reached.
    fn rules(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The collections that copy documents of other services.
    fn copies(&self) -> &'static [Copy] {
        &[]
    }

    /// The integer fields of documents that never decrease.
    fn monotonic_fields(&self) -> &'static [&'static str] {
        &["version"]
    }

    /// The deadlines of the system, such as how long a hold lasts; shrinking prefers pauses
    /// of this length.
    fn deadlines(&self) -> &'static [Duration] {
        &[]
    }

    /// The external service as stories call it, and the requests that services send to it:
    /// service and path.
    fn external(&self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        ("the external service", &[])
    }

    /// Deliberate bugs, to measure whether the search finds them.
    fn planted_bugs(&self) -> Vec<PlantedBug> {
        Vec::new()
    }

    /// Small scripts whose schedules are explored exhaustively.
    fn scopes(&self) -> Vec<Scope<Self::Operation>> {
        Vec::new()
    }

    /// The feature files that are built in: name and text.
    fn features(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The name of the n-th client, from 0, in shrunk scripts.
    fn client_name(&self, number: usize) -> String {
        names::client(number)
    }

    /// The name of the n-th thing of a kind, from 0, in shrunk scripts.
    fn thing_name(&self, kind: &str, number: usize) -> String {
        format!("{kind} {}", number + 1)
    }

    /// Learns readable names for the ids in a written document, for stories; returns the name of
    /// the client that the document belongs to, where it belongs to one.
    fn learn_names(&self, _written: &Written<'_>, _names: &mut Names) -> Option<String> {
        None
    }

    /// The hold that a written document stands for; `None` where it is none, or has ended. Diagrams
    /// show each as a bar, from the write that takes it to the one that releases it.
    fn hold(&self, _written: &Written<'_>) -> Option<Hold> {
        None
    }

    /// The workload for races on real servers, where pauses take real time; the first one by
    /// default.
    fn race(&self) -> Option<Workload<Self::Operation>> {
        self.workloads().into_iter().next()
    }

    /// The workload of the world of processes, where many groups of clients play it at once and
    /// nothing waits for quiescence; the race by default.
    fn load(&self) -> Option<Workload<Self::Operation>> {
        self.race()
    }

    /// The sale of `load`; `None` by default: then there is no `load`.
    fn sale(&self) -> Option<Sale<Self::Operation>> {
        None
    }

    /// The program that runs the services as processes of their own; `None` by default: then
    /// there is no `run --world processes`.
    fn processes(&self) -> Option<Processes> {
        None
    }

    /// The page that people use, as routes without a fallback: `up` serves it beside the API of the
    /// services. `None` by default: then `up` serves the API and the console.
    fn page(&self) -> Option<axum::Router> {
        None
    }

    /// The event in a client's life that this reply shows and that a report counts, such as
    /// `purchase`; `None` for most replies.
    fn milestone(&self, _operation: &Self::Operation, _reply: &Reply) -> Option<&'static str> {
        None
    }

    /// Figures of the outcome of a run that a report shows, label and value: what the accounts
    /// add up to, for instance.
    fn figures(&self, _evidence: &Evidence<'_, Self>) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}
