//! Futures that wait on the kernel: a call for its release, and a sleep for its time. Dropping
//! either cancels the wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use ports::Timestamp;

use super::state::State;
use crate::call::Call;

/// A call that waits until the scheduler picks it.
#[must_use = "the call becomes pending only when the future is awaited"]
pub struct Step {
    state: Arc<Mutex<State>>,
    /// The call until it is pending.
    call: Option<Call>,
    /// Its number while it is pending, else 0.
    number: u64,
}

impl Step {
    pub(super) fn new(state: Arc<Mutex<State>>, call: Call) -> Self {
        Self { state, call: Some(call), number: 0 }
    }
}

impl Future for Step {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.state.lock();
        if let Some(call) = this.call.take() {
            this.number = state.park(call, cx.waker().clone());
            return Poll::Pending;
        }
        if state.take_grant(this.number) {
            this.number = 0;
            return Poll::Ready(());
        }
        state.update_waker(this.number, cx.waker());
        Poll::Pending
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.number != 0 {
            self.state.lock().withdraw(self.number);
        }
    }
}

/// A wait for a virtual time.
#[must_use = "the timer is set only when the future is awaited"]
pub struct Sleep {
    state: Arc<Mutex<State>>,
    at: Timestamp,
    ticket: Option<u64>,
}

impl Sleep {
    pub(super) fn new(state: Arc<Mutex<State>>, at: Timestamp) -> Self {
        Self { state, at, ticket: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.state.lock();
        if state.now >= this.at {
            return Poll::Ready(());
        }
        let ticket = match this.ticket {
            Some(ticket) => ticket,
            None => *this.ticket.insert(state.ticket()),
        };
        state.timers.insert((this.at, ticket), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.state.lock().timers.remove(&(self.at, ticket));
        }
    }
}
