//! The catalog of ticketing's events: complete, and true to the types.

use std::collections::BTreeSet;

use harness::catalog::{Catalog, asyncapi, changes, text};
use harness::subject::AnySubject;
use scenarios::Ticketing;
use serde_json::Value;

fn catalog() -> (AnySubject, Catalog) {
    let subject = AnySubject::new(Ticketing);
    let catalog = Catalog::of(subject.name(), subject.events());
    (subject, catalog)
}

#[test]
fn every_listener_is_declared_and_every_declaration_has_a_listener() {
    let (subject, mut catalog) = catalog();
    assert_eq!(catalog.undeclared(subject.topology()), [""; 0]);
    let created = catalog.events.iter_mut().find(|event| event.name == "OrderCreated").unwrap();
    created.to.retain(|service| service != "payments");
    created.to.push("auth".to_owned());
    assert_eq!(
        catalog.undeclared(subject.topology()),
        [
            "OrderCreated declares auth as a consumer that has no listener",
            "payments consumes OrderCreated, which does not declare it",
        ]
    );
}

#[test]
fn the_page_has_the_fields_of_each_event() {
    let page = text::markdown(&catalog().1);
    for row in [
        "| `ticket.price` | integer | The price in cents. |",
        "| `reason` | `user`, `expired`, `payment failed`, optional |",
        "| `status` | `created`, `awaiting:payment`, `complete`, `cancelled` |",
        "| `expiresAt` | time | The end of the reservation window. |",
    ] {
        assert!(page.contains(row), "no {row} in\n{page}");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = asyncapi::document(&catalog().1, "1");
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 40, "{}", references.len());
    let lost = references.iter().filter(|reference| {
        reference.strip_prefix('#').is_none_or(|at| document.pointer(at).is_none())
    });
    assert_eq!(lost.collect::<Vec<_>>(), Vec::<&String>::new());
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[test]
fn a_price_in_another_unit_breaks_three_readers() {
    let (_, old) = catalog();
    let (_, mut new) = catalog();
    let created = new.events.iter_mut().find(|event| event.name == "OrderCreated").unwrap();
    let text = created
        .schema
        .to_string()
        .replace(r#""format":"int64","type":"integer""#, r#""type":"number""#);
    created.schema = serde_json::from_str(&text).unwrap();
    let found = changes::breaking(&old, &new);
    let price = found.iter().find(|one| one.place == "OrderCreated.ticket.price").unwrap();
    assert_eq!(price.readers, ["tickets", "expiration", "payments"]);
    assert!(changes::breaking(&old, &old).is_empty());
}
