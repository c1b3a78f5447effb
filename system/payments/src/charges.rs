//! Settling charges: asking again for those without a definite outcome, and refunding those whose
//! order was cancelled.
//!
//! A request executes its own charge; the task picks up the charges of requests that ended
//! before the provider's response, those that are pending, and all refunds. Both may ask at once:
//! the idempotency key makes the repetition harmless, and one conditional write concludes. The
//! task reads the store when a charge is due, at its start and once per sweep.

use async_trait::async_trait;
use contracts::ChargeStatus;
use futures::future::join_all;
use platform::agenda::Rest;
use platform::chain::Chain;
use platform::collection::{ChangeError, Changed};
use platform::metrics::Counter;
use platform::policy::Policy;
use platform::task::{Step, StepError, Task};
use platform::wake::Wake;
use ports::Timestamp;

use crate::app::App;
use crate::model::inquiry::{How, Inquiry, Outcome};
use crate::model::{self, Order, PaymentError};
use crate::store;

/// Number of charges that are settled concurrently: one that hangs blocks no other.
const BATCH: u32 = 20;

/// Asks the provider what it must be asked next for the charge of this order, and records the
/// answer. If that began another attempt, the charge is asked for under its key as well.
pub async fn ask(app: &App, order: Order) -> Result<Changed<Order>, ChangeError<PaymentError>> {
    let Some(asked) = order.inquiry(app.clock.now()) else {
        return Ok(Changed { document: Some(order), written: false });
    };
    let changed = answer(app, &order, &asked).await?;
    let next = changed.document.as_ref().and_then(|order| {
        let next = order.inquiry(app.clock.now())?;
        (next.transfer == asked.transfer && next.attempt > asked.attempt).then_some((order, next))
    });
    let changed = match next {
        Some((order, next)) => answer(app, order, &next).await?,
        None => changed,
    };
    // Only if this write left work: the task asks here too, and would otherwise wake itself
    // again and again for as long as the provider is out of reach.
    if changed.written
        && let Some(due) = changed.document.as_ref().and_then(|order| order.due)
    {
        app.unsettled.add(due);
    }
    Ok(changed)
}

/// Makes an inquiry and records its outcome.
async fn answer(
    app: &App,
    order: &Order,
    asked: &Inquiry,
) -> Result<Changed<Order>, ChangeError<PaymentError>> {
    let charge = order.charge.as_ref().expect("an order without a charge has no inquiry");
    let mut outcome = app.provider.ask(&order.id, charge, asked).await;
    if matches!(outcome, Ok(Outcome::KeySpent)) {
        let search = Inquiry { how: How::Search, ..asked.clone() };
        outcome = app.provider.ask(&order.id, charge, &search).await;
    }
    if let Err(error) = &outcome {
        let (charge, why) = (&charge.id, Chain(error).to_string());
        tracing::warn!(charge, why, "the outcome is unknown, and is asked for again");
    }
    let now = app.clock.now();
    let conclude =
        |order: Option<&Order>| model::conclude(order, asked, outcome.as_ref().ok(), now);
    let changed = app.orders.change(&order.id, conclude).await?;
    if changed.written
        && let Some(charge) = changed.document.as_ref().and_then(|order| order.charge.as_ref())
        && let (ChargeStatus::Completed, Some(code)) = (charge.status, &charge.failure)
    {
        let (id, order) = (&charge.id, &order.id);
        tracing::error!(charge = id, order, code, "the refund is refused: return it by hand");
        app.unrefundable.increment();
    }
    Ok(changed)
}

/// Settles charges.
pub struct Charges(pub App);

#[async_trait]
impl Task for Charges {
    fn name(&self) -> String {
        "charges".to_owned()
    }

    fn wake(&self) -> Wake {
        self.0.unsettled.wake()
    }

    fn abandoned(&self) -> Option<Counter> {
        Some(self.0.unrefundable.clone())
    }

    fn configure(&self, policy: &Policy) {
        self.0.unsettled.configure(policy);
    }

    async fn step(&self) -> Result<Step, StepError> {
        let now = self.0.clock.now();
        self.0.unsettled.step(now, self.settle_due(now)).await
    }
}

impl Charges {
    /// Settles the charges that are due.
    async fn settle_due(&self, now: Timestamp) -> Result<Rest, StepError> {
        let unsettled = store::unsettled(&self.0.orders, BATCH).await?;
        let is_full = unsettled.len() == BATCH as usize;
        let (due, later): (Vec<Order>, Vec<Order>) =
            unsettled.into_iter().partition(|order| order.is_due(now));
        let next = later.first().and_then(|order| order.due);
        let settled = join_all(due.into_iter().map(|order| settle(&self.0, order))).await;
        settled.into_iter().collect::<Result<(), _>>()?;
        Ok(Rest { next, is_full })
    }
}

/// Advances a charge by one inquiry. Afterwards the charge is due later, or settled: the task never
/// finds it due again at once.
async fn settle(app: &App, order: Order) -> Result<(), StepError> {
    let asked = ask(app, order).await;
    asked.map(drop).map_err(StepError::new)
}

#[cfg(test)]
mod tests;
