//! The load: writes with a number each, and the acknowledged ones that are missing afterwards.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::{join, join_all};
use parking_lot::Mutex;

use super::Failure;

/// The acknowledged writes after which the fault comes.
const WRITES: usize = 2_000;
/// The longest load, where writes are slow.
const LENGTH: Duration = Duration::from_secs(20);
/// The time limit of reading everything from servers that have just come back.
const READ_LIMIT: Duration = Duration::from_secs(60);
/// The number of writers.
const WRITERS: usize = 16;
/// The writes of the median, one after another.
const SINGLE: usize = 200;

/// The first number of the second load.
pub(crate) const SECOND: u64 = 1_000_000;

/// A server or cluster that keeps numbers.
#[async_trait]
pub(crate) trait Target: Send + Sync {
    /// Writes a number, and returns once that is acknowledged.
    async fn write(&self, number: u64) -> Result<(), Failure>;
    /// All numbers that are kept.
    async fn kept(&self) -> Result<BTreeSet<u64>, Failure>;
}

/// The acknowledged writes, and those of them that are missing.
pub(crate) struct Loss {
    pub(crate) acknowledged: usize,
    pub(crate) lost: usize,
}

/// A number that no load uses.
pub(crate) fn probe() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(2_000_000);
    NEXT.fetch_add(1, SeqCst)
}

/// The median time of a write.
pub(crate) async fn median(target: &dyn Target) -> Result<Duration, Failure> {
    let mut times = Vec::new();
    for _ in 0..SINGLE {
        let began = Instant::now();
        // A write during an election fails, and is no measure of a write.
        if target.write(probe()).await.is_ok() {
            times.push(began.elapsed());
        }
    }
    times.sort();
    times.get(times.len() / 2).copied().ok_or_else(|| "no write was acknowledged".into())
}

/// Writes numbers from `first` and injects a fault in the middle. Returns the value of the fault,
/// the acknowledged numbers, and the time that the fault took.
pub(crate) async fn acknowledged<T>(
    target: &dyn Target,
    first: u64,
    fault: impl AsyncFnOnce() -> Result<T, Failure>,
) -> Result<(T, Vec<u64>, Duration), Failure> {
    let (next, numbers) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    // Each writer ends at its first write that fails.
    let writers = join_all((0..WRITERS).map(|_| async {
        loop {
            let number = next.fetch_add(1, SeqCst);
            match target.write(number).await {
                Ok(()) if numbers.lock().len() < 2 * WRITES => numbers.lock().push(number),
                Ok(()) | Err(_) => return,
            }
        }
    }));
    let began = Instant::now();
    let injected = async {
        while numbers.lock().len() < WRITES && began.elapsed() < LENGTH {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let injected = Instant::now();
        fault().await.map(|value| (value, injected.elapsed()))
    };
    let (_, injected) = join(writers, injected).await;
    let (value, took) = injected?;
    Ok((value, numbers.into_inner(), took))
}

/// The acknowledged numbers that are not kept.
pub(crate) async fn lost(target: &dyn Target, acknowledged: &[u64]) -> Result<Loss, Failure> {
    let began = Instant::now();
    let kept = loop {
        match target.kept().await {
            Ok(kept) => break kept,
            Err(error) if began.elapsed() > READ_LIMIT => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let lost = acknowledged.iter().filter(|number| !kept.contains(number)).count();
    Ok(Loss { acknowledged: acknowledged.len(), lost })
}
