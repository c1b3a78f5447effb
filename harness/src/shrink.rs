//! Shrinking: reduces a failing list to a minimal one that still fails.
//!
//! The items can be anything: faults, operations, decisions. It runs nothing itself; the caller
//! decides whether a list fails.

pub mod case;
mod faults;
mod order;
mod schedule;
mod script;
mod settings;
mod shrinker;

/// Removes items while the rest still fails: large chunks first, then smaller ones, until no
/// single item can be removed (delta debugging: Zeller and Hildebrandt, "Simplifying and
/// isolating failure-inducing input", 2002).
///
/// ```
/// let fails = |items: &[u32]| Ok::<_, ()>(items.contains(&3) && items.contains(&7));
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
    let mut chunk = items.len().div_ceil(2);
    loop {
        let mut removed = false;
        let mut from = 0;
        while from < items.len() {
            let to = (from + chunk).min(items.len());
            let rest: Vec<T> = [&items[..from], &items[to..]].concat();
            // The empty list was tried at the start.
            if !rest.is_empty() && fails(&rest)? {
                items = rest;
                removed = true;
            } else {
                from = to;
            }
        }
        if !removed && chunk == 1 {
            return Ok(items);
        }
        if !removed {
            chunk = chunk.div_ceil(2);
        }
    }
}
