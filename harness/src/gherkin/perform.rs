//! The operations of clients, as the steps of a subject carry them out.

use bytes::Bytes;
use http::Request;

use super::scenario_world::{ScenarioWorld, StepError};
use crate::script::Action;
use crate::subject::{AnyOperation, Operation};
use crate::world::Reply;

impl ScenarioWorld {
    /// Carries out operations at the same moment, and waits for all replies, which
    /// [`last`](Self::last) has. Clients that are new are prepared before.
    ///
    /// # Errors
    ///
    /// When an operation makes no sense now.
    pub async fn perform<O: Operation>(
        &mut self,
        operations: impl IntoIterator<Item = O>,
    ) -> Result<(), StepError> {
        let actions =
            operations.into_iter().map(|operation| Action::Do(AnyOperation::new(operation)));
        self.act(&actions.collect::<Vec<_>>()).await
    }

    /// The clients of the subject, as their own type.
    ///
    /// # Panics
    ///
    /// When they are of another type.
    pub fn clients_as<C: 'static>(&self) -> &C {
        self.session_ref().clients().expect("the clients are those of this subject")
    }

    /// Sends a GET that is no operation of a client, and returns the reply.
    ///
    /// # Panics
    ///
    /// When the path is not one of a URI.
    pub async fn get(&mut self, path: &str) -> Reply {
        let request = Request::get(path).body(Bytes::new()).expect("the path is one of a URI");
        let mut replies = self.world().send(vec![request]).await;
        replies.pop().expect("a request has a reply")
    }
}
