//! An operation: what one client does, as plain data that is drawn, shrunk, renamed, printed
//! and read back.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A name in an operation.
#[derive(Debug)]
pub enum Reference<'a> {
    /// The name of a client.
    Client(&'a mut String),
    /// The name of a thing of this kind, such as the title of a book.
    Thing(&'static str, &'a mut String),
}

/// An operation of a client.
///
/// It displays as a sentence without a full stop: `Ben reserves "Dracula"`.
pub trait Operation:
    Clone + PartialEq + fmt::Debug + fmt::Display + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The names of clients and things. Shrinking replaces them by the first of
    /// [`Subject::client_name`](super::Subject::client_name) and
    /// [`Subject::thing_name`](super::Subject::thing_name).
    fn references(&mut self) -> Vec<Reference<'_>> {
        Vec::new()
    }

    /// Simpler operations for shrinking to try in its place, the simplest first: a round
    /// price, for instance. None of them may simplify to this one again.
    fn simpler(&self) -> Vec<Self> {
        Vec::new()
    }

    /// The operation as the cells of a Gherkin table row. [`Self::from_cells`] reads it back.
    fn cells(&self) -> Vec<String> {
        vec![serde_json::to_string(self).expect("an operation is plain data")]
    }

    /// The operation that these cells describe; `None` where there is none.
    fn from_cells(cells: &[&str]) -> Option<Self> {
        let [json] = cells else { return None };
        serde_json::from_str(json).ok()
    }
}

/// An operation of any subject. Clones share it.
#[derive(Clone)]
pub struct AnyOperation(Arc<dyn Erased>);

trait Erased: fmt::Debug + fmt::Display + Send + Sync {
    fn any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn Erased) -> bool;
    fn json(&self) -> Value;
    fn cells(&self) -> Vec<String>;
    fn simpler(&self) -> Vec<AnyOperation>;
    fn renamed(&self, rename: &mut dyn FnMut(Option<&'static str>, &mut String)) -> AnyOperation;
}

impl<O: Operation> Erased for O {
    fn any(&self) -> &dyn Any {
        self
    }

    fn equals(&self, other: &dyn Erased) -> bool {
        other.any().downcast_ref::<O>() == Some(self)
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).expect("an operation is plain data")
    }

    fn cells(&self) -> Vec<String> {
        Operation::cells(self)
    }

    fn simpler(&self) -> Vec<AnyOperation> {
        Operation::simpler(self).into_iter().map(AnyOperation::new).collect()
    }

    fn renamed(&self, rename: &mut dyn FnMut(Option<&'static str>, &mut String)) -> AnyOperation {
        let mut renamed = self.clone();
        for reference in renamed.references() {
            match reference {
                Reference::Client(name) => rename(None, name),
                Reference::Thing(kind, name) => rename(Some(kind), name),
            }
        }
        AnyOperation::new(renamed)
    }
}

impl AnyOperation {
    /// This operation without its type.
    pub fn new<O: Operation>(operation: O) -> Self {
        Self(Arc::new(operation))
    }

    /// The operation, where it is one of this type.
    pub fn downcast<O: Operation>(&self) -> Option<&O> {
        self.0.any().downcast_ref()
    }

    /// As [`Operation::cells`].
    pub fn cells(&self) -> Vec<String> {
        self.0.cells()
    }

    /// As [`Operation::simpler`].
    pub fn simpler(&self) -> Vec<Self> {
        self.0.simpler()
    }

    /// The names of the clients in it.
    pub fn clients(&self) -> Vec<String> {
        let mut clients = Vec::new();
        self.renamed(|kind, name| {
            if kind.is_none() && !clients.contains(name) {
                clients.push(name.clone());
            }
        });
        clients
    }

    /// The same operation with other names: `rename` gets the kind of a thing (`None` for a
    /// client) and its name.
    pub fn renamed(&self, mut rename: impl FnMut(Option<&'static str>, &mut String)) -> Self {
        self.0.renamed(&mut rename)
    }
}

impl PartialEq for AnyOperation {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
    }
}

impl Eq for AnyOperation {}

impl fmt::Debug for AnyOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for AnyOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for AnyOperation {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.json().serialize(to)
    }
}
