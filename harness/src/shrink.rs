//! Shrinking: the smallest part of a list that still fails.
//!
//! It knows nothing of what the items are: faults, acts, decisions. It runs nothing itself;
//! whoever asks says whether a part fails.

pub mod case;

/// Removes items for as long as what is left fails: first large stretches, then smaller ones,
/// until no single item can be removed (delta debugging, after Zeller and Hildebrandt,
/// «Simplifying and isolating failure-inducing input», 2002).
///
/// ```
/// let fails = |part: &[u32]| Ok::<_, ()>(part.contains(&3) && part.contains(&7));
/// assert_eq!(harness::shrink::minimize((0..100).collect(), fails), Ok(vec![3, 7]));
/// ```
///
/// # Errors
///
/// The first error of `fails`.
pub fn minimize<T: Clone, E>(
    mut items: Vec<T>,
    mut fails: impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    if items.is_empty() || fails(&[])? {
        return Ok(Vec::new());
    }
    let mut stretch = items.len().div_ceil(2);
    loop {
        let mut removed = false;
        let mut from = 0;
        while from < items.len() {
            let to = (from + stretch).min(items.len());
            let rest: Vec<T> = [&items[..from], &items[to..]].concat();
            // Nothing left was tried before all else.
            if !rest.is_empty() && fails(&rest)? {
                items = rest;
                removed = true;
            } else {
                from = to;
            }
        }
        if !removed && stretch == 1 {
            return Ok(items);
        }
        if !removed {
            stretch = stretch.div_ceil(2);
        }
    }
}
