//! Documents as readable fields, to compare and to quote.

use std::collections::BTreeMap;

use bson::{Bson, Document};

use crate::evidence::field::is_bookkeeping;

/// The fields of a document by their dotted names, with readable values.
pub(super) type Fields = BTreeMap<String, String>;

/// The maximum number of fields that are quoted.
const QUOTED: usize = 3;

/// The maximum length of a quoted value, in characters.
const LENGTH: usize = 40;

/// The fields of a document, without bookkeeping; `name` has readable names for ids.
pub(super) fn fields(document: &Document, name: &impl Fn(&str) -> Option<String>) -> Fields {
    let mut fields = Fields::new();
    for (field, value) in document {
        if field != "_id" && !is_bookkeeping(field) {
            add(field, value, name, &mut fields);
        }
    }
    if let Ok(id) = document.get_str("_id")
        && let Some(name) = name(id)
    {
        fields.insert("_id".to_owned(), name);
    }
    fields
}

fn add(field: &str, value: &Bson, name: &impl Fn(&str) -> Option<String>, fields: &mut Fields) {
    if let Bson::Document(document) = value {
        document.iter().for_each(|(part, value)| {
            add(&format!("{field}.{part}"), value, name, fields);
        });
        return;
    }
    fields.insert(field.to_owned(), plain(value, name));
}

fn plain(value: &Bson, name: &impl Fn(&str) -> Option<String>) -> String {
    match value {
        Bson::String(text) => name(text).unwrap_or_else(|| unnamed(text)),
        Bson::DateTime(time) => time.try_to_rfc3339_string().unwrap_or_else(|_| time.to_string()),
        Bson::Array(values) => {
            values.iter().map(|value| plain(value, name)).collect::<Vec<_>>().join(" and ")
        }
        Bson::Null => "none".to_owned(),
        Bson::Binary(binary) => format!("{} bytes", binary.bytes.len()),
        other => other.to_string(),
    }
}

/// A text; an id without a name is the same in every run.
fn unnamed(text: &str) -> String {
    let is_id = text.len() >= 16 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if is_id { "an id".to_owned() } else { text.to_owned() }
}

/// The fields that differ, with their values after; a field that is gone is `none`.
pub(super) fn changed(before: &Fields, after: &Fields) -> Vec<(String, String)> {
    let is_new = before.is_empty();
    let changed = after.iter().filter(|(field, value)| before.get(*field) != Some(value));
    let changed = changed.filter(|(_, value)| !is_new || *value != "none");
    let mut changed: Vec<(String, String)> =
        changed.map(|(field, value)| (field.clone(), value.clone())).collect();
    let gone = before.keys().filter(|field| !after.contains_key(*field));
    changed.extend(gone.map(|field| (field.clone(), "none".to_owned())));
    changed
}

/// All fields in a line, to compare.
pub(super) fn listed<'f>(fields: impl IntoIterator<Item = (&'f String, &'f String)>) -> String {
    let fields = fields.into_iter().map(|(field, value)| format!("{field} {value}"));
    fields.collect::<Vec<_>>().join(", ")
}

/// The first fields in a line, to read.
pub(super) fn quoted(fields: &[(String, String)]) -> String {
    let mut shown: Vec<_> = fields.iter().filter(|(field, _)| field != "_id").collect();
    // Times and versions say least.
    shown.sort_by_key(|(field, value)| (is_time(value), field == "version"));
    let shown = shown.into_iter().take(QUOTED);
    let shown = shown.map(|(field, value)| format!("{field} {}", short(value)));
    shown.collect::<Vec<_>>().join(", ")
}

fn is_time(text: &str) -> bool {
    text.ends_with('Z') && text.contains('T') && text.starts_with(|c: char| c.is_ascii_digit())
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The strings in a document, which may be ids; events in an outbox are left out.
pub(super) fn strings(document: &Document) -> Vec<String> {
    let mut all = Vec::new();
    let parts = document.iter().filter(|(field, _)| *field != "outbox");
    parts.for_each(|(_, value)| collect(value, &mut all));
    all
}

fn collect(value: &Bson, all: &mut Vec<String>) {
    match value {
        Bson::String(text) => all.push(text.clone()),
        Bson::Document(document) => document.iter().for_each(|(_, value)| collect(value, all)),
        Bson::Array(values) => values.iter().for_each(|value| collect(value, all)),
        _ => {}
    }
}
