//! The size of a cluster, and the wait until it has formed.

use std::time::{Duration, Instant};

use crate::error::ServersError;
use crate::server::Server;

/// The number of nodes of each server: the fewest of which one may fail.
pub const NODES: usize = 3;

/// The time limit for the nodes to agree on a leader.
const FORM_LIMIT: Duration = Duration::from_secs(60);

/// The pause between two questions for a leader.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Asks until the answer is yes. `Err` of an answer is an obstacle that may pass.
pub(super) async fn until<F>(server: Server, question: impl Fn() -> F) -> Result<(), ServersError>
where
    F: Future<Output = Result<(), String>>,
{
    let began = Instant::now();
    loop {
        match question().await {
            Ok(()) => return Ok(()),
            Err(why) if began.elapsed() > FORM_LIMIT => {
                return Err(ServersError::Unformed { server, waited: FORM_LIMIT, why });
            }
            Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}
