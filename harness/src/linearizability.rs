//! Linearizability: whether the calls of a concurrent history can be put in one order in which
//! each takes effect at a single moment, as a sequential model allows.
//!
//! A [`Call`] takes effect at some moment between its invocation and its response. A call
//! without a response takes effect at any later moment, or never. The search is that of Wing
//! and Gong (1993) with Lowe's cache (2017): it visits each pair of a set of ordered calls and
//! a state once. Read-only calls are ordered as soon as they can be, which prunes
//! interleavings that make no difference.
//!
//! It knows nothing of the operations; the [`Model`] does. The search is exponential in the
//! number of concurrent calls, so split a history by object first.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::hash::Hash;

use fixedbitset::FixedBitSet;

/// A sequential specification of an object.
pub trait Model {
    /// An operation together with its response.
    type Operation;
    /// The state of the object.
    type State: Clone + Eq + Hash;

    /// The initial state.
    fn begin(&self) -> Self::State;

    /// The state after this operation; `None` if the operation cannot have this response in
    /// this state.
    fn apply(&self, state: &Self::State, operation: &Self::Operation) -> Option<Self::State>;

    /// Whether this operation is read-only: it leaves every state that allows it unchanged.
    /// `false` is always correct, and slower.
    fn only_looks(&self, operation: &Self::Operation) -> bool {
        let _ = operation;
        false
    }
}

/// One call of a history. Moments are any numbers that preserve real-time order: a call whose
/// response has a smaller number than another's invocation took effect before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<O> {
    /// The operation and its response.
    pub operation: O,
    /// Moment of the invocation.
    pub invoked: usize,
    /// Moment of the response; `None` if there was none.
    pub responded: Option<usize>,
}

/// Evidence that a history is not linearizable: its shortest prefix that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict<S> {
    /// Moment of the response that ends the prefix. The history before it is linearizable.
    pub at: usize,
    /// Index of the call with that response.
    pub shown_by: usize,
    /// Indices of the calls in the longest order that was found for the prefix.
    pub order: Vec<usize>,
    /// The state after that order.
    pub state: S,
    /// Indices of the calls with a response in the prefix that are not in that order.
    pub stuck: Vec<usize>,
}

/// Finds an order of the calls, as indices into `history`, that the model and real time allow.
/// It contains every call with a response, and calls without one only where needed.
///
/// ```
/// use harness::linearizability::{Call, Model, check};
///
/// /// A register that is written (`Ok`) and read (`Err`).
/// struct Register;
///
/// impl Model for Register {
///     type Operation = Result<u8, u8>;
///     type State = u8;
///
///     fn begin(&self) -> u8 {
///         0
///     }
///
///     fn apply(&self, state: &u8, operation: &Result<u8, u8>) -> Option<u8> {
///         match *operation {
///             Ok(written) => Some(written),
///             Err(read) => (read == *state).then_some(read),
///         }
///     }
/// }
///
/// let call = |operation, invoked, responded| Call { operation, invoked, responded };
/// // The write has no response: it may take effect late.
/// let (write, late) = (call(Ok(1), 0, None), call(Err(1), 3, Some(4)));
/// let (early, stale) = (call(Err(0), 1, Some(2)), call(Err(0), 5, Some(6)));
/// assert_eq!(check(&Register, &[write.clone(), early, late.clone()]), Ok(vec![1, 0, 2]));
/// // But the old value is never read after the new one.
/// assert_eq!(check(&Register, &[write, late, stale]).unwrap_err().stuck, [2]);
/// ```
///
/// # Errors
///
/// When there is no such order, a [`Conflict`].
pub fn check<M: Model>(
    model: &M,
    history: &[Call<M::Operation>],
) -> Result<Vec<usize>, Conflict<M::State>> {
    let whole = match Search::new(model, history, usize::MAX).run() {
        Ok(order) => return Ok(order),
        Err(deepest) => deepest,
    };
    // Every prefix of a linearizable history is linearizable, so binary search finds the first
    // response after which there is no order.
    let mut moments: Vec<usize> = history.iter().filter_map(|call| call.responded).collect();
    moments.sort_unstable();
    moments.dedup();
    let (mut held, mut broken) = (0, moments.len() - 1);
    let mut deepest = whole;
    while held < broken {
        let middle = usize::midpoint(held, broken);
        match Search::new(model, history, moments[middle]).run() {
            Ok(_) => held = middle + 1,
            Err(found) => {
                broken = middle;
                deepest = found;
            }
        }
    }
    let at = moments[broken];
    let shown_by = history.iter().position(|call| call.responded == Some(at));
    let is_stuck = |call: &usize| {
        let is_due = history[*call].responded.is_some_and(|responded| responded <= at);
        is_due && !deepest.order.contains(call)
    };
    Err(Conflict {
        at,
        shown_by: shown_by.expect("every moment is that of a response"),
        stuck: (0..history.len()).filter(is_stuck).collect(),
        order: deepest.order,
        state: deepest.state,
    })
}

/// The longest order that a search found.
struct Deepest<S> {
    /// Number of calls with a response that it does not contain.
    left: usize,
    order: Vec<usize>,
    state: S,
}

