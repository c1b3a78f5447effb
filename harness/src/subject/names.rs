//! Names: readable names for the ids of a run, learned from the written documents.

use std::collections::BTreeMap;

use bson::Document;

use crate::trace::{Record, RecordKind};

/// The names of the first clients.
const CLIENTS: [&str; 12] =
    ["Anna", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jan", "Kim", "Leo"];

/// The name of the n-th client, from 0.
pub fn client(number: usize) -> String {
    let name = CLIENTS.get(number);
    name.map_or_else(|| format!("Guest {number}"), |name| (*name).to_owned())
}

/// The name of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// By a word of its own: `Anna`, `"Dracula"`.
    Plain(String),
    /// By its kind and owner: an order of Ben.
    Of {
        /// The kind, in the singular.
        kind: &'static str,
        /// The owner, perhaps with a number: `Ben (2)`.
        owner: String,
    },
}

/// A document that a service wrote.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The service.
    pub service: &'a str,
    /// The collection.
    pub collection: &'a str,
    /// The document as it is now.
    pub document: &'a Document,
    /// Whether it is new.
    pub inserted: bool,
}

/// The names of one run.
#[derive(Debug, Default, Clone)]
pub struct Names {
    names: BTreeMap<String, Name>,
    /// The client in whose request something began, by correlation.
    causes: BTreeMap<String, String>,
}

impl Names {
    /// Learns the names in these records: `learn` reads one document, and returns the name of
    /// the client that it belongs to.
    pub(crate) fn of(
        records: &[Record],
        mut learn: impl FnMut(&Written<'_>, &mut Self) -> Option<String>,
    ) -> Self {
        let mut names = Self::default();
        records.iter().for_each(|record| names.learn(record, &mut learn));
        names
    }

    /// Learns the names in one more record.
    pub(crate) fn learn(
        &mut self,
        record: &Record,
        mut learn: impl FnMut(&Written<'_>, &mut Self) -> Option<String>,
    ) {
        let RecordKind::Write { operation, collection, input, outcome, .. } = &record.kind else {
            return;
        };
        let inserted = *operation == "insert";
        let service = record.instance.map_or("", |instance| instance.service);
        let owner = match outcome {
            Ok(found) => {
                let document = found.as_ref().or(inserted.then_some(input));
                document.and_then(|document| {
                    learn(&Written { service, collection, document, inserted }, self)
                })
            }
            // A refused document has an owner too, but its ids name nothing.
            Err(_) if inserted => {
                let refused = Written { service, collection, document: input, inserted };
                learn(&refused, &mut self.clone())
            }
            Err(_) => None,
        };
        if let (Some(origin), Some(owner)) = (&record.origin, owner) {
            self.causes.entry(origin.correlation.clone()).or_insert(owner);
        }
    }

    /// Names an id.
    pub fn insert(&mut self, id: &str, name: Name) {
        self.names.entry(id.to_owned()).or_insert(name);
    }

    /// Names an id by its kind and owner; a second one of the same owner gets a number.
    pub fn insert_of(&mut self, id: &str, kind: &'static str, owner: &str) {
        let is_alike = |name: &&Name| match name {
            Name::Of { kind: other, owner: known } => {
                *other == kind
                    && known
                        .strip_prefix(owner)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
            }
            Name::Plain(_) => false,
        };
        if self.names.contains_key(id) {
            return;
        }
        let owner = match self.names.values().filter(is_alike).count() {
            0 => owner.to_owned(),
            before => format!("{owner} ({})", before + 1),
        };
        self.insert(id, Name::Of { kind, owner });
    }

    /// The word for an id that has one of its own.
    pub fn plain(&self, id: &str) -> Option<&str> {
        match self.names.get(id)? {
            Name::Plain(name) => Some(name),
            Name::Of { .. } => None,
        }
    }

    /// The client in whose request the calls of this causal chain of an instance began.
    pub(crate) fn behind(&self, chain: u64, instance: u32) -> Option<&str> {
        let correlation = format!("{:016x}", chain ^ u64::from(instance));
        let first = self.causes.range(correlation.clone()..).next();
        let found = first.filter(|(known, _)| known.starts_with(&correlation));
        found.map(|(_, client)| client.as_str())
    }

    /// The client in whose request something with this correlation began.
    pub(crate) fn cause(&self, correlation: &str) -> Option<&str> {
        self.causes.get(correlation).map(String::as_str)
    }

    /// The name of an id on its own; of a correlation, the client in whose request it began.
    pub(crate) fn of_id(&self, id: &str) -> Option<String> {
        match self.names.get(id) {
            Some(Name::Plain(name)) => Some(name.clone()),
            Some(Name::Of { kind, owner }) => Some(format!("{kind} of {owner}")),
            None => self.causes.get(id).cloned(),
        }
    }

    /// The name of an id as a noun in a sentence: `Anna`, `the order of Ben`.
    pub(crate) fn with_article(&self, id: &str) -> Option<String> {
        match self.names.get(id)? {
            Name::Plain(name) => Some(name.clone()),
            Name::Of { kind, owner } => Some(format!("the {kind} of {owner}")),
        }
    }

    /// The ids that have a word of their own, with it.
    pub(crate) fn plain_names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().filter_map(|(id, name)| match name {
            Name::Plain(name) => Some((id.as_str(), name.as_str())),
            Name::Of { .. } => None,
        })
    }

    /// The sentence with names in the place of ids.
    pub fn replace_ids(&self, sentence: &str) -> String {
        let mut replaced = String::new();
        for word in sentence.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let id = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let end = &word[id.len()..];
            match self.names.get(id) {
                Some(Name::Plain(name)) => replaced += name,
                // "loans X and Y" become "loans of Anna and of Ben".
                Some(Name::Of { kind, owner }) if announces(&replaced, kind) => {
                    replaced += &format!("of {owner}");
                }
                Some(Name::Of { kind, owner }) => replaced += &format!("the {kind} of {owner}"),
                None => replaced += without_zeros(id),
            }
            replaced += end;
        }
        replaced
    }
}

/// A long number without its leading zeros.
fn without_zeros(id: &str) -> &str {
    let is_number = id.len() >= 16 && id.bytes().all(|b| b.is_ascii_digit());
    if is_number { id.trim_start_matches('0') } else { id }
}

/// Whether the text so far already says that the next word is of this kind.
fn announces(text: &str, kind: &str) -> bool {
    let is_kind = |word: &str| word.strip_suffix('s').unwrap_or(word) == kind;
    let mut words = text.trim_end().rsplit(' ');
    match words.next() {
        Some("and") => words.any(|word| word.strip_suffix('s') == Some(kind)),
        Some(word) => is_kind(word),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_a_sentence_become_names() {
        let mut names = Names::default();
        names.insert("a1", Name::Plain("\"Dracula\"".to_owned()));
        names.insert_of("b1", "loan", "Ben");
        names.insert_of("b2", "loan", "Cleo");
        names.insert_of("b3", "loan", "Ben");
        assert_eq!(
            names.replace_ids("book a1 is held by loans b1 and b2, not by c3"),
            "book \"Dracula\" is held by loans of Ben and of Cleo, not by c3"
        );
        assert_eq!(names.replace_ids("keeps ch_000000000000000000000001"), "keeps ch_1");
        assert_eq!(names.replace_ids("b3 is late"), "the loan of Ben (2) is late");
    }
}
