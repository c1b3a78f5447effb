//! Settling charges: repeating those without a definite outcome, refunding those whose order was
//! cancelled.
//!
//! A request executes its own charge; the task picks up the charges of requests that ended
//! before the provider's response, and all refunds. Both may ask at once: the idempotency key
//! makes the repetition harmless, and one conditional write concludes. The task keeps nothing in
//! memory: each step reads the store again, including the first one after a start.

use std::collections::BTreeSet;

use async_trait::async_trait;
use contracts::ChargeStatus;
use futures::future::join_all;
use platform::collection::{ChangeError, Changed};
use platform::task::{Step, StepError, Task};
use platform::wake::Wake;

use crate::app::App;
use crate::model::{self, Charge, ChargeOutcome, Order, PaymentError};
use crate::provider::ProviderError;
use crate::store;

/// Number of charges that are settled concurrently: one that hangs blocks no other.
const BATCH: u32 = 20;

/// The result of asking the provider for a charge.
#[derive(Debug)]
pub struct Asked {
    /// The order after the outcome was recorded.
    pub changed: Changed<Order>,
    /// The provider's response; an error means that the outcome is unknown.
    pub outcome: Result<ChargeOutcome, ProviderError>,
}

/// A charge that could not be settled; the task retries it.
#[derive(Debug, thiserror::Error)]
enum SettleError {
    #[error("the outcome of charge {id} is unknown")]
    Charge { id: String, source: ProviderError },
    #[error("charge {id} is not refunded")]
    Refund { id: String, source: ProviderError },
}

/// Asks the provider for a charge and records the outcome.
pub async fn ask(
    app: &App,
    order: &str,
    charge: &Charge,
) -> Result<Asked, ChangeError<PaymentError>> {
    let outcome = app.provider.charge(order, charge).await;
    let now = app.clock.now();
    let conclude = |order: Option<&Order>| model::conclude(order, outcome.as_ref().ok(), now);
    let changed = app.orders.change(order, conclude).await?;
    // Only if this write left work: the task asks here too, and would otherwise wake itself
    // again and again for as long as the provider is out of reach.
    if changed.written && changed.document.as_ref().is_some_and(|order| order.due.is_some()) {
        app.unsettled.wake();
    }
    Ok(Asked { changed, outcome })
}

/// Settles charges.
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
        let (mut limit, mut tried, mut result) = (BATCH, BTreeSet::new(), Ok(Step::Worked));
        loop {
            let unsettled = store::unsettled(&self.0.orders, limit).await?;
            let due: Vec<&Order> = unsettled.iter().filter(|order| order.is_due(now)).collect();
            if due.is_empty() && tried.is_empty() {
                return Ok(Step::Idle { next: unsettled.first().and_then(|order| order.due) });
            }
            let new: Vec<&Order> =
                due.into_iter().filter(|order| tried.insert(order.id.clone())).collect();
            for batch in new.chunks(BATCH as usize) {
                let settled = join_all(batch.iter().map(|order| settle(&self.0, order))).await;
                if let Some(error) = settled.into_iter().find_map(Result::err) {
                    result = Err(error);
                }
            }
            // Charges that the provider keeps refusing stay at the front of the query, so this
            // step looks behind them.
            if result.is_ok() || unsettled.len() < limit as usize {
                return result;
            }
            limit = limit.saturating_mul(2);
        }
    }
}

/// Advances a charge by one step.
async fn settle(app: &App, order: &Order) -> Result<(), StepError> {
    match &order.charge {
        Some(charge) if charge.status == ChargeStatus::Created => {
            let asked = ask(app, &order.id, charge).await?;
            let unknown = |source| SettleError::Charge { id: charge.id.clone(), source };
            asked.outcome.map(drop).map_err(|error| StepError::new(unknown(error)))
        }
        Some(charge) if charge.status == ChargeStatus::Completed => {
            refund(app, &order.id, charge).await
        }
        _ => Ok(()),
    }
}

/// Refunds a charge and records the refund.
async fn refund(app: &App, order: &str, charge: &Charge) -> Result<(), StepError> {
    let refunded = app.provider.refund(charge).await;
    let failed = |source| SettleError::Refund { id: charge.id.clone(), source };
    let id = refunded.map_err(|error| StepError::new(failed(error)))?;
    let now = app.clock.now();
    let refunded = |order: Option<&Order>| model::refund(order, id.as_deref(), now);
    app.orders.change(order, refunded).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
