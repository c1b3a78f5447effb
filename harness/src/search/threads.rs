//! Runs the same closure on several threads; the closure divides the work among them. Simulated
//! runs are independent of one another.

/// The number of threads that this machine runs at once.
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does the work on this many threads, at least one, and returns when all are done.
///
/// # Errors
///
/// The first error of any thread.
///
/// # Panics
///
/// When the work panics.
pub fn on_threads<E: Send>(jobs: usize, work: impl Fn() -> Result<(), E> + Sync) -> Result<(), E> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(&work)).collect();
        let mut ended = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.try_for_each(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
