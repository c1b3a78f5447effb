//! An event carries the state of the document that it describes: every property of its schema
//! that the document has too is equal in both.

use std::collections::BTreeSet;

use bson::{Bson, Document};
use serde_json::{Map, Value};

use super::Declared;
use crate::evidence::Facts;
use crate::evidence::field::{id, text};
use crate::trace::RecordKind;

pub(super) fn check(facts: &Facts, declared: &Declared<'_>) -> Vec<String> {
    let mut violations = Vec::new();
    let (mut seen, none) = (BTreeSet::new(), Map::new());
    for record in facts.trace.iter() {
        let RecordKind::Write { outcome: Ok(Some(document)), .. } = &record.kind else { continue };
        let Ok(outbox) = document.get_array("outbox") else { continue };
        // Entries before the last one are of earlier versions, or of the same write.
        let newest = outbox.last().and_then(Bson::as_document);
        let Some(entry) = newest.filter(|entry| text(entry, "aggregate") == id(document)) else {
            continue;
        };
        if !seen.insert(text(entry, "id")) {
            continue;
        }
        let subject = text(entry, "subject");
        let Some(event) = declared.events.iter().find(|event| event.subject == subject) else {
            continue;
        };
        let payload = facts.payloads.parsed(text(entry, "payload").as_bytes());
        let payload = payload.as_deref().and_then(Value::as_object).unwrap_or(&none);
        let properties = properties(event.schema.as_value());
        let properties = properties.into_iter().flat_map(Map::keys);
        let wrong = properties.filter(|name| differs(document, payload, name));
        violations.extend(wrong.map(|name| {
            let shown = payload.get(name).unwrap_or(&Value::Null);
            let about = id(document);
            format!("{subject} about {about} has the {name} {shown}, unlike its document")
        }));
    }
    violations
}

/// The properties of a schema, which may be those of a type that it refers to.
fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(Some(schema), |pointer| schema.pointer(pointer))?["properties"].as_object()
}

/// Whether a document and a payload have different values of one name. Values of other types,
/// such as dates, are not compared.
fn differs(document: &Document, payload: &Map<String, Value>, name: &str) -> bool {
    let shown = payload.get(name).unwrap_or(&Value::Null);
    match document.get(name) {
        Some(Bson::String(text)) => shown.as_str() != Some(text),
        Some(Bson::Int64(number)) => shown.as_i64() != Some(*number),
        Some(Bson::Int32(number)) => shown.as_i64() != Some(i64::from(*number)),
        Some(Bson::Boolean(yes)) => shown.as_bool() != Some(*yes),
        Some(Bson::Null) => !shown.is_null(),
        _ => false,
    }
}
