//! Payloads in the format of another release, as consumers receive them during a rolling upgrade.
//!
//! Both formats are compatible with this release's, so both are valid against its schema. A newer
//! release may add fields and nothing else (see [`crate::catalog::changes`]): each object with
//! declared properties gains one that no schema has. An older release had fewer fields: optional
//! ones are left out where they are null or equal to the default of their schema. The rest keeps
//! its meaning, so every invariant still holds. One with another value stays: without it, the
//! event would say something else.

use bytes::Bytes;
use platform::catalogue::Entry;
use ports::bus::Message;
use serde_json::{Value, json};

/// The field that the format of a newer release adds.
const ADDED: &str = "addedByNewerRelease";

/// The deepest nesting of schemas that is followed: deeper ones refer to themselves.
const DEPTH: usize = 16;

/// The release whose format a payload has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    Newer,
    Older,
}

/// The message with its payload in the format of another release; unchanged where its event is
/// not declared, or where it is no JSON.
pub(super) fn reformat(message: Message, release: Release, events: &[Entry]) -> Message {
    let entry = events.iter().find(|entry| entry.subject == message.subject);
    let parsed = entry.zip(serde_json::from_slice(&message.payload).ok());
    let Some((entry, mut payload)) = parsed else { return message };
    let root = entry.schema.as_value();
    match release {
        Release::Newer => add(&mut payload, root, root),
        Release::Older => remove(&mut payload, root, root),
    }
    Message { payload: Bytes::from(payload.to_string()), ..message }
}

fn add(payload: &mut Value, schema: &Value, root: &Value) {
    let parts = parts(schema, root);
    match payload {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                parts.properties(name).for_each(|schema| add(field, schema, root));
            }
            // An object without declared properties is a map: its keys are data.
            if parts.0.iter().any(|part| part["properties"].is_object()) {
                fields.insert(ADDED.to_owned(), json!({ "since": "a newer release" }));
            }
        }
        Value::Array(items) => {
            for item in items {
                parts.items().for_each(|schema| add(item, schema, root));
            }
        }
        _ => {}
    }
}

fn remove(payload: &mut Value, schema: &Value, root: &Value) {
    let parts = parts(schema, root);
    match payload {
        Value::Object(fields) => {
            fields.retain(|name, field| parts.is_needed(name, field));
            for (name, field) in fields.iter_mut() {
                parts.properties(name).for_each(|schema| remove(field, schema, root));
            }
        }
        Value::Array(items) => {
            for item in items {
                parts.items().for_each(|schema| remove(item, schema, root));
            }
        }
        _ => {}
    }
}

/// A schema with all that it refers to and combines.
struct Parts<'a>(Vec<&'a Value>);

fn parts<'a>(schema: &'a Value, root: &'a Value) -> Parts<'a> {
    fn collect<'a>(schema: &'a Value, root: &'a Value, depth: usize, into: &mut Vec<&'a Value>) {
        if depth > DEPTH {
            return;
        }
        into.push(schema);
        let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        let target = reference.and_then(|pointer| root.pointer(pointer));
        let combined = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key));
        let combined = combined.filter_map(Value::as_array).flatten();
        target.into_iter().chain(combined).for_each(|part| collect(part, root, depth + 1, into));
    }
    let mut into = Vec::new();
    collect(schema, root, 0, &mut into);
    Parts(into)
}

impl<'a> Parts<'a> {
    /// The schemas of a property.
    fn properties(&self, name: &str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter_map(move |part| part["properties"].get(name))
    }

    /// The schemas of the items of an array.
    fn items(&self) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter_map(|part| part.get("items"))
    }

    /// False for an optional field whose absence means the same as this value.
    fn is_needed(&self, name: &str, value: &Value) -> bool {
        let required = self.0.iter().filter_map(|part| part["required"].as_array()).flatten();
        let is_required = required.into_iter().any(|one| one.as_str() == Some(name));
        let mut declared = self.properties(name).peekable();
        if is_required || declared.peek().is_none() {
            return true;
        }
        let default = declared.find_map(|schema| schema.get("default")).unwrap_or(&Value::Null);
        value != default
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::{JsonSchema, schema_for};
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Loan {
        id: String,
        note: Option<String>,
        #[serde(default)]
        renewals: i64,
        #[serde(default = "one")]
        copies: i64,
        books: Vec<Book>,
        cover: Option<Book>,
        fees: BTreeMap<String, i64>,
        version: i64,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    struct Book {
        title: String,
        pages: Option<u32>,
    }

    fn one() -> i64 {
        1
    }

    fn loan() -> Loan {
        let book = |pages| Book { title: "Emma".to_owned(), pages };
        Loan {
            id: "1".to_owned(),
            note: None,
            renewals: 0,
            copies: 1,
            books: vec![book(Some(474)), book(None)],
            cover: Some(book(None)),
            fees: BTreeMap::from([("late".to_owned(), 0)]),
            version: 0,
        }
    }

    /// The payload of another release, which is valid against the schema of this one.
    fn of(release: Release, loan: &Loan) -> Value {
        let events = [Entry {
            name: "Lent",
            subject: "loan.lent",
            from: "loans",
            to: &[],
            schema: schema_for!(Loan),
        }];
        let payload = Bytes::from(serde_json::to_vec(loan).unwrap());
        let (subject, id) = ("loan.lent".to_owned(), "7".to_owned());
        let message = Message { subject, id, headers: BTreeMap::new(), payload };
        let sent = reformat(message, release, &events);
        let payload: Value = serde_json::from_slice(&sent.payload).unwrap();
        assert!(jsonschema::is_valid(events[0].schema.as_value(), &payload), "{payload}");
        assert_eq!(serde_json::from_value::<Loan>(payload.clone()).unwrap(), *loan);
        payload
    }

    #[test]
    fn a_newer_release_adds_a_field_to_every_object_and_none_to_a_map() {
        let payload = of(Release::Newer, &loan());
        for place in ["", "/books/0", "/books/1", "/cover"] {
            assert!(payload.pointer(place).unwrap().get(ADDED).is_some(), "{place}");
        }
        assert_eq!(payload["fees"], json!({ "late": 0 }));
    }

    #[test]
    fn an_older_release_lacks_the_optional_fields_that_say_nothing() {
        let payload = of(Release::Older, &loan());
        let expected = json!({
            "id": "1",
            "books": [{ "title": "Emma", "pages": 474 }, { "title": "Emma" }],
            "cover": { "title": "Emma" },
            "fees": { "late": 0 },
            "version": 0,
        });
        assert_eq!(payload, expected);
        let told = Loan { note: Some("torn".to_owned()), renewals: 2, copies: 0, ..loan() };
        let payload = of(Release::Older, &told);
        assert_eq!(payload["note"], "torn");
        assert_eq!((&payload["renewals"], &payload["copies"]), (&json!(2), &json!(0)));
    }

    #[test]
    fn a_message_that_is_not_declared_stays_as_it_is() {
        let payload = Bytes::from_static(b"{\"id\":null}");
        let (subject, id) = ("loan.lost".to_owned(), "7".to_owned());
        let message = Message { subject, id, headers: BTreeMap::new(), payload };
        assert_eq!(reformat(message.clone(), Release::Older, &[]), message);
    }
}