/// A point of the search with several calls that can come next.
struct Fork<S> {
    /// Length of the order there.
    depth: usize,
    state: S,
    /// The calls not tried yet; the last one is tried first.
    next: Vec<usize>,
}

/// The search for an order of one prefix of a history.
struct Search<'a, M: Model> {
    model: &'a M,
    history: &'a [Call<M::Operation>],
    /// The calls of the prefix, by invocation.
    by_invocation: Vec<usize>,
    /// End of the prefix; later responses do not count.
    until: usize,
    /// Number of calls with a response.
    due: usize,
    /// The calls in the order.
    taken: FixedBitSet,
    order: Vec<usize>,
    seen: HashSet<(FixedBitSet, M::State)>,
    /// All calls before this index of `by_invocation` are taken.
    from: usize,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, history: &'a [Call<M::Operation>], until: usize) -> Self {
        let invoked = (0..history.len()).filter(|&call| history[call].invoked <= until);
        let mut by_invocation: Vec<usize> = invoked.collect();
        by_invocation.sort_by_key(|&call| history[call].invoked);
        let mut search = Self {
            model,
            history,
            until,
            due: 0,
            taken: FixedBitSet::with_capacity(history.len()),
            order: Vec::with_capacity(by_invocation.len()),
            seen: HashSet::new(),
            from: 0,
            by_invocation,
        };
        search.due = search.by_invocation.iter().filter(|&&call| search.is_due(call)).count();
        search
    }

    fn responded(&self, call: usize) -> Option<usize> {
        self.history[call].responded.filter(|&responded| responded <= self.until)
    }

    fn is_due(&self, call: usize) -> bool {
        self.responded(call).is_some()
    }

    fn run(mut self) -> Result<Vec<usize>, Deepest<M::State>> {
        let mut state = self.model.begin();
        let mut left = self.due;
        let mut forks: Vec<Fork<M::State>> = Vec::new();
        let mut deepest = Deepest { left: left + 1, order: Vec::new(), state: state.clone() };
        loop {
            let mut next = self.next(&state, &mut left);
            if left == 0 {
                return Ok(self.order);
            }
            if left < deepest.left {
                deepest = Deepest { left, order: self.order.clone(), state: state.clone() };
            }
            // A point with a single continuation is not worth caching.
            let is_new = next.len() < 2 || self.seen.insert((self.taken.clone(), state.clone()));
            if is_new && let Some(call) = next.pop() {
                let depth = self.order.len();
                let after = self.after(&state, call);
                if !next.is_empty() {
                    forks.push(Fork { depth, state, next });
                }
                self.take(call, &mut left);
                state = after;
                continue;
            }
            let Some(fork) = forks.last_mut() else { return Err(deepest) };
            let call = fork.next.pop().expect("a fork is removed with its last call");
            let (depth, before) = (fork.depth, fork.state.clone());
            if fork.next.is_empty() {
                forks.pop();
            }
            self.backtrack(depth, &mut left);
            state = self.after(&before, call);
            self.take(call, &mut left);
        }
    }

    /// The calls that can come next. A read-only call that can come next is taken at once: if
    /// it can come later, it can come now.
    fn next(&mut self, state: &M::State, left: &mut usize) -> Vec<usize> {
        loop {
            while self.by_invocation.get(self.from).is_some_and(|&call| self.taken.contains(call)) {
                self.from += 1;
            }
            let mut next = Vec::new();
            let mut took_reads = false;
            let mut first_response = usize::MAX;
            for at in self.from..self.by_invocation.len() {
                let call = self.by_invocation[at];
                if self.history[call].invoked > first_response {
                    break;
                }
                if self.taken.contains(call) {
                    continue;
                }
                let operation = &self.history[call].operation;
                let after = self.model.apply(state, operation);
                if self.is_due(call) && after.is_some() && self.model.only_looks(operation) {
                    self.take(call, left);
                    took_reads = true;
                    continue;
                }
                first_response = first_response.min(self.responded(call).unwrap_or(usize::MAX));
                // A call without a response that changes nothing is not needed.
                if after.is_some_and(|after| self.is_due(call) || after != *state) {
                    next.push(call);
                }
            }
            // Taking reads may have made more calls eligible.
            if !took_reads {
                // Earliest response last, to be tried first; calls without one come first.
                next.sort_by_key(|&call| Reverse(self.responded(call).unwrap_or(usize::MAX)));
                return next;
            }
        }
    }

    fn after(&self, state: &M::State, call: usize) -> M::State {
        let after = self.model.apply(state, &self.history[call].operation);
        after.expect("the model allows every call that can come next")
    }

    fn take(&mut self, call: usize, left: &mut usize) {
        self.taken.insert(call);
        self.order.push(call);
        *left -= usize::from(self.is_due(call));
    }

    fn backtrack(&mut self, depth: usize, left: &mut usize) {
        for call in self.order.split_off(depth) {
            self.taken.remove(call);
            *left += usize::from(self.is_due(call));
        }
        self.from = 0;
    }
}

#[cfg(test)]
mod tests;
