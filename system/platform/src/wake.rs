//! The signal that makes a background task step before its time.
//!
//! It carries no data. A task that was woken reads its work from the store, or has it in memory as
//! a copy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use tokio::sync::Notify;

/// Wakes one task. Clones wake the same task.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    notify: Notify,
    pending: AtomicBool,
}

impl Wake {
    /// Makes the task step soon; several calls before that step count as one.
    pub fn wake(&self) {
        self.0.pending.store(true, SeqCst);
        self.0.notify.notify_one();
    }

    /// Returns true if the task was woken and has not begun a step since.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.pending.load(SeqCst)
    }

    /// Marks the beginning of a step.
    pub(crate) fn clear(&self) {
        self.0.pending.store(false, SeqCst);
    }

    /// Waits for the next [`Self::wake`]; returns at once if one is pending.
    pub(crate) async fn notified(&self) {
        self.0.notify.notified().await;
    }
}
