//! The changes from one OpenAPI document to a newer one that break a client.
//!
//! A client ignores fields of an answer that it does not know, and sends what the old document
//! asks for. So a newer route may take an optional field more and show a field more, and nothing
//! less.

use serde_json::{Map, Value};

use super::changes::{Breaking, Field, fields_of};

/// A route of a document, with what its references lead to.
struct Operation<'a> {
    root: &'a Value,
    described: &'a Value,
}

/// The changes from one document to another that break a client.
pub fn breaking(old: &Value, new: &Value) -> Vec<Breaking> {
    let mut found = Vec::new();
    for (path, methods) in old["paths"].as_object().into_iter().flatten() {
        for (method, described) in methods.as_object().into_iter().flatten() {
            let place = format!("{} {path}", method.to_uppercase());
            let tags = described["tags"].as_array().into_iter().flatten();
            let readers: Vec<String> = tags.filter_map(Value::as_str).map(str::to_owned).collect();
            let mut add = |at: &str, change: String| {
                let place = if at.is_empty() { place.clone() } else { format!("{place} {at}") };
                found.push(Breaking { place, change, readers: readers.clone() });
            };
            let after = &new["paths"][path][method];
            if after.is_null() {
                add("", "is gone".to_owned());
                continue;
            }
            let before = Operation { root: old, described };
            let after = Operation { root: new, described: after };
            compare(&before, &after, &mut add);
        }
    }
    found
}

fn compare(old: &Operation<'_>, new: &Operation<'_>, add: &mut impl FnMut(&str, String)) {
    if new.needs_session() && !old.needs_session() {
        add("", "needs a session now".to_owned());
    }
    for (name, is_required) in new.parameters() {
        let before = old.parameters().find(|(known, _)| *known == name);
        if is_required && !before.is_some_and(|(_, was_required)| was_required) {
            add(name, "is a parameter that is required now".to_owned());
        }
    }
    for (name, _) in old.parameters() {
        if new.parameters().all(|(known, _)| known != name) {
            add(name, "is no parameter any more".to_owned());
        }
    }
    match (old.body(), new.body()) {
        (None, Some(_)) => add("", "needs a body now".to_owned()),
        (Some(before), Some(after)) => {
            compare_input(&(old.root, before), &(new.root, after), add);
        }
        _ => {}
    }
    for (status, answer) in old.answers() {
        let Some(other) = new.described["responses"].get(status) else {
            add(status, "is no answer any more".to_owned());
            continue;
        };
        compare_output(status, &(old.root, answer), &(new.root, other), add);
        for (name, _) in answer["headers"].as_object().into_iter().flatten() {
            if other["headers"].get(name).is_none() {
                add(&format!("{status} {name}"), "is removed".to_owned());
            }
        }
    }
}

impl<'a> Operation<'a> {
    fn needs_session(&self) -> bool {
        let mut choices = self.described["security"].as_array().into_iter().flatten().peekable();
        choices.peek().is_some()
            && choices.all(|choice| choice.as_object().is_some_and(|names| !names.is_empty()))
    }

    fn parameters(&self) -> impl Iterator<Item = (&'a str, bool)> {
        let parameters = self.described["parameters"].as_array().into_iter().flatten();
        parameters.filter_map(|parameter| {
            Some((parameter["name"].as_str()?, parameter["required"] == true))
        })
    }

    fn body(&self) -> Option<&'a Value> {
        self.described["requestBody"].pointer(SCHEMA)
    }

    fn answers(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.described["responses"].as_object().into_iter().flat_map(Map::iter)
    }
}

/// The place of the schema in a body.
const SCHEMA: &str = "/content/application~1json/schema";

/// A part of a document, and the whole of it.
type Part<'a> = (&'a Value, &'a Value);

fn compare_input(old: &Part<'_>, new: &Part<'_>, add: &mut impl FnMut(&str, String)) {
    let (before, after) = (fields_of(old.0, old.1), fields_of(new.0, new.1));
    for (path, field) in &after {
        let known = before.get(path);
        if field.is_required && !known.is_some_and(|known| known.is_required) {
            add(path, "is required now".to_owned());
        }
        let Some(known) = known else { continue };
        narrowed(path, known, field, add);
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        add(path, "is not read any more".to_owned());
    }
}

/// The types and values of an input that are not accepted any more.
fn narrowed(path: &str, old: &Field, new: &Field, add: &mut impl FnMut(&str, String)) {
    let lost: Vec<&str> = old.types.difference(&new.types).map(String::as_str).collect();
    if !lost.is_empty() {
        add(path, format!("may not be {} any more", lost.join(" or ")));
    }
    let lost: Vec<&str> = old.values.difference(&new.values).map(String::as_str).collect();
    if !new.values.is_empty() && (old.values.is_empty() || !lost.is_empty()) {
        add(
            path,
            format!("may be only {}", Vec::from_iter(new.values.iter().cloned()).join(" or ")),
        );
    }
}

