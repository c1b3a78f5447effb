//! Linearizability: whether what happened at the same time can be put in one order in which
//! each thing happened at a moment of its own, as a sequential model allows.
//!
//! A [`Call`] took effect at some moment between its invocation and its response. One without
//! a response took effect at any later moment, or never. The search is that of Wing and Gong,
//! with Lowe's memory of where it has been: it takes up a set of calls and a state once only.
//! Calls that only look are put in order as soon as they can be, which keeps it from trying
//! what makes no difference.
//!
//! It knows nothing of what the calls do: a [`Model`] does. Split a history by object before:
//! the search is as good as the histories are short.

mod taken;

use std::collections::HashSet;
use std::hash::Hash;

use taken::Taken;

/// What is allowed where one thing happens after the other.
pub trait Model {
    /// What happened, and what it came to.
    type Operation;
    /// The state of the object.
    type State: Clone + Eq + Hash;

    /// The state at first.
    fn begin(&self) -> Self::State;

    /// The state after this operation, `None` where it cannot have come to what it did.
    fn apply(&self, state: &Self::State, operation: &Self::Operation) -> Option<Self::State>;

    /// Whether this operation leaves every state that allows it as it is. Saying no is always
    /// right, and slower.
    fn only_looks(&self, operation: &Self::Operation) -> bool {
        let _ = operation;
        false
    }
}

/// One call of a history. Any numbers will do for its moments, as long as a call whose
/// response is before another's invocation surely took effect before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<O> {
    /// What happened.
    pub operation: O,
    /// From when on it may have taken effect.
    pub invoked: usize,
    /// Until when it took effect; `None` where it may be later, or never.
    pub responded: Option<usize>,
}

/// There is no such order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict<S> {
    /// The moment at which it shows: until just before, there is an order.
    pub at: usize,
    /// The call whose response shows it.
    pub shown_by: usize,
    /// The most that can be put in order, among what had been invoked by then.
    pub order: Vec<usize>,
    /// The state after that.
    pub state: S,
    /// The calls that had a response by then and find no place in it.
    pub stuck: Vec<usize>,
}

/// An order of these calls, by their places in `history`, that the model allows. Calls without
/// a response are part of it only where they have to be.
///
/// ```
/// use harness::linearizability::{Call, Model, check};
///
/// /// A number that is set (`Ok`) and read (`Err`).
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
///             Ok(set) => Some(set),
///             Err(read) => (read == *state).then_some(read),
///         }
///     }
/// }
///
/// let call = |operation, invoked, responded| Call { operation, invoked, responded };
/// let (set, late) = (call(Ok(1), 0, None), call(Err(1), 3, Some(4)));
/// let (early, stale) = (call(Err(0), 1, Some(2)), call(Err(0), 5, Some(6)));
/// assert_eq!(check(&Register, &[set.clone(), early, late.clone()]), Ok(vec![1, 0, 2]));
/// assert_eq!(check(&Register, &[set, late, stale]).unwrap_err().stuck, [2]);
/// ```
///
/// # Errors
///
/// Where there is none: the smallest beginning of the history that has none.
pub fn check<M: Model>(
    model: &M,
    history: &[Call<M::Operation>],
) -> Result<Vec<usize>, Conflict<M::State>> {
    let whole = match Search::new(model, history, usize::MAX).run() {
        Ok(order) => return Ok(order),
        Err(deepest) => deepest,
    };
    // Whatever has an order has one after each of its responses, so the first at which there
    // is none can be found by halves.
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
    let left = |place: &usize| {
        let due = history[*place].responded.is_some_and(|responded| responded <= at);
        due && !deepest.order.contains(place)
    };
    Err(Conflict {
        at,
        shown_by: shown_by.expect("each moment is that of a response"),
        stuck: (0..history.len()).filter(left).collect(),
        order: deepest.order,
        state: deepest.state,
    })
}

/// How far a search got.
struct Deepest<S> {
    due: usize,
    order: Vec<usize>,
    state: S,
}

/// A place at which there is a choice.
struct Fork<S> {
    /// How long the order was.
    depth: usize,
    state: S,
    /// What can come next and was not tried yet, the last one first.
    next: Vec<usize>,
}

/// The search for an order of what had been invoked at some moment.
struct Search<'a, M: Model> {
    model: &'a M,
    history: &'a [Call<M::Operation>],
    /// By invocation.
    by_invocation: Vec<usize>,
    /// Later responses are not there yet.
    until: usize,
    /// How many calls have to be in the order.
    due: usize,
    taken: Taken,
    order: Vec<usize>,
    seen: HashSet<(Taken, M::State)>,
    /// Calls before this place in `by_invocation` are all taken.
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
            taken: Taken::none_of(history.len()),
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
        let mut deepest = Deepest { due: left + 1, order: Vec::new(), state: state.clone() };
        loop {
            let mut next = self.next(&state, &mut left);
            if left == 0 {
                return Ok(self.order);
            }
            if left < deepest.due {
                deepest = Deepest { due: left, order: self.order.clone(), state: state.clone() };
            }
            // Where there is but one way on, nothing is gained by remembering the place.
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
            let call = fork.next.pop().expect("a fork is left when its last way is taken");
            let (depth, before) = (fork.depth, fork.state.clone());
            if fork.next.is_empty() {
                forks.pop();
            }
            self.back_to(depth, &mut left);
            state = self.after(&before, call);
            self.take(call, &mut left);
        }
    }

    /// What can come next. What only looks and can come next is taken at once: wherever it
    /// comes later, it could come now.
    fn next(&mut self, state: &M::State, left: &mut usize) -> Vec<usize> {
        loop {
            while self.by_invocation.get(self.from).is_some_and(|&call| self.taken.has(call)) {
                self.from += 1;
            }
            let mut next = Vec::new();
            let mut looked = false;
            let mut first_response = usize::MAX;
            for at in self.from..self.by_invocation.len() {
                let call = self.by_invocation[at];
                if self.history[call].invoked > first_response {
                    break;
                }
                if self.taken.has(call) {
                    continue;
                }
                let operation = &self.history[call].operation;
                let after = self.model.apply(state, operation);
                if self.is_due(call) && after.is_some() && self.model.only_looks(operation) {
                    self.take(call, left);
                    looked = true;
                    continue;
                }
                first_response = first_response.min(self.responded(call).unwrap_or(usize::MAX));
                // What has no response and changes nothing need not be in the order.
                if after.is_some_and(|after| self.is_due(call) || after != *state) {
                    next.push(call);
                }
            }
            // What is out of the way may have kept others from their turn.
            if !looked {
                // The first to respond first; those without a response last.
                next.sort_by_key(|&call| {
                    std::cmp::Reverse(self.responded(call).unwrap_or(usize::MAX))
                });
                return next;
            }
        }
    }

    fn after(&self, state: &M::State, call: usize) -> M::State {
        let after = self.model.apply(state, &self.history[call].operation);
        after.expect("only what the model allows comes next")
    }

    fn take(&mut self, call: usize, left: &mut usize) {
        self.taken.put(call);
        self.order.push(call);
        *left -= usize::from(self.is_due(call));
    }

    fn back_to(&mut self, depth: usize, left: &mut usize) {
        for call in self.order.split_off(depth) {
            self.taken.remove(call);
            *left += usize::from(self.is_due(call));
        }
        self.from = 0;
    }
}

#[cfg(test)]
mod tests;
