//! Who is who in a run: ids as people would say them, read from the record.

use std::collections::BTreeMap;

use bson::Document;
use harness::trace::{Record, RecordKind};

use super::rows::ADMINISTRATOR;
use crate::invariants::evidence::{id, text};
use crate::script;

/// The names of one run.
#[derive(Debug, Default)]
pub struct Names {
    people: BTreeMap<String, String>,
    tickets: BTreeMap<String, String>,
    /// Charge, and the name of who pays it.
    charges: BTreeMap<String, String>,
    /// Order, and the name of its buyer.
    orders: BTreeMap<String, String>,
    /// The person in whose request something began, by correlation.
    causes: BTreeMap<String, String>,
}

impl Names {
    /// The names in this record.
    pub fn of(records: &[Record]) -> Self {
        let mut names = Self::default();
        for record in records {
            let RecordKind::Write { operation, collection, input, outcome, .. } = &record.kind
            else {
                continue;
            };
            let service = record.instance.map_or("", |who| who.service);
            if *operation == "insert" && outcome.is_ok() {
                names.learn(service, collection, input);
            }
            let document = outcome.as_ref().ok().and_then(Option::as_ref);
            if let Some(document) = document {
                names.learn_charge(service, document);
            }
            let user = [Some(input), document].into_iter().flatten().map(|d| text(d, "userId"));
            let person = user.filter_map(|user| names.people.get(user)).next().cloned();
            if let (Some(origin), Some(person)) = (&record.origin, person) {
                names.causes.entry(origin.correlation.clone()).or_insert(person);
            }
        }
        names
    }

    fn learn(&mut self, service: &str, collection: &str, document: &Document) {
        let name = id(document).to_owned();
        match (service, collection) {
            ("auth", "users") => {
                self.people.insert(name, person(text(document, "email")));
            }
            ("tickets", "tickets") => {
                self.tickets.insert(name, format!("\"{}\"", text(document, "title")));
            }
            ("orders", "orders") => {
                let buyer = self.people.get(text(document, "userId"));
                let buyer = buyer.cloned().unwrap_or_else(|| "somebody".to_owned());
                let number = self.orders.values().filter(|other| is_of(other, &buyer)).count();
                let buyer = if number == 0 { buyer } else { format!("{buyer} ({})", number + 1) };
                self.orders.insert(name, buyer);
            }
            _ => {}
        }
    }

    fn learn_charge(&mut self, service: &str, document: &Document) {
        let charge = document.get_document("charge").ok().filter(|_| service == "payments");
        let buyer = self.people.get(text(document, "userId"));
        if let (Some(charge), Some(buyer)) = (charge, buyer) {
            self.charges.insert(text(charge, "id").to_owned(), format!("charge of {buyer}"));
        }
    }

    /// What is called the same everywhere.
    fn plain(&self, id: &str) -> Option<&String> {
        let maps = [&self.tickets, &self.people, &self.charges];
        maps.into_iter().find_map(|names| names.get(id))
    }

    /// The person in whose request this lane of calls of an instance began.
    pub fn behind(&self, lane: u64, instance: u32) -> Option<&str> {
        let correlation = format!("{:016x}", lane ^ u64::from(instance));
        let first = self.causes.range(correlation.clone()..).next();
        let found = first.filter(|(known, _)| known.starts_with(&correlation));
        found.map(|(_, person)| person.as_str())
    }

    /// The person in whose request something with this correlation began.
    pub fn cause(&self, correlation: &str) -> Option<&str> {
        self.causes.get(correlation).map(String::as_str)
    }

    /// What people call this id, alone; of a correlation, in whose request it began.
    pub fn of_id(&self, id: &str) -> Option<String> {
        if let Some(buyer) = self.orders.get(id) {
            return Some(format!("order of {buyer}"));
        }
        self.plain(id).or_else(|| self.causes.get(id)).cloned()
    }

    /// A sentence with names for all ids that have one.
    pub fn told(&self, sentence: &str) -> String {
        let mut told = String::new();
        for word in sentence.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let id = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let end = &word[id.len()..];
            match self.orders.get(id) {
                // «orders X and Y» become «orders of Anna and of Ben».
                Some(buyer) if announces_order(&told) => told += &format!("of {buyer}"),
                Some(buyer) => told += &format!("the order of {buyer}"),
                None => match self.plain(id) {
                    Some(name) => told += name,
                    None => told += counted(id),
                },
            }
            told += end;
        }
        told
    }
}

/// An id that is only a number, without the zeros before it.
fn counted(id: &str) -> &str {
    let is_number = id.len() >= 16 && id.bytes().all(|b| b.is_ascii_digit());
    if is_number { id.trim_start_matches('0') } else { id }
}

/// Whether what was said so far calls what follows an order.
fn announces_order(told: &str) -> bool {
    let mut words = told.trim_end().rsplit(' ');
    match words.next() {
        Some("order" | "orders") => true,
        Some("and") => words.any(|word| word == "orders"),
        _ => false,
    }
}

fn is_of(order: &str, buyer: &str) -> bool {
    order.strip_prefix(buyer).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

/// The person with this address.
fn person(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    if local == "admin" {
        return ADMINISTRATOR.to_owned();
    }
    let known = (0..=u8::MAX).map(script::name);
    let mut known = known.filter(|name| name.to_lowercase().replace(' ', ".") == local);
    known.next().unwrap_or_else(|| local.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_a_sentence_become_names() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
        };
        let names = Names {
            tickets: map(&[("a1", "\"Opera\"")]),
            orders: map(&[("b1", "Ben"), ("b2", "Cleo")]),
            ..Names::default()
        };
        assert_eq!(
            names.told("ticket a1 is held by orders b1 and b2, not by c3"),
            "ticket \"Opera\" is held by orders of Ben and of Cleo, not by c3"
        );
        assert_eq!(names.told("keeps ch_000000000000000000000001"), "keeps ch_1");
        assert_eq!(names.told("b1 has no charge"), "the order of Ben has no charge");
    }
}
