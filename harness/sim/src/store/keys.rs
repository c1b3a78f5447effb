//! The keys of a document in an index or a sort order: one for each element of an array on the
//! indexed paths.
//!
//! Keys are only computed here; indexes and sort orders interpret them.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::path::split;
use super::rejected::Rejected;
use super::value::compare;

/// One key: a value for each path.
pub(super) type Key<'a> = Vec<&'a Bson>;

/// The key of a missing value.
const NULL: &Bson = &Bson::Null;
/// The key of an empty array.
const EMPTY: &Bson = &Bson::Undefined;

/// A path that is resolved as far as possible without choosing an array element.
#[derive(Clone, Copy)]
enum Partial<'a> {
    Resolved(&'a Bson),
    /// At an array, with the rest of the path.
    Array(&'a Vec<Bson>, Option<&'a str>),
}

/// The keys of a document, at least one.
pub(super) fn keys<'a, P: AsRef<str>>(
    document: &'a Document,
    paths: &'a [P],
) -> Result<Vec<Key<'a>>, Rejected> {
    let partials: Vec<Partial<'_>> =
        paths.iter().map(|path| walk(document, path.as_ref())).collect();
    let mut keys = Vec::with_capacity(1);
    expand(&partials, &mut keys)?;
    Ok(keys)
}

/// The order of two keys, ascending in every part.
pub(super) fn compare_keys<L, R>(left: &[L], right: &[R]) -> Ordering
where
    L: std::borrow::Borrow<Bson>,
    R: std::borrow::Borrow<Bson>,
{
    let orders = left.iter().zip(right).map(|(l, r)| compare(l.borrow(), r.borrow()));
    orders.fold(Ordering::Equal, Ordering::then)
}

fn walk<'a>(document: &'a Document, path: &'a str) -> Partial<'a> {
    let (mut document, mut path) = (document, path);
    loop {
        let (head, rest) = split(path);
        match (document.get(head), rest) {
            (Some(Bson::Array(items)), rest) => return Partial::Array(items, rest),
            (Some(Bson::Document(inner)), Some(rest)) => (document, path) = (inner, rest),
            (Some(found), None) => return Partial::Resolved(found),
            _ => return Partial::Resolved(NULL),
        }
    }
}

fn expand<'a>(partials: &[Partial<'a>], keys: &mut Vec<Key<'a>>) -> Result<(), Rejected> {
    let mut array: Option<&'a Vec<Bson>> = None;
    for partial in partials {
        if let Partial::Array(items, _) = partial {
            if array.is_some_and(|other| !std::ptr::eq(other, *items)) {
                return Err(Rejected("cannot index parallel arrays".to_owned()));
            }
            array = Some(items);
        }
    }
    let Some(items) = array else {
        let resolved = |partial: &Partial<'a>| match partial {
            Partial::Resolved(value) => *value,
            Partial::Array(..) => unreachable!("no path is at an array"),
        };
        keys.push(partials.iter().map(resolved).collect());
        return Ok(());
    };
    let descend = |item: Option<&'a Bson>| -> Vec<Partial<'a>> {
        let step = |partial: &Partial<'a>| match (partial, item) {
            (Partial::Resolved(_), _) => *partial,
            (Partial::Array(_, None), item) => Partial::Resolved(item.unwrap_or(EMPTY)),
            (Partial::Array(_, Some(rest)), Some(Bson::Document(inner))) => walk(inner, rest),
            (Partial::Array(_, Some(_)), _) => Partial::Resolved(NULL),
        };
        partials.iter().map(step).collect()
    };
    if items.is_empty() {
        return expand(&descend(None), keys);
    }
    items.iter().try_for_each(|item| expand(&descend(Some(item)), keys))
}
