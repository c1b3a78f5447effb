//! Dotted paths: the values that a filter finds at a path, through documents and arrays.
//!
//! Reading only; `target` writes at a path.

use bson::{Bson, Document};

/// The first component of a path, and the rest.
pub(super) fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    }
}

/// A path component as the position of an array element to write at. Unlike a path to read at,
/// it may have leading zeros.
pub(super) fn target_position(component: &str) -> Option<usize> {
    let is_number = component.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { component.parse().ok() } else { None }
}

/// A path component as the position of an array element to read.
pub(super) fn position(component: &str) -> Option<usize> {
    let canonical = component == "0" || !component.starts_with(['0', '+']);
    if canonical { component.parse().ok() } else { None }
}

/// Whether this path equals the other or is a prefix of it.
pub(super) fn is_prefix(path: &str, other: &str) -> bool {
    other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether any value at the path passes the test, with `None` for a missing value. An array at
/// the end of the path yields its elements, then itself. An array in the middle yields the
/// values in each of its documents, and in the element at a numeric component.
pub(super) fn any(document: &Document, path: &str, test: &dyn Fn(Option<&Bson>) -> bool) -> bool {
    let (head, rest) = split(path);
    any_in(document.get(head), rest, test)
}

/// Whether any value at the path `rest` in `found` passes the test.
pub(super) fn any_in(
    found: Option<&Bson>,
    rest: Option<&str>,
    test: &dyn Fn(Option<&Bson>) -> bool,
) -> bool {
    match (found, rest) {
        // The server takes a dot at the end of a path to an array for its end.
        (Some(Bson::Array(items)), None | Some("")) => {
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
