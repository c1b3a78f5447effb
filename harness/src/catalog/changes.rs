//! The changes from one catalog to a newer one that break a reader.
//!
//! A reader ignores fields that it does not know, and messages stay in the stream for long. So a
//! newer event may add an optional field, and nothing else: a reader of old code must understand
//! new messages, and a reader of new code old ones.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Catalog, Event, target};

/// A change that breaks a reader of an event, or a client of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking {
    /// The event or the route, and the field where it is one: `Lent.book.pages`.
    pub place: String,
    /// The change, as the end of a sentence that begins with the place.
    pub change: String,
    /// The services that read the event, or the one that has the route.
    pub readers: Vec<String>,
}

/// A field of a payload.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) types: BTreeSet<String>,
    /// The values that it is limited to; empty where it is not.
    pub(super) values: BTreeSet<String>,
    pub(super) is_required: bool,
}

/// The changes from one catalog to another that break a reader.
pub fn breaking(old: &Catalog, new: &Catalog) -> Vec<Breaking> {
    let mut found = Vec::new();
    for event in &old.events {
        match new.events.iter().find(|other| other.name == event.name) {
            Some(other) => compare(event, other, &mut found),
            None => found.push(Breaking {
                place: event.name.clone(),
                change: "is gone".to_owned(),
                readers: event.to.clone(),
            }),
        }
    }
    found
}

fn compare(old: &Event, new: &Event, found: &mut Vec<Breaking>) {
    let mut add = |field: &str, change: String| {
        let place =
            if field.is_empty() { old.name.clone() } else { format!("{}.{field}", old.name) };
        found.push(Breaking { place, change, readers: old.to.clone() });
    };
    if old.subject != new.subject {
        add("", format!("moves from {} to {}", old.subject, new.subject));
    }
    let (before, after) = (fields(&old.schema), fields(&new.schema));
    for (path, field) in &before {
        let Some(other) = after.get(path) else {
            add(path, "is removed".to_owned());
            continue;
        };
        let news: Vec<&str> = other.types.difference(&field.types).map(String::as_str).collect();
        if !news.is_empty() {
            let were: Vec<&str> = field.types.iter().map(String::as_str).collect();
            add(path, format!("becomes {} where it was {}", news.join(" or "), were.join(" or ")));
        }
        if field.is_required && !other.is_required {
            add(path, "becomes optional".to_owned());
        }
        if !field.is_required && other.is_required {
            add(path, "becomes required, which stored messages may lack".to_owned());
        }
        if !field.values.is_empty() {
            let news = other.values.difference(&field.values);
            let news: Vec<&str> = news.map(String::as_str).collect();
            if other.values.is_empty() {
                add(path, "may have any value".to_owned());
            } else if !news.is_empty() {
                add(path, format!("may be {} now", news.join(" or ")));
            }
        }
    }
    let added =
        after.iter().filter(|(path, field)| !before.contains_key(*path) && field.is_required);
    for (path, _) in added {
        add(path, "is new and required, which stored messages lack".to_owned());
    }
}

/// The fields of a payload by their paths.
fn fields(schema: &Value) -> BTreeMap<String, Field> {
    fields_of(schema, schema)
}

/// The fields of a schema by their paths; its references start at this root.
pub(super) fn fields_of(root: &Value, schema: &Value) -> BTreeMap<String, Field> {
    let mut fields = BTreeMap::new();
    let mut visit = Visit { root, fields: &mut fields };
    visit.schema(schema, "", true, 0);
    fields
}

struct Visit<'a> {
    root: &'a Value,
    fields: &'a mut BTreeMap<String, Field>,
}

impl<'a> Visit<'a> {
    /// Deeper payloads than this refer to themselves.
    const DEPTH: usize = 16;

    fn schema(&mut self, schema: &'a Value, path: &str, is_required: bool, depth: usize) {
        if depth > Self::DEPTH {
            return;
        }
        if let Some(target) = target(self.root, schema) {
            self.schema(target, path, is_required, depth + 1);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for one in schema[key].as_array().into_iter().flatten() {
                self.schema(one, path, is_required, depth + 1);
            }
        }
        if !path.is_empty() {
            let field = self.fields.entry(path.to_owned()).or_default();
            field.is_required |= is_required;
            match &schema["type"] {
                Value::String(name) => drop(field.types.insert(name.clone())),
                Value::Array(names) => {
                    field.types.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                _ => {}
            }
            let values = schema["enum"].as_array().into_iter().flatten().chain(schema.get("const"));
            field.values.extend(values.map(ToString::to_string));
        }
        let required = schema["required"].as_array();
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let is_required =
                required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.schema(inner, &path, is_required, depth + 1);
        }
        if let Some(items) = schema.get("items") {
            self.schema(items, &format!("{path}[]"), true, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn catalog(schema: Value) -> Catalog {
        let (name, subject) = ("Lent".to_owned(), "loan.lent".to_owned());
        let (from, to) = ("loans".to_owned(), vec!["returns".to_owned()]);
        Catalog { subject: "the library", events: vec![Event { name, subject, from, to, schema }] }
    }

    fn state() -> Value {
        json!({
            "type": "object",
            "properties": {
                "id": { "type": "string" },
                "status": { "oneOf": [{ "const": "lent" }, { "const": "back" }] },
                "book": { "$ref": "#/$defs/Book" },
                "note": { "type": ["string", "null"] },
            },
            "required": ["id", "status", "book"],
            "$defs": {
                "Book": {
                    "type": "object",
                    "properties": { "pages": { "type": "integer" } },
                    "required": ["pages"],
                },
            },
        })
    }

    /// The changes, after this change of the schema.
    fn after(change: impl Fn(&mut Value)) -> Vec<String> {
        let mut schema = state();
        change(&mut schema);
        let found = breaking(&catalog(state()), &catalog(schema));
        found.into_iter().map(|one| format!("{} {}", one.place, one.change)).collect()
    }

    #[test]
    fn an_optional_field_breaks_nobody() {
        assert!(after(|_| {}).is_empty());
        assert!(after(|s| s["properties"]["due"] = json!({ "type": "string" })).is_empty());
    }

    #[test]
    fn every_other_change_names_its_field() {
        let removed = after(|s| drop(s["properties"].as_object_mut().map(|p| p.remove("note"))));
        assert_eq!(removed, ["Lent.note is removed"]);
        let pages = after(|s| s["$defs"]["Book"]["properties"]["pages"]["type"] = json!("string"));
        assert_eq!(pages, ["Lent.book.pages becomes string where it was integer"]);
        let optional = after(|s| s["required"] = json!(["id", "status"]));
        assert_eq!(optional, ["Lent.book becomes optional"]);
        let value = after(|s| {
            s["properties"]["status"]["oneOf"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "const": "lost" }));
        });
        assert_eq!(value, ["Lent.status may be \"lost\" now"]);
        let required = after(|s| s["required"] = json!(["id", "status", "book", "note"]));
        assert_eq!(required, ["Lent.note becomes required, which stored messages may lack"]);
        let new = after(|s| {
            s["properties"]["due"] = json!({ "type": "string" });
            s["required"].as_array_mut().unwrap().push(json!("due"));
        });
        assert_eq!(new, ["Lent.due is new and required, which stored messages lack"]);
    }

    #[test]
    fn an_event_that_is_gone_names_its_readers() {
        let found =
            breaking(&catalog(state()), &Catalog { subject: "the library", events: vec![] });
        assert_eq!(found[0].readers, ["returns"]);
        assert_eq!((found[0].place.as_str(), found[0].change.as_str()), ("Lent", "is gone"));
    }
}
