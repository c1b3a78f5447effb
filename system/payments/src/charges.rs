//! Charges on their way to their end: asked for until the provider answers, refunded where
//! the order was cancelled.
//!
//! A request asks for its own charge; the task finds those whose request did not live to hear
//! the answer, and all refunds. Both may ask at once: the provider knows a repetition by its
//! key, and one conditional write concludes. It keeps nothing in memory: each step reads the
//! store anew, the first one after a start too.

use async_trait::async_trait;
use contracts::ChargeStatus;
use futures::future::join_all;
use platform::collection::{ChangeError, Changed};
use platform::task::{Step, StepError, Task, Wake};

use crate::model::{self, Charge, Order, Refused};
use crate::provider::{Outcome, Refund};
use crate::{App, store};

/// How many charges one step carries on, all at once: one that hangs holds up no other.
const BATCH: u32 = 20;

/// Asks the provider for a charge, and writes down what it says.
pub async fn ask(
    app: &App,
    order: &str,
    charge: &Charge,
) -> Result<(Changed<Order>, Outcome), ChangeError<Refused>> {
    let outcome = app.provider.charge(order, charge).await;
    let now = app.clock.now();
    let conclude = |order: Option<&Order>| model::conclude(order, &outcome, now);
    let changed = app.orders.change(order, conclude).await?;
    // Without an answer there is nothing new to do: the task, which asks too, would wake
    // itself and ask again at once, for as long as the provider is out of reach.
    let answered = !matches!(outcome, Outcome::Unknown(_));
    if answered && changed.document.as_ref().is_some_and(|order| order.due.is_some()) {
        app.unsettled.wake();
    }
    Ok((changed, outcome))
}

/// Carries charges on.
pub struct Charges(pub App);

#[async_trait]
impl Task for Charges {
    fn name(&self) -> String {
        "charges".to_owned()
    }

    fn wake(&self) -> Wake {
        self.0.unsettled.clone()
    }

    async fn step(&self) -> Result<Step, StepError> {
        let now = self.0.clock.now();
        let unsettled = store::unsettled(&self.0.orders, BATCH).await;
        let unsettled = unsettled.map_err(|e| StepError(e.to_string()))?;
        let due: Vec<&Order> = unsettled.iter().filter(|order| order.is_due(now)).collect();
        if due.is_empty() {
            return Ok(Step::Idle { next: unsettled.first().and_then(|order| order.due) });
        }
        let settled = join_all(due.into_iter().map(|order| settle(&self.0, order))).await;
        settled.into_iter().collect::<Result<(), StepError>>()?;
        Ok(Step::Worked)
    }
}

/// Takes a charge one step further.
async fn settle(app: &App, order: &Order) -> Result<(), StepError> {
    match &order.charge {
        Some(charge) if charge.status == ChargeStatus::Created => {
            let asked = ask(app, &order.id, charge).await;
            let (_, outcome) = asked.map_err(|e| StepError(e.to_string()))?;
            match outcome {
                Outcome::Charged { .. } | Outcome::Declined { .. } => Ok(()),
                Outcome::Unknown(why) => Err(StepError(format!("charge {}: {why}", charge.id))),
            }
        }
        Some(charge) if charge.status == ChargeStatus::Completed => {
            refund(app, &order.id, charge).await
        }
        _ => Ok(()),
    }
}

/// Refunds a charge, and writes it down.
async fn refund(app: &App, order: &str, charge: &Charge) -> Result<(), StepError> {
    let id = match app.provider.refund(charge).await {
        Refund::Refunded { id } => id,
        Refund::Unknown(why) => {
            return Err(StepError(format!("refund of charge {}: {why}", charge.id)));
        }
    };
    let now = app.clock.now();
    let refunded = |order: Option<&Order>| model::refund(order, id.as_deref(), now);
    let changed = app.orders.change(order, refunded).await;
    changed.map(|_| ()).map_err(|e| StepError(e.to_string()))
}
