//! The Gherkin steps about tickets: what each line of a feature does or asserts. The harness
//! brings those about time, faults and services.

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
use harness::gherkin::{ScenarioWorld, StepError};
use harness::script::Action;
use harness::world::Reply;
use http::Method;
use serde_json::Value;

use crate::clients::Clients;
use crate::operation::Operation;
use crate::person::Person;
use crate::provider::Provider;
use replies::Replied;

/// The outcome of a step.
type Done = Result<(), StepError>;

/// What the steps of ticketing do in a scenario.
trait Ticketing {
    /// The clients.
    fn clients(&self) -> &Clients;
    /// The clients, to change.
    fn clients_mut(&mut self) -> &mut Clients;
    /// Carries out operations at the same moment; their clients sign up before.
    async fn operate(&mut self, operations: Vec<Operation>) -> Done;
    /// Carries out an operation, which must succeed.
    async fn done(&mut self, operation: Operation) -> Done;
    /// Signs up, at the same moment, those of these clients who are new. `Somebody` never is.
    async fn meet(&mut self, names: &[String]) -> Done;
    /// Looks at a path; the replies of the last step stay.
    async fn look(&mut self, who: &str, path: &str) -> Reply;
    /// The replies of the last step that operated.
    fn replied(&self) -> Vec<Replied<'_>>;
    /// A client.
    fn person(&self, name: &str) -> Person {
        self.clients().person(name)
    }
    /// The id of the ticket with this title.
    fn ticket(&self, title: &str) -> Result<String, StepError> {
        let id = self.clients().ticket(title).map(str::to_owned);
        id.ok_or_else(|| StepError::new(format!("no ticket is listed as {title:?}")))
    }
    /// The id of the newest order of this buyer and ticket.
    fn order(&self, buyer: &str, title: &str) -> Result<String, StepError> {
        let id = self.clients().order(buyer, title).map(str::to_owned);
        id.ok_or_else(|| StepError::new(format!("{buyer} has no order of {title:?}")))
    }
    /// Remembers an order whose buyer was shown this price.
    fn remember_order(&mut self, buyer: &str, title: &str, id: &str, price: Option<Cents>) {
        self.clients_mut().remember_order(buyer, title, id, price);
    }
    /// The payment provider.
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
