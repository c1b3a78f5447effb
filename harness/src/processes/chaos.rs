//! Carries out the faults of a run at their times, and heals each.

use std::time::Instant;

use futures::future::try_join_all;
use tokio_util::sync::CancellationToken;

use super::deployment::Deployment;
use super::error::ProcessesError;
use super::plan::Injection;

/// Injects these faults; `on_fault` is called at each. Once `ended`, all are healed and no more
/// are injected; a fault in a leader is left out where there is none.
///
/// # Errors
///
/// When a fault cannot be injected or healed.
pub(super) async fn carry_out(
    deployment: &Deployment,
    plan: &[Injection],
    ended: &CancellationToken,
    on_fault: impl Fn(&Injection),
) -> Result<(), ProcessesError> {
    let began = tokio::time::Instant::from_std(Instant::now());
    let each = plan.iter().map(|injection| {
        let on_fault = &on_fault;
        async move {
            tokio::select! {
                () = tokio::time::sleep_until(began + injection.at) => {}
                () = ended.cancelled() => return Ok(()),
            }
            let Some(aimed) = deployment.aim(injection.fault, ended).await else { return Ok(()) };
            on_fault(injection);
            deployment.inject(aimed).await?;
            tokio::select! {
                () = tokio::time::sleep(injection.lasts) => {}
                () = ended.cancelled() => {}
            }
            deployment.heal(aimed).await
        }
    });
    try_join_all(each).await?;
    Ok(())
}
