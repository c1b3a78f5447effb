//! JSON Schemas inside a larger document, where references start at the root of the document.

use serde_json::{Map, Value};

/// The place of schemas in a document.
const SCHEMAS: &str = "#/components/schemas/";

/// The schema with its definitions moved to the schemas of the document. Another owner may have
/// another definition of the same name: then the name of this one begins with its `owner`.
pub(super) fn hoisted(schema: &Value, owner: &str, schemas: &mut Map<String, Value>) -> Value {
    let mut schema = schema.clone();
    let Some(object) = schema.as_object_mut() else { return schema };
    object.remove("$schema");
    let definitions = object.remove("$defs");
    let moved =
        |reference: &str| reference.strip_prefix("#/$defs/").map(|name| format!("{SCHEMAS}{name}"));
    refer(&mut schema, &moved);
    let Some(Value::Object(mut definitions)) = definitions else { return schema };
    definitions.values_mut().for_each(|definition| refer(definition, &moved));
    let taken = |(name, definition): &(&String, &Value)| {
        schemas.get(*name).is_some_and(|known| known != *definition)
    };
    let taken: Vec<String> =
        definitions.iter().filter(taken).map(|(name, _)| name.clone()).collect();
    let own = |name: &str| match taken.iter().any(|taken| taken == name) {
        true => format!("{owner}{name}"),
        false => name.to_owned(),
    };
    let renamed = |reference: &str| {
        reference.strip_prefix(SCHEMAS).map(|name| format!("{SCHEMAS}{}", own(name)))
    };
    refer(&mut schema, &renamed);
    for (name, mut definition) in definitions {
        refer(&mut definition, &renamed);
        schemas.insert(own(&name), definition);
    }
    schema
}

/// As [`hoisted`], and the schema itself moves too, under its title: returns a reference to it. A
/// list and a schema without a title stay in place.
pub(super) fn referred(schema: &Value, owner: &str, schemas: &mut Map<String, Value>) -> Value {
    let mut schema = hoisted(schema, owner, schemas);
    let is_object = schema.get("properties").is_some();
    let title = schema.as_object_mut().and_then(|object| object.remove("title"));
    let (true, Some(Value::String(title))) = (is_object, title) else { return schema };
    let name = match schemas.get(&title) {
        Some(known) if *known != schema => format!("{owner}{title}"),
        _ => title,
    };
    let reference = serde_json::json!({ "$ref": format!("{SCHEMAS}{name}") });
    schemas.insert(name, schema);
    reference
}

/// Replaces references.
fn refer(schema: &mut Value, replaced: &impl Fn(&str) -> Option<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(other) = replaced(reference)
            {
                *reference = other;
            }
            object.values_mut().for_each(|value| refer(value, replaced));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| refer(value, replaced)),
        _ => {}
    }
}
