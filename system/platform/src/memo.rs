//! A memo of a pure function: its results, by its arguments, on one thread.
//!
//! It forgets all of them once it is full, so its size is bounded whatever is asked.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// The most results that a memo holds.
const MOST: usize = 1_000;

/// Results by arguments. For a `thread_local!`.
///
/// ```
/// use platform::memo::Memo;
///
/// let (lengths, mut computed) = (Memo::new(), 0);
/// for word in ["one", "two", "one"] {
///     lengths.get(word, || {
///         computed += 1;
///         word.len()
///     });
/// }
/// assert_eq!(computed, 2);
/// ```
#[derive(Debug)]
pub struct Memo<A, R>(RefCell<BTreeMap<A, R>>);

impl<A: Ord, R: Clone> Memo<A, R> {
    /// An empty memo.
    pub const fn new() -> Self {
        Self(RefCell::new(BTreeMap::new()))
    }

    /// The result for these arguments, computed where it is not known.
    pub fn get(&self, arguments: A, compute: impl FnOnce() -> R) -> R {
        let mut known = self.0.borrow_mut();
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(arguments).or_insert_with(compute).clone()
    }
}

impl<A: Ord, R: Clone> Default for Memo<A, R> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_that_is_full_forgets_and_computes_again() {
        let (memo, mut computed) = (Memo::new(), 0);
        let mut get = |argument| memo.get(argument, || computed += 1);
        (0..MOST).for_each(&mut get);
        get(0);
        get(MOST);
        get(0);
        assert_eq!(computed, MOST + 2);
    }
}
