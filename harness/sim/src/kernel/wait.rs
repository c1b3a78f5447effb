//! What waits on the kernel: a call for its turn, and a sleep for its time. Dropping either
//! gives the wait up.

use std::pin::Pin;
use std::task::{Context, Poll};

use ports::Timestamp;

use super::{Call, Kernel, Parked};

/// A call that waits for its turn.
#[must_use = "a turn does nothing unless awaited"]
pub struct Turn {
    pub(super) kernel: Kernel,
    pub(super) call: Option<Call>,
    pub(super) ticket: u64,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.kernel.state();
        if let Some(mut call) = this.call.take() {
            this.ticket = state.ticket();
            call.number = this.ticket;
            state.parked.push(Parked { ticket: this.ticket, call, waker: cx.waker().clone() });
            return Poll::Pending;
        }
        if let Some(at) = state.granted.iter().position(|&ticket| ticket == this.ticket) {
            state.granted.swap_remove(at);
            drop(state);
            this.ticket = 0;
            return Poll::Ready(());
        }
        if let Some(parked) = state.parked.iter_mut().find(|p| p.ticket == this.ticket) {
            parked.waker.clone_from(cx.waker());
        }
        Poll::Pending
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.ticket != 0 {
            let mut state = self.kernel.state();
            state.parked.retain(|parked| parked.ticket != self.ticket);
            state.granted.retain(|&ticket| ticket != self.ticket);
        }
    }
}

/// A wait for a virtual time.
#[must_use = "a sleep does nothing unless awaited"]
pub struct Sleep {
    pub(super) kernel: Kernel,
    pub(super) at: Timestamp,
    pub(super) ticket: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.kernel.state();
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
            self.kernel.state().timers.remove(&(self.at, ticket));
        }
    }
}
