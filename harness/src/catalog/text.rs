//! A catalog for people, as Markdown: the map of who publishes and who consumes, and the fields of
//! each event.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::{Catalog, Event, target};

/// The catalog as Markdown.
pub fn markdown(catalog: &Catalog) -> String {
    let mut text = format!("# The events of {}\n\n", catalog.subject);
    text += &map(catalog);
    for (fields, events) in alike(catalog) {
        let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
        let _ = write!(text, "\n## {}\n\n", names.join(", "));
        for event in &events {
            let about = about(&event.schema).unwrap_or_default();
            let to = if event.to.is_empty() { "nobody".to_owned() } else { event.to.join(", ") };
            let _ = writeln!(text, "- `{}` from {} to {to}. {about}", event.subject, event.from);
        }
        let _ = write!(text, "\n| field | type | meaning |\n|---|---|---|\n{fields}");
    }
    text
}

/// The map of publishers and consumers, as Mermaid.
fn map(catalog: &Catalog) -> String {
    let mut edges: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for event in &catalog.events {
        for to in &event.to {
            edges.entry((&event.from, to)).or_default().push(&event.name);
        }
    }
    let mut text = "```mermaid\nflowchart LR\n".to_owned();
    for ((from, to), names) in edges {
        let _ =
            writeln!(text, "    {from}([{from}]) -- \"{}\" --> {to}([{to}])", names.join(",<br/>"));
    }
    text + "```\n"
}

/// The events that carry the same fields, with the rows of these fields.
fn alike(catalog: &Catalog) -> Vec<(String, Vec<&Event>)> {
    let mut groups: Vec<(String, Vec<&Event>)> = Vec::new();
    for event in &catalog.events {
        let mut rows = String::new();
        write_rows(&mut rows, &event.schema, resolved(&event.schema, &event.schema), "", 0);
        match groups.iter_mut().find(|(fields, of)| *fields == rows && of[0].from == event.from) {
            Some((_, events)) => events.push(event),
            None => groups.push((rows, vec![event])),
        }
    }
    groups
}

/// The rows of the fields of a schema. One that refers to itself is followed only so deep.
fn write_rows(rows: &mut String, root: &Value, schema: &Value, prefix: &str, depth: usize) {
    const DEPTH: usize = 8;
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let is_required = required.is_some_and(|all| all.iter().any(|one| one == name));
        let target = resolved(root, field);
        let optional = if is_required { "" } else { ", optional" };
        let meaning = about(field).or_else(|| about(target)).unwrap_or_default();
        let _ = writeln!(rows, "| `{path}` | {}{optional} | {meaning} |", kind(root, field));
        if depth < DEPTH {
            write_rows(rows, root, target, &format!("{path}."), depth + 1);
        }
    }
}

/// The type of a field in words.
fn kind(root: &Value, field: &Value) -> String {
    let target = resolved(root, field);
    let choices = ["oneOf", "anyOf"].into_iter().filter_map(|key| target[key].as_array());
    let choices: Vec<&Value> = choices.flatten().collect();
    let values = target["enum"].as_array().into_iter().flatten();
    let values = values.chain(choices.iter().filter_map(|choice| choice.get("const")));
    let values: Vec<String> =
        values.map(|value| format!("`{}`", value.to_string().trim_matches('"'))).collect();
    if !values.is_empty() {
        return values.join(", ");
    }
    if !choices.is_empty() {
        let kinds = choices.iter().map(|choice| kind(root, choice));
        let kinds: Vec<String> = kinds.filter(|kind| kind != "null").collect();
        return kinds.join(" or ");
    }
    let format = target["format"].as_str();
    match (&target["type"], format) {
        (_, Some("date-time")) => "time".to_owned(),
        (Value::String(name), _) => name.clone(),
        (Value::Array(names), _) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

/// The schema that a reference leads to; a schema without one leads to itself.
fn resolved<'v>(root: &'v Value, schema: &'v Value) -> &'v Value {
    target(root, schema).unwrap_or(schema)
}

/// The description of a schema on one line.
fn about(schema: &Value) -> Option<String> {
    let text = schema["description"].as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|"))
}
