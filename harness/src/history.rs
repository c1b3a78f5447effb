//! The history of a run: which client invoked which operation when, and what it was replied.
//! The one record of it, for invariants, linearizability and stories.

use std::any::Any;
use std::cell::OnceCell;

use ports::Timestamp;
use serde_json::Value;

use crate::script::Action;
use crate::subject::AnyOperation;
use crate::world::Reply;

/// All actions of a run, in the order in which they began.
#[derive(Debug, Default)]
pub struct History {
    calls: Vec<Call>,
}

/// One action of a client, or of the operator.
#[derive(Debug)]
pub struct Call {
    action: Action,
    context: Option<Box<dyn Any>>,
    round: usize,
    mark: usize,
    invoked: (Timestamp, usize),
    returned: (Timestamp, usize),
    reply: Option<Reply>,
    body: OnceCell<Value>,
}

impl History {
    /// The actions.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Adds an action that begins now; returns its position.
    pub(crate) fn begin(
        &mut self,
        action: Action,
        context: Option<Box<dyn Any>>,
        round: usize,
        mark: usize,
    ) -> usize {
        let moment = (Timestamp::UNIX_EPOCH, mark);
        self.calls.push(Call {
            action,
            context,
            round,
            mark,
            invoked: moment,
            returned: moment,
            reply: None,
            body: OnceCell::new(),
        });
        self.calls.len() - 1
    }

    pub(crate) fn invoke(&mut self, at: usize, moment: (Timestamp, usize)) {
        let call = &mut self.calls[at];
        (call.invoked, call.returned) = (moment, moment);
    }

    pub(crate) fn complete(&mut self, at: usize, moment: (Timestamp, usize), reply: Reply) {
        let call = &mut self.calls[at];
        (call.returned, call.reply) = (moment, Some(reply));
    }

    /// Changes an operation's reply and its moments: for tests of invariants, which need a
    /// history with one lie in it.
    pub fn amend(&mut self, at: usize, amend: impl FnOnce(&mut Amendable<'_>)) {
        let call = &mut self.calls[at];
        call.body = OnceCell::new();
        let mut amendable = Amendable {
            invoked: &mut call.invoked,
            returned: &mut call.returned,
            reply: &mut call.reply,
            context: call.context.as_deref_mut(),
        };
        amend(&mut amendable);
    }
}

/// The parts of a call that a test may change.
pub struct Amendable<'a> {
    /// When it was invoked: time and number of records.
    pub invoked: &'a mut (Timestamp, usize),
    /// When it returned: time and number of records.
    pub returned: &'a mut (Timestamp, usize),
    /// The reply.
    pub reply: &'a mut Option<Reply>,
    context: Option<&'a mut dyn Any>,
}

impl Amendable<'_> {
    /// The context, where it is of this type.
    pub fn context<T: 'static>(&mut self) -> Option<&mut T> {
        self.context.as_deref_mut()?.downcast_mut()
    }
}

impl Call {
    /// The action.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// The operation; `None` for an action on a service.
    pub fn operation(&self) -> Option<&AnyOperation> {
        self.action.operation()
    }

    /// The facts that were known when it was invoked, where they are of this type.
    pub fn context<T: 'static>(&self) -> Option<&T> {
        self.context.as_deref()?.downcast_ref()
    }

    /// The round that it belongs to, from 0.
    pub fn round(&self) -> usize {
        self.round
    }

    /// The number of records before it.
    pub fn mark(&self) -> usize {
        self.mark
    }

    /// The time and the number of records when it was invoked.
    pub fn invoked(&self) -> (Timestamp, usize) {
        self.invoked
    }

    /// The time and the number of records when all operations of its round had returned.
    pub fn returned(&self) -> (Timestamp, usize) {
        self.returned
    }

    /// The reply; `None` for an action on a service.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// The body of the reply as JSON; null where there is none.
    pub fn body(&self) -> &Value {
        self.body.get_or_init(|| self.reply.as_ref().map(Reply::json).unwrap_or_default())
    }
}
