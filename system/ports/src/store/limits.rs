//! The limits of a call on the store: those of MongoDB 6.0.
//!
//! Every adapter checks a call here before it does anything else, so a call that is too large,
//! too deep or badly named is refused alike by all, as a bug of the caller, and never cuts off
//! the connection of others. The limits that depend on the contents of the store are the
//! adapters' own: the size and depth of an updated document, and the number of indexes.
//!
//! Source: "MongoDB Limits and Thresholds", and the server's `BSONDepth`, `NamespaceString` and
//! `index_key_validate`. Where the server takes more than it documents, the server counts.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};

use super::{Find, Index, ReadError, Update, WriteError};

/// The most bytes of a document, encoded as BSON.
pub const MAX_SIZE: usize = 16 * 1024 * 1024;
/// The most bytes of the filter and the change, or the filter and the sort, of one call. The
/// rest of the server's limit is for the command around them.
pub const MAX_CALL_SIZE: usize = MAX_SIZE - 16 * 1024;
/// The deepest level of a field in a document, where its own fields are at level 1.
pub const MAX_LEVELS: usize = 180;
/// The deepest level of a field in a filter or a change.
pub const MAX_CALL_LEVELS: usize = 199;
/// The most components of a dotted path.
pub const MAX_PATH: usize = 180;
/// The most bytes of a database's name.
pub const MAX_DATABASE: usize = 63;
/// The most bytes of a database's and a collection's name, with a dot between them.
pub const MAX_NAMESPACE: usize = 255;
/// The most indexes of a collection, besides the one of the `_id`.
pub const MAX_INDEXES: usize = 63;
/// The most fields of an index.
pub const MAX_INDEX_FIELDS: usize = 32;

/// The limit that a call exceeds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Exceeded {
    /// A document, or the arguments of a call, are too large.
    #[error("{size} bytes are more than {max}")]
    Size {
        /// In bytes.
        size: usize,
        /// In bytes.
        max: usize,
    },
    /// A document is nested too deeply.
    #[error("a document is nested more than {0} levels deep")]
    Levels(usize),
    /// BSON cannot encode the name of a field.
    #[error("the field name {0:?} contains a null byte")]
    NullByte(String),
    /// A dotted path has too many components.
    #[error("a path has {0} components, more than {MAX_PATH}")]
    Path(usize),
    /// A path at which an update cannot write. Positional operators are no part of the port.
    #[error("a path to write at contains a component that is empty or begins with $: {0:?}")]
    Target(String),
    /// The server does not accept the name of a database.
    #[error("{0:?} is not a valid name of a database")]
    Database(String),
    /// The server does not accept the name of a collection, or reserves it.
    #[error("{0:?} is not a valid name of a collection in this database")]
    Collection(String),
    /// The server does not accept the definition of an index.
    #[error("index {name:?}: {reason}")]
    Index {
        /// The name of the index.
        name: String,
        /// The rule that it violates.
        reason: &'static str,
    },
}

impl From<Exceeded> for ReadError {
    fn from(exceeded: Exceeded) -> Self {
        Self::Rejected(exceeded.to_string())
    }
}

impl From<Exceeded> for WriteError {
    fn from(exceeded: Exceeded) -> Self {
        Self::Rejected(exceeded.to_string())
    }
}

/// Checks the names of a collection and its database.
///
/// # Errors
/// [`Exceeded::Database`] and [`Exceeded::Collection`].
pub fn names(database: &str, collection: &str) -> Result<(), Exceeded> {
    let odd = ['/', '\\', '.', ' ', '"', '$', '*', '<', '>', ':', '|', '?', '\0'];
    if database.is_empty() || database.len() > MAX_DATABASE || database.contains(odd) {
        return Err(Exceeded::Database(database.to_owned()));
    }
    let reserved = collection.starts_with("system.") || collection.contains(".system.");
    if collection.is_empty()
        || collection.starts_with('.')
        || collection.contains(['$', '\0'])
        || reserved
        || database.len() + 1 + collection.len() > MAX_NAMESPACE
    {
        return Err(Exceeded::Collection(collection.to_owned()));
    }
    Ok(())
}

/// Checks a document that is to be stored.
///
/// # Errors
/// [`Exceeded::Size`], [`Exceeded::Levels`] and [`Exceeded::NullByte`].
pub fn document(document: &Document) -> Result<(), Exceeded> {
    at_most(MAX_SIZE, size(document, MAX_LEVELS)?)
}

/// Checks a query.
///
/// # Errors
/// As [`document()`], and [`Exceeded::Path`].
pub fn find(find: &Find) -> Result<(), Exceeded> {
    let size = filter(&find.filter)? + size(&find.sort, MAX_CALL_LEVELS)?;
    find.sort.keys().try_for_each(|path| self::path(path))?;
    at_most(MAX_CALL_SIZE, size)
}

/// Checks an update, but not the document that it results in.
///
/// # Errors
/// As [`document()`], and [`Exceeded::Path`] and [`Exceeded::Target`].
pub fn update(update: &Update) -> Result<(), Exceeded> {
    changed(&update.filter, &update.change)
}

/// Checks a change of several documents, as [`update`].
///
/// # Errors
/// As [`update()`].
pub fn update_many(ids: &[String], change: &Document) -> Result<(), Exceeded> {
    changed(&doc! { "_id": { "$in": ids } }, change)
}

