//! The evidence of a run as the invariants of a subject see it: with the types of the subject.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Deref;

use ports::Timestamp;
use serde_json::Value;

use super::{Clients, Subject};
use crate::evidence::{Facts, Needs};
use crate::history::{Call, History};
use crate::invariants::Kind;
use crate::world::Reply;

/// An invariant of a subject.
pub struct Invariant<S: Subject> {
    /// Its name in reports.
    pub name: &'static str,
    /// The condition that must hold, as a sentence.
    pub statement: &'static str,
    /// Whether users feel a violation.
    pub kind: Kind,
    /// The violations that the evidence shows, a sentence each; none where it holds.
    pub check: fn(&Evidence<'_, S>) -> Vec<String>,
    /// The evidence that it reads.
    pub needs: Needs,
}

impl<S: Subject> Invariant<S> {
    /// An invariant whose violation users feel, such as lost money or a wrong reply. It reads no
    /// trace.
    pub const fn harm(
        name: &'static str,
        statement: &'static str,
        check: fn(&Evidence<'_, S>) -> Vec<String>,
    ) -> Self {
        Self { name, statement, kind: Kind::Harm, check, needs: Needs::Outcome }
    }

    /// An invariant by which the system avoids harm, such as the order of a write and an
    /// acknowledgement. It reads no trace.
    pub const fn mechanism(
        name: &'static str,
        statement: &'static str,
        check: fn(&Evidence<'_, S>) -> Vec<String>,
    ) -> Self {
        Self { name, statement, kind: Kind::Mechanism, check, needs: Needs::Outcome }
    }

    /// The same for an invariant that reads the trace: it is left out where services run as
    /// processes, which leave none.
    #[must_use]
    pub const fn of_trace(self) -> Self {
        Self { needs: Needs::Trace, ..self }
    }

    /// The same for an invariant that reads the trace for a part of its statement. Without a
    /// trace ([`Facts::without_trace`]) it must check the other part.
    #[must_use]
    pub const fn in_part_of_trace(self) -> Self {
        Self { needs: Needs::TraceInPart, ..self }
    }
}

/// The evidence of one run, as the invariants of a subject see it. It dereferences to its
/// [`Facts`].
pub struct Evidence<'a, S: Subject> {
    /// The facts of the run.
    pub facts: &'a Facts,
    /// The clients, with all that they know, and the external services.
    pub clients: &'a S::Clients,
    history: &'a History,
    reached: RefCell<BTreeSet<&'static str>>,
}

impl<'a, S: Subject> Evidence<'a, S> {
    /// The evidence of these facts, clients and history.
    pub fn new(facts: &'a Facts, clients: &'a S::Clients, history: &'a History) -> Self {
        Self { facts, clients, history, reached: RefCell::default() }
    }

    /// Notes that this run reached a rule, which is one of [`Subject::rules`].
    pub fn reach(&self, rule: &'static str) {
        self.reached.borrow_mut().insert(rule);
    }

    /// The rules that this run reached, as far as they are noted.
    pub fn reached(&self) -> BTreeSet<&'static str> {
        self.reached.borrow().clone()
    }

    /// The same evidence for another subject with these operations and clients: for a subject
    /// that differs only in its system.
    pub fn of<T>(&self) -> Evidence<'a, T>
    where
        T: Subject<Operation = S::Operation, Clients = S::Clients>,
    {
        Evidence::new(self.facts, self.clients, self.history)
    }

    /// The operations that clients invoked, in order.
    pub fn history(&self) -> impl Iterator<Item = Invocation<'a, S>> + use<'a, S> {
        self.history.calls().iter().filter_map(|call| {
            Some(Invocation {
                operation: call.operation()?.downcast()?,
                context: call.context()?,
                call,
            })
        })
    }
}

impl<S: Subject> Deref for Evidence<'_, S> {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.facts
    }
}

/// An operation that a client invoked, and the reply.
pub struct Invocation<'a, S: Subject> {
    /// The operation.
    pub operation: &'a S::Operation,
    /// The facts that were known when it was invoked.
    pub context: &'a <S::Clients as Clients>::Context,
    call: &'a Call,
}

impl<S: Subject> Clone for Invocation<'_, S> {
    fn clone(&self) -> Self {
        Self { operation: self.operation, context: self.context, call: self.call }
    }
}

impl<'a, S: Subject> Invocation<'a, S> {
    /// The time and the number of records when it was invoked.
    pub fn invoked(&self) -> (Timestamp, usize) {
        self.call.invoked()
    }

    /// The time and the number of records when all operations of its round had returned.
    pub fn returned(&self) -> (Timestamp, usize) {
        self.call.returned()
    }

    /// The status of the reply; `None` where there was no reply.
    pub fn status(&self) -> Option<u16> {
        self.call.reply().and_then(Reply::status)
    }

    /// The body of the reply; null where there is none.
    pub fn body(&self) -> &'a Value {
        self.call.body()
    }

    /// Whether the two are the same invocation.
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.call, other.call)
    }
}
