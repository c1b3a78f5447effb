//! The calls of a case, and their replies.

use std::borrow::Cow;
use std::fmt;

use bson::Document;
use futures::future::join;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use crate::store::Exact;

/// The most characters of a document that are shown.
const SHOWN: usize = 300;

/// One call, or several at the same time.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Insert(Document),
    Get(String),
    Find(Find),
    Update(Update),
    Ensure(Vec<Index>),
    /// A find while one writer makes these updates, one after another. In simulation the find
    /// takes its steps after these many of them.
    Race {
        find: Find,
        updates: Vec<Update>,
        before: usize,
        between: usize,
    },
}

/// A reply, without the text of an error.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Documents(Vec<Exact>),
    Duplicate(String),
    Rejected(Reason),
    /// The store failed: the comparison is void.
    Failed(String),
    /// Of the find, and of the updates.
    Race(Box<Reply>, Vec<Reply>),
}

/// The reason for a rejection, which is shown and not compared.
#[derive(Debug, Clone)]
pub(super) struct Reason(pub(super) String);

impl PartialEq for Reason {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Performs the operation. The order of documents counts only where the operation has one.
pub(super) async fn perform(store: &dyn Store, collection: &str, operation: &Operation) -> Reply {
    match operation {
        Operation::Insert(document) => {
            written(store.insert(collection, document.clone()).await.map(|()| None))
        }
        Operation::Get(id) => read(store.get(collection, id).await),
        Operation::Find(find) => self::find(store, collection, find).await,
        Operation::Update(update) => written(store.update(collection, update.clone()).await),
        Operation::Ensure(indexes) => {
            written(store.ensure(collection, indexes).await.map(|()| None))
        }
        Operation::Race { find, updates, .. } => {
            let writer = async {
                let mut replies = Vec::with_capacity(updates.len());
                for update in updates {
                    replies.push(written(store.update(collection, update.clone()).await));
                }
                replies
            };
            let (found, updated) = join(self::find(store, collection, find), writer).await;
            Reply::Race(Box::new(found), updated)
        }
    }
}

/// Performs a find alone.
pub(super) async fn find(store: &dyn Store, collection: &str, find: &Find) -> Reply {
    match read(store.find(collection, find.clone()).await) {
        Reply::Documents(mut documents) if find.sort.is_empty() => {
            documents.sort_by(|left, right| id(&left.0).cmp(id(&right.0)));
            Reply::Documents(documents)
        }
        reply => reply,
    }
}

/// The id of a stored document.
pub(super) fn id(document: &Document) -> &str {
    document.get_str("_id").unwrap_or_default()
}

fn written(result: Result<Option<Document>, WriteError>) -> Reply {
    match result {
        Ok(document) => Reply::Documents(document.into_iter().map(Exact).collect()),
        Err(WriteError::Duplicate { index }) => Reply::Duplicate(index),
        Err(WriteError::Rejected(why)) => Reply::Rejected(Reason(why)),
        Err(other) => Reply::Failed(other.to_string()),
    }
}

fn read(result: Result<impl IntoIterator<Item = Document>, ReadError>) -> Reply {
    match result {
        Ok(documents) => Reply::Documents(documents.into_iter().map(Exact).collect()),
        Err(ReadError::Rejected(why)) => Reply::Rejected(Reason(why)),
        Err(other) => Reply::Failed(other.to_string()),
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(document) => write!(f, "insert {}", shown(document)),
            Self::Get(id) => write!(f, "get {id:?}"),
            Self::Find(find) => write!(f, "find {}", Finding(find)),
            Self::Update(update) => write!(f, "{}", Updating(update)),
            Self::Ensure(indexes) => {
                f.write_str("ensure")?;
                indexes.iter().try_for_each(|index| {
                    let unique = if index.unique { " unique" } else { "" };
                    write!(f, " {}{unique} on {:?}", index.name, index.keys)?;
                    let partial = index.partial.iter();
                    partial.into_iter().try_for_each(|partial| write!(f, " if {partial}"))
                })
            }
            Self::Race { find, updates, before, between } => {
                write!(f, "find {} after {before} and {between} of", Finding(find))?;
                updates.iter().try_for_each(|update| write!(f, "\n     {}", Updating(update)))
            }
        }
    }
}

struct Finding<'a>(&'a Find);

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Find { filter, sort, limit } = self.0;
        write!(f, "{} sort {sort} limit {limit}", shown(filter))
    }
}

struct Updating<'a>(&'a Update);

impl fmt::Display for Updating<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Update { filter, change, upsert } = self.0;
        let name = if *upsert { "upsert" } else { "update" };
        write!(f, "{name} {} with {}", shown(filter), shown(change))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Documents(documents) if documents.is_empty() => f.write_str("nothing"),
            Self::Documents(documents) => {
                let shown: Vec<String> = documents.iter().map(|own| shown(&own.0)).collect();
                f.write_str(&shown.join(" "))
            }
            Self::Duplicate(index) => write!(f, "duplicate in {index}"),
            Self::Rejected(Reason(why)) => write!(f, "rejected: {}", cut(why)),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Race(find, updates) => {
                write!(f, "find: {find}")?;
                updates.iter().try_for_each(|update| write!(f, "; update: {update}"))
            }
        }
    }
}

/// The document with its types, abbreviated.
fn shown(document: &Document) -> String {
    cut(&format!("{document:?}")).into_owned()
}

/// The begin of a text.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()).into(),
        None => text.into(),
    }
}
