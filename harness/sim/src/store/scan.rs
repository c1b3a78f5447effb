//! A find that is no snapshot.
//!
//! MongoDB reads the documents one after another, in the order of an index or of the collection,
//! and lets writers pass in between: at the latest after a batch of 101 documents, under load
//! after any. A document whose key moves past the reader is missed, or found a second time; and
//! two documents may be found as they never were at the same moment.
//!
//! Here a find of several documents takes two steps: it reads the first half of those that match,
//! and the rest in the second. The server's choice of an index is unknown, so of the indexes that
//! serve the query the first one counts through which a document is missed or repeated.

use std::cmp::Ordering;

use bson::{Bson, Document};
use ports::store::Find;

use super::filter::Filter;
use super::index::StoredIndex;
use super::keys::{compare_keys, keys};
use super::rejected::Rejected;
use super::sort::Sort;

/// The first step of a find.
#[derive(Debug)]
pub(super) struct Scan {
    /// All documents that matched at the first step, with their numbers in order of insertion.
    matching: Vec<(usize, Document)>,
    /// The number of writes to the collection before.
    pub(super) writes: u64,
    /// The result, if none of the documents changes.
    pub(super) unchanged: Vec<Document>,
}

/// The order in which documents are read.
#[derive(Clone, Copy)]
enum Order<'a> {
    /// Of the collection, in which a document keeps its place.
    Natural,
    /// Of an index with these keys.
    Index { keys: &'a [&'static str], backward: bool },
}

/// The place of a document in an order.
struct Place {
    key: Vec<Bson>,
    position: usize,
    /// Whether the document has several keys. An index on arrays never returns one twice.
    multikey: bool,
}

impl Scan {
    /// The first step of this find; `None` where one step is all.
    pub(super) fn begin(
        matching: &[(usize, &Document)],
        writes: u64,
        find: &Find,
        unchanged: &[Document],
    ) -> Option<Self> {
        let takes_one = find.limit == 1 && find.sort.is_empty();
        if matching.len() < 2 || takes_one {
            return None;
        }
        let matching = matching.iter().map(|&(at, document)| (at, document.clone())).collect();
        Some(Self { matching, writes, unchanged: unchanged.to_vec() })
    }

    /// The result of the find, where `matching` are the documents that match at the second step.
    pub(super) fn end(
        &self,
        matching: &[(usize, &Document)],
        indexes: &[StoredIndex],
        find: &Find,
    ) -> Result<Vec<Document>, Rejected> {
        let natural = self.read(Order::Natural, matching);
        let filter = Filter::read(&find.filter)?;
        let first = find.sort.iter().next();
        let serving = indexes.iter().filter(|index| index.serves(&filter, first));
        let found = serving
            .map(|index| {
                let keys = index.key_paths();
                let descends = |&(path, direction): &(&String, &Bson)| {
                    keys.first() == Some(&path.as_str()) && is_negative(direction)
                };
                let backward = first.as_ref().is_some_and(descends);
                self.read(Order::Index { keys, backward }, matching)
            })
            .find(|found| positions(found) != positions(&natural));
        let found = found.unwrap_or(natural);
        let found = found.iter().map(|&(_, document)| document).collect();
        Ok(arranged(found, find)?.into_iter().cloned().collect())
    }

    /// The documents read in this order: the first half as they were, the rest as they are.
    fn read<'a>(
        &'a self,
        order: Order<'_>,
        matching: &[(usize, &'a Document)],
    ) -> Vec<(usize, &'a Document)> {
        let before = self.matching.iter().map(|(at, document)| (*at, document));
        let mut before = ordered(order, before);
        before.truncate(before.len().div_ceil(2));
        let after = ordered(order, matching.iter().copied());
        let Some((cursor, ..)) = before.last() else { return Vec::new() };
        let rest = after.iter().filter(|(place, at, _)| {
            let again = before.iter().find(|(_, other, _)| other == at);
            let deduplicated = again.is_some_and(|(was, ..)| was.multikey || place.multikey);
            order.compare(place, cursor).is_gt() && !deduplicated
        });
        let all = before.iter().chain(rest);
        all.map(|&(_, at, document)| (at, document)).collect()
    }
}

impl Order<'_> {
    fn place(self, position: usize, document: &Document) -> Place {
        let Self::Index { keys: paths, .. } = self else {
            return Place { key: Vec::new(), position, multikey: false };
        };
        // A document that cannot be indexed was refused.
        let keys = keys(document, paths).unwrap_or_default();
        let multikey = keys.len() > 1;
        let least = keys.into_iter().min_by(|left, right| compare_keys(left, right));
        let key = least.unwrap_or_default().into_iter().cloned().collect();
        Place { key, position, multikey }
    }

    fn compare(self, left: &Place, right: &Place) -> Ordering {
        let order = compare_keys(&left.key, &right.key);
        let order = order.then_with(|| left.position.cmp(&right.position));
        if matches!(self, Self::Index { backward: true, .. }) { order.reverse() } else { order }
    }
}

/// Sorts and limits the documents of a find.
pub(super) fn arranged<'d>(
    found: Vec<&'d Document>,
    find: &'d Find,
) -> Result<Vec<&'d Document>, Rejected> {
    let mut found = match Sort::read(&find.sort)? {
        Some(sort) => sort.apply(found)?,
        None => found,
    };
    if find.limit != 0 {
        found.truncate(find.limit as usize);
    }
    Ok(found)
}

fn ordered<'a>(
    order: Order<'_>,
    documents: impl Iterator<Item = (usize, &'a Document)>,
) -> Vec<(Place, usize, &'a Document)> {
    let mut placed: Vec<_> =
        documents.map(|(at, document)| (order.place(at, document), at, document)).collect();
    placed.sort_by(|(left, ..), (right, ..)| order.compare(left, right));
    placed
}

fn positions(found: &[(usize, &Document)]) -> Vec<usize> {
    let mut positions: Vec<usize> = found.iter().map(|&(at, _)| at).collect();
    positions.sort_unstable();
    positions
}

fn is_negative(direction: &Bson) -> bool {
    match direction {
        Bson::Int32(number) => *number < 0,
        Bson::Int64(number) => *number < 0,
        Bson::Double(number) => *number < 0.0,
        _ => false,
    }
}
