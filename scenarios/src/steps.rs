//! The Gherkin steps of ticketing. The harness adds the steps about time, faults and services.

mod accounts;
mod answers;
mod clients;
mod money;
mod orders;
mod provider;
mod races;
mod replies;
mod tickets;

use contracts::Cents;
use harness::gherkin::{Done, ScenarioWorld, StepError};
use harness::script::Action;
use harness::world::Reply;
use http::Method;
use serde_json::Value;

use crate::clients::Clients;
use crate::operation::Operation;
use crate::person::Person;
use crate::provider::Provider;
use replies::Replied;

/// The state that the steps share: clients, operations and their replies.
trait Ticketing {
    fn clients(&self) -> &Clients;
    fn clients_mut(&mut self) -> &mut Clients;
    /// Sends operations concurrently, after signing up the clients that are new.
    async fn operate(&mut self, operations: Vec<Operation>) -> Done;
    /// Sends an operation, waits for quiescence, and fails unless the operation succeeded.
    async fn done(&mut self, operation: Operation) -> Done;
    /// Signs up those of these clients that are new. `Visitor` never has an account.
    async fn meet(&mut self, names: &[String]) -> Done;
    /// Sends a GET request, without replacing the replies of the last step.
    async fn look(&mut self, who: &str, path: &str) -> Reply;
    /// The replies of the last step that sent operations.
    fn replied(&self) -> Vec<Replied<'_>>;
    fn person(&self, name: &str) -> Person {
        self.clients().person(name)
    }
    /// The id of the ticket with this title.
    fn ticket(&self, title: &str) -> Result<String, StepError> {
        let id = self.clients().ticket(title).map(str::to_owned);
        id.ok_or_else(|| StepError::new(format!("no listed ticket has the title {title:?}")))
    }
    /// The id of the newest order of this buyer for this ticket.
    fn order(&self, buyer: &str, title: &str) -> Result<String, StepError> {
        let id = self.clients().order(buyer, title).map(str::to_owned);
        id.ok_or_else(|| StepError::new(format!("{buyer} has no order for {title:?}")))
    }
    /// Remembers an order whose buyer was shown this price.
    fn remember_order(&mut self, buyer: &str, title: &str, id: &str, price: Option<Cents>) {
        self.clients_mut().remember_order(buyer, title, id, price);
    }
    fn provider(&self) -> Provider {
        self.clients().provider.clone()
    }
}

impl Ticketing for ScenarioWorld {
    fn clients(&self) -> &Clients {
        self.session_ref().clients().expect("the subject is ticketing")
    }

    fn clients_mut(&mut self) -> &mut Clients {
        self.session().clients_mut().expect("the subject is ticketing")
    }

    async fn operate(&mut self, operations: Vec<Operation>) -> Done {
        let is_new = |operation: &&Operation| !matches!(operation, Operation::SignUp { .. });
        let who = operations.iter().filter(is_new).map(|operation| operation.who().to_owned());
        self.meet(&who.collect::<Vec<_>>()).await?;
        let operations = operations.into_iter().map(harness::subject::AnyOperation::new);
        self.act(&operations.map(Action::Do).collect::<Vec<_>>()).await
    }

    async fn done(&mut self, operation: Operation) -> Done {
        self.operate(vec![operation]).await?;
        self.replied().iter().try_for_each(Replied::success)?;
        self.quiesce().await
    }

    async fn meet(&mut self, names: &[String]) -> Done {
        Ok(self.session().prepare_new(names).await?)
    }

    async fn look(&mut self, who: &str, path: &str) -> Reply {
        let request = self.person(who).request(Method::GET, path, &Value::Null);
        let mut replies = self.world().send(vec![request]).await;
        replies.pop().expect("a request has a reply")
    }

    fn replied(&self) -> Vec<Replied<'_>> {
        let calls = self.last().iter();
        let replied = calls.filter_map(|call| {
            let operation: &Operation = call.operation()?.downcast()?;
            Some(Replied { operation, reply: call.reply()? })
        });
        replied.collect()
    }
}
