//! Dotted paths: what a filter finds at one, through sub-documents and arrays.
//!
//! Reading only; see [`super::target`] for writing at a path.

use bson::{Bson, Document};

/// The first component of a path, and the rest.
pub(super) fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    }
}

/// A path component as a position in an array.
pub(super) fn position(component: &str) -> Option<usize> {
    let canonical = component == "0" || !component.starts_with(['0', '+']);
    if canonical { component.parse().ok() } else { None }
}

/// Whether this path is the other, or leads to it.
pub(super) fn leads_to(path: &str, other: &str) -> bool {
    other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether any value at the path passes. `None` stands for a place without a value. An array
/// at the end of the path offers its elements, then itself; one in the middle offers what
/// each of its sub-documents has there, and the element at a numeric component.
pub(super) fn any(document: &Document, path: &str, test: &dyn Fn(Option<&Bson>) -> bool) -> bool {
    let (head, rest) = split(path);
    any_in(document.get(head), rest, test)
}

/// Whether any value at `rest` below `found` passes.
pub(super) fn any_in(
    found: Option<&Bson>,
    rest: Option<&str>,
    test: &dyn Fn(Option<&Bson>) -> bool,
) -> bool {
    match (found, rest) {
        (Some(Bson::Array(items)), None) => {
            items.iter().any(|item| test(Some(item))) || test(found)
        }
        (Some(Bson::Array(items)), Some(rest)) => any_in_array(items, rest, test),
        (Some(Bson::Document(inner)), Some(rest)) => any(inner, rest, test),
        (found, None) => test(found),
        (_, Some(_)) => test(None),
    }
}

fn any_in_array(items: &[Bson], path: &str, test: &dyn Fn(Option<&Bson>) -> bool) -> bool {
    let (head, rest) = split(path);
    let chosen = position(head);
    items.iter().enumerate().any(|(at, item)| {
        if let Bson::Document(inner) = item
            && any(inner, path, test)
        {
            return true;
        }
        if chosen != Some(at) {
            return false;
        }
        match (item, rest) {
            (item, None) => test(Some(item)),
            (Bson::Document(inner), Some(rest)) => any(inner, rest, test),
            (Bson::Array(inner), Some(rest)) => {
                let (head, rest) = split(rest);
                any_in(position(head).and_then(|at| inner.get(at)), rest, test)
            }
            (_, Some(_)) => false,
        }
    })
}