fn changed(which: &Document, change: &Document) -> Result<(), Exceeded> {
    let size = filter(which)? + size(change, MAX_CALL_LEVELS)?;
    for operand in change.values().filter_map(Bson::as_document) {
        for path in operand.keys() {
            self::path(path)?;
            if path.split('.').any(|part| part.is_empty() || part.starts_with('$')) {
                return Err(Exceeded::Target(path.clone()));
            }
        }
    }
    at_most(MAX_CALL_SIZE, size)
}

/// Checks the indexes of one call of [`Store::ensure`](super::Store::ensure), but not that the
/// collection has room for them.
///
/// # Errors
/// [`Exceeded::Index`], [`Exceeded::Path`] and, for the partial filters, as [`document()`].
pub fn indexes(indexes: &[Index]) -> Result<(), Exceeded> {
    let mut names = BTreeSet::new();
    let mut locks = BTreeSet::new();
    for index in indexes {
        let reject = |reason| Err(Exceeded::Index { name: index.name.to_owned(), reason });
        if ["", "*", "_id_"].contains(&index.name) || index.name.contains('\0') {
            return reject("the name is empty, reserved or contains a null byte");
        }
        if !names.insert(index.name) {
            return reject("the name occurs twice");
        }
        if index.unique && !locks.insert(index.keys) {
            return reject("two unique indexes on the same fields cannot be told apart");
        }
        if index.keys.is_empty() || index.keys.len() > MAX_INDEX_FIELDS {
            return reject("an index has one field at least and 32 at most");
        }
        if index.expires && index.keys.len() > 1 {
            return reject("an index that removes documents has one field");
        }
        if index.keys == ["_id"] {
            return reject("the index of the _id exists already");
        }
        if index.keys.iter().collect::<BTreeSet<_>>().len() < index.keys.len() {
            return reject("a field occurs twice");
        }
        let bad = |part: &str| part.is_empty() || part.starts_with('$') || part.contains('\0');
        if index.keys.iter().any(|key| key.split('.').any(bad)) {
            return reject("a field is empty, begins with a dollar sign or contains a null byte");
        }
        index.keys.iter().try_for_each(|key| path(key))?;
        index.partial.iter().try_for_each(document)?;
    }
    Ok(())
}

/// The size of a filter. Each of its names may be a path.
fn filter(filter: &Document) -> Result<usize, Exceeded> {
    fn paths(value: &Bson) -> Result<(), Exceeded> {
        match value {
            Bson::Document(inner) => inner.iter().try_for_each(|(name, value)| {
                path(name)?;
                paths(value)
            }),
            Bson::Array(items) => items.iter().try_for_each(paths),
            _ => Ok(()),
        }
    }
    // First, because it bounds the depth of the other.
    let size = size(filter, MAX_CALL_LEVELS)?;
    filter.iter().try_for_each(|(name, value)| {
        path(name)?;
        paths(value)
    })?;
    Ok(size)
}

fn path(path: &str) -> Result<(), Exceeded> {
    match path.bytes().filter(|&byte| byte == b'.').count() + 1 {
        components if components > MAX_PATH => Err(Exceeded::Path(components)),
        _ => Ok(()),
    }
}

fn at_most(max: usize, size: usize) -> Result<(), Exceeded> {
    if size > max { Err(Exceeded::Size { size, max }) } else { Ok(()) }
}

/// The encoded size of a document with fields at most `levels` deep. Goes no deeper than that,
/// so that no document exhausts the stack.
fn size(document: &Document, levels: usize) -> Result<usize, Exceeded> {
    fields(document, 1, levels)
}

/// The size of a document whose fields are at this level.
fn fields(document: &Document, level: usize, max: usize) -> Result<usize, Exceeded> {
    document.iter().try_fold(EMPTY, |sum, (name, value)| {
        if name.contains('\0') {
            return Err(Exceeded::NullByte(name.clone()));
        }
        Ok(sum + FIELD + name.len() + of_value(value, level, max)?)
    })
}

/// The size of an empty document: its length and its end.
const EMPTY: usize = 4 + 1;
/// The size of a field besides its name and its value: the type, and the end of the name.
const FIELD: usize = 1 + 1;
/// The size of a text besides itself: its length and its end.
const TEXT: usize = 4 + 1;

fn of_value(value: &Bson, level: usize, max: usize) -> Result<usize, Exceeded> {
    if level > max {
        return Err(Exceeded::Levels(max));
    }
    Ok(match value {
        Bson::Document(inner) => fields(inner, level + 1, max)?,
        Bson::Array(items) => items.iter().enumerate().try_fold(EMPTY, |sum, (at, item)| {
            let digits = at.checked_ilog10().unwrap_or(0) as usize + 1;
            Ok(sum + FIELD + digits + of_value(item, level + 1, max)?)
        })?,
        Bson::String(text) | Bson::Symbol(text) | Bson::JavaScriptCode(text) => TEXT + text.len(),
        Bson::JavaScriptCodeWithScope(code) => {
            4 + TEXT + code.code.len() + fields(&code.scope, level + 1, max)?
        }
        Bson::Binary(binary) => 4 + 1 + binary.bytes.len(),
        Bson::RegularExpression(regex) => {
            regex.pattern.as_str().len() + regex.options.as_str().len() + 2
        }
        Bson::Double(_) | Bson::Int64(_) | Bson::DateTime(_) | Bson::Timestamp(_) => 8,
        Bson::Int32(_) => 4,
        Bson::Boolean(_) => 1,
        Bson::ObjectId(_) => 12,
        Bson::Decimal128(_) => 16,
        // Deprecated, and its text is private.
        Bson::DbPointer(_) => TEXT + 12,
        Bson::Null | Bson::Undefined | Bson::MinKey | Bson::MaxKey => 0,
    })
}

#[cfg(test)]
mod tests;
