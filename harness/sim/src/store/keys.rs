//! The keys under which an index files a document, and a sort orders it: one for each
//! combination of what an array on the way holds.
//!
//! It never decides what a key means; see [`super::index`] and [`super::sort`].

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::Refusal;
use super::path::split;
use super::value::compare;

/// One key: a value for each path.
pub(super) type Key<'a> = Vec<&'a Bson>;

/// What stands for nothing.
const NULL: &Bson = &Bson::Null;
/// What stands for an empty array.
const EMPTY: &Bson = &Bson::Undefined;

/// A path part-way through a document.
#[derive(Clone, Copy)]
enum Way<'a> {
    Arrived(&'a Bson),
    /// Before an array, with what is left of the path.
    Array(&'a Vec<Bson>, Option<&'a str>),
}

/// The keys of a document, at least one.
pub(super) fn keys<'a, P: AsRef<str>>(
    document: &'a Document,
    paths: &'a [P],
) -> Result<Vec<Key<'a>>, Refusal> {
    let ways: Vec<Way<'_>> = paths.iter().map(|path| walk(document, path.as_ref())).collect();
    let mut keys = Vec::with_capacity(1);
    expand(&ways, &mut keys)?;
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

fn walk<'a>(document: &'a Document, path: &'a str) -> Way<'a> {
    let (mut document, mut path) = (document, path);
    loop {
        let (head, rest) = split(path);
        match (document.get(head), rest) {
            (Some(Bson::Array(items)), rest) => return Way::Array(items, rest),
            (Some(Bson::Document(inner)), Some(rest)) => (document, path) = (inner, rest),
            (Some(found), None) => return Way::Arrived(found),
            _ => return Way::Arrived(NULL),
        }
    }
}

fn expand<'a>(ways: &[Way<'a>], keys: &mut Vec<Key<'a>>) -> Result<(), Refusal> {
    let mut array: Option<&'a Vec<Bson>> = None;
    for way in ways {
        if let Way::Array(items, _) = way {
            if array.is_some_and(|other| !std::ptr::eq(other, *items)) {
                return Err(Refusal("cannot index parallel arrays".to_owned()));
            }
            array = Some(items);
        }
    }
    let Some(items) = array else {
        let arrived = |way: &Way<'a>| match way {
            Way::Arrived(value) => *value,
            Way::Array(..) => unreachable!("no way stands before an array"),
        };
        keys.push(ways.iter().map(arrived).collect());
        return Ok(());
    };
    let onto = |item: Option<&'a Bson>| -> Vec<Way<'a>> {
        let step = |way: &Way<'a>| match (way, item) {
            (Way::Arrived(_), _) => *way,
            (Way::Array(_, None), item) => Way::Arrived(item.unwrap_or(EMPTY)),
            (Way::Array(_, Some(rest)), Some(Bson::Document(inner))) => walk(inner, rest),
            (Way::Array(_, Some(_)), _) => Way::Arrived(NULL),
        };
        ways.iter().map(step).collect()
    };
    if items.is_empty() {
        return expand(&onto(None), keys);
    }
    items.iter().try_for_each(|item| expand(&onto(Some(item)), keys))
}
