//! Sorting as in MongoDB: by the order across types; an array by its least element, or
//! descending by its greatest.
//!
//! Equal documents stay in order of insertion, which MongoDB does not guarantee.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::keys::{Key, keys};
use super::path::position;
use super::rejected::Rejected;
use super::value::compare;

/// A parsed sort order.
#[derive(Debug)]
pub(super) struct Sort<'a> {
    paths: Vec<&'a str>,
    descending: Vec<bool>,
}

impl<'a> Sort<'a> {
    /// Parses a sort order; `None` where it is empty.
    pub(super) fn read(sort: &'a Document) -> Result<Option<Self>, Rejected> {
        let mut paths = Vec::with_capacity(sort.len());
        let mut descending = Vec::with_capacity(sort.len());
        for (path, direction) in sort {
            if path.split('.').any(|part| part.is_empty() || part.starts_with('$')) {
                return Err(Rejected(format!("'{path}' is not a valid path to sort by")));
            }
            if path.split('.').any(|part| position(part).is_some()) {
                return Err(Rejected("sorting by an array position is not simulated".to_owned()));
            }
            descending.push(match direction {
                Bson::Int32(1) | Bson::Int64(1) => false,
                Bson::Int32(-1) | Bson::Int64(-1) => true,
                Bson::Double(one) if one.abs() == 1.0 => *one < 0.0,
                _ => return Err(Rejected(format!("the direction of {path} must be 1 or -1"))),
            });
            paths.push(path.as_str());
        }
        Ok((!paths.is_empty()).then_some(Self { paths, descending }))
    }

    /// The documents in this order.
    pub(super) fn apply<'d>(&self, found: Vec<&'d Document>) -> Result<Vec<&'d Document>, Rejected>
    where
        'a: 'd,
    {
        let mut keyed = Vec::with_capacity(found.len());
        for document in found {
            let keys = keys(document, &self.paths)?.into_iter();
            let least = keys.min_by(|left, right| self.compare(left, right));
            keyed.push((least.expect("a document has at least one key"), document));
        }
        keyed.sort_by(|(left, _), (right, _)| self.compare(left, right));
        Ok(keyed.into_iter().map(|(_, document)| document).collect())
    }

    fn compare(&self, left: &Key<'_>, right: &Key<'_>) -> Ordering {
        let pairs = left.iter().zip(right).zip(&self.descending);
        let orders = pairs.map(|((l, r), descending)| {
            let order = compare(l, r);
            if *descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }
}