fn compare_output(
    status: &str,
    old: &Part<'_>,
    new: &Part<'_>,
    add: &mut impl FnMut(&str, String),
) {
    let (Some(before), Some(after)) = (old.1.pointer(SCHEMA), new.1.pointer(SCHEMA)) else {
        if old.1.pointer(SCHEMA).is_some() {
            add(status, "has no body any more".to_owned());
        }
        return;
    };
    let (before, after) = (fields_of(old.0, before), fields_of(new.0, after));
    for (path, field) in &before {
        let place = format!("{status} {path}");
        let Some(other) = after.get(path) else {
            add(&place, "is removed".to_owned());
            continue;
        };
        if field.is_required && !other.is_required {
            add(&place, "becomes optional".to_owned());
        }
        let news: Vec<&str> = other.types.difference(&field.types).map(String::as_str).collect();
        if !news.is_empty() {
            add(&place, format!("may be {} now", news.join(" or ")));
        }
        let news: Vec<&str> = other.values.difference(&field.values).map(String::as_str).collect();
        if !field.values.is_empty() && (other.values.is_empty() || !news.is_empty()) {
            let news = if news.is_empty() { "any value".to_owned() } else { news.join(" or ") };
            add(&place, format!("may be {news} now"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        let body = |schema: Value| json!({ "application/json": { "schema": schema } });
        let input = json!({
            "type": "object",
            "properties": { "title": { "type": "string" }, "note": { "type": "string" } },
            "required": ["title"],
        });
        json!({
            "paths": {
                "/loans": {
                    "post": {
                        "tags": ["loans"],
                        "security": [{ "session": [] }, {}],
                        "parameters": [{ "name": "limit", "required": false }],
                        "requestBody": { "content": body(input) },
                        "responses": {
                            "201": {
                                "content": body(json!({ "$ref": "#/components/schemas/Loan" })),
                                "headers": { "Set-Cookie": {} },
                            },
                            "404": { "description": "Not Found" },
                        },
                    },
                },
            },
            "components": {
                "schemas": {
                    "Loan": {
                        "type": "object",
                        "properties": {
                            "id": { "type": "string" },
                            "status": { "enum": ["lent", "back"] },
                        },
                        "required": ["id", "status"],
                    },
                },
            },
        })
    }

    /// The changes, after the value at this place is replaced, or removed with null.
    fn after(place: &str, value: Value) -> Vec<String> {
        let mut new = document();
        let (parent, name) = place.rsplit_once('/').expect("it is a pointer");
        let parent = new.pointer_mut(parent).expect("it is there").as_object_mut();
        let parent = parent.expect("it is an object");
        match value {
            Value::Null => drop(parent.remove(name)),
            value => drop(parent.insert(name.to_owned(), value)),
        }
        let found = breaking(&document(), &new);
        found.into_iter().map(|one| format!("{} {}", one.place, one.change)).collect()
    }

    const POST: &str = "/paths/~1loans/post";
    const INPUT: &str = "/requestBody/content/application~1json/schema";
    const LOAN: &str = "/components/schemas/Loan";

    #[test]
    fn every_change_that_breaks_a_client_is_named() {
        let place = |of: &str, at: &str| format!("{of}{at}");
        assert_eq!(after(POST, Value::Null), ["POST /loans is gone"]);
        let answer = after(&place(POST, "/responses/404"), Value::Null);
        assert_eq!(answer, ["POST /loans 404 is no answer any more"]);
        let cookie = after(&place(POST, "/responses/201/headers/Set-Cookie"), Value::Null);
        assert_eq!(cookie, ["POST /loans 201 Set-Cookie is removed"]);
        let session = after(&place(POST, "/security"), json!([{ "session": [] }]));
        assert_eq!(session, ["POST /loans needs a session now"]);
        let limit = after(&place(POST, "/parameters"), json!([]));
        assert_eq!(limit, ["POST /loans limit is no parameter any more"]);
        let required = after(&place(POST, &place(INPUT, "/required")), json!(["title", "note"]));
        assert_eq!(required, ["POST /loans note is required now"]);
        let title = place(POST, &place(INPUT, "/properties/title"));
        let narrowed = after(&title, json!({ "type": "integer" }));
        assert_eq!(narrowed, ["POST /loans title may not be string any more"]);
        let removed = after(&place(LOAN, "/properties/id"), Value::Null);
        assert_eq!(removed, ["POST /loans 201 id is removed"]);
        let optional = after(&place(LOAN, "/required"), json!(["id"]));
        assert_eq!(optional, ["POST /loans 201 status becomes optional"]);
        let lost = json!({ "enum": ["lent", "back", "lost"] });
        let value = after(&place(LOAN, "/properties/status"), lost);
        assert_eq!(value, ["POST /loans 201 status may be \"lost\" now"]);
    }

    #[test]
    fn an_optional_field_and_a_new_answer_break_no_client() {
        assert!(breaking(&document(), &document()).is_empty());
        let input = format!("{POST}{INPUT}/properties/due");
        assert!(after(&input, json!({ "type": "string" })).is_empty());
        assert!(after(&format!("{LOAN}/properties/due"), json!({ "type": "string" })).is_empty());
        assert!(after(&format!("{POST}/responses/429"), json!({ "description": "" })).is_empty());
    }
}
