//! Writing at a dotted path: resolving the place, or creating it.
//!
//! Operators are implemented in `update`.

use bson::{Bson, Document};

use super::path::{split, target_position};
use super::rejected::Rejected;

/// The maximum number of nulls between the end of an array and an element written past it.
const PADDING: usize = 1_500_000;

/// The place at the path, created where it is missing; a new place holds `Undefined`.
pub(super) fn place<'d>(document: &'d mut Document, path: &str) -> Result<&'d mut Bson, Rejected> {
    let (head, rest) = split(path);
    if !document.contains_key(head) {
        document.insert(head, Bson::Undefined);
    }
    let found = document.get_mut(head).expect("the field exists or was just inserted");
    place_in(found, rest)
}

fn place_in<'d>(found: &'d mut Bson, rest: Option<&str>) -> Result<&'d mut Bson, Rejected> {
    let Some(rest) = rest else { return Ok(found) };
    if *found == Bson::Undefined {
        *found = Bson::Document(Document::new());
    }
    match found {
        Bson::Document(inner) => place(inner, rest),
        Bson::Array(items) => {
            let (head, rest) = split(rest);
            let at = target_position(head).ok_or_else(|| no_field(head))?;
            if at >= items.len() {
                if at - items.len() > PADDING {
                    return Err(Rejected(format!("element {at} is too far past the end")));
                }
                items.resize(at, Bson::Null);
                items.push(Bson::Undefined);
            }
            place_in(&mut items[at], rest)
        }
        _ => Err(no_field(rest)),
    }
}

fn no_field(name: &str) -> Rejected {
    Rejected(format!("cannot create field '{name}' in a value that is not a document"))
}

/// The place at the path, if it exists; rejected where a value on the path has no fields.
pub(super) fn existing<'d>(
    document: &'d mut Document,
    path: &str,
) -> Result<Option<&'d mut Bson>, Rejected> {
    let (head, mut rest) = split(path);
    let Some(mut found) = document.get_mut(head) else { return Ok(None) };
    while let Some(path) = rest {
        let (head, tail) = split(path);
        let next = match found {
            Bson::Document(inner) => inner.get_mut(head),
            Bson::Array(items) => {
                items.get_mut(target_position(head).ok_or_else(|| no_field(head))?)
            }
            _ => return Err(no_field(head)),
        };
        let Some(next) = next else { return Ok(None) };
        found = next;
        rest = tail;
    }
    Ok(Some(found))
}

/// Removes the value at the path; an array element becomes null.
pub(super) fn remove(document: &mut Document, path: &str) {
    let Some((parent, last)) = path.rsplit_once('.') else {
        document.remove(path);
        return;
    };
    match existing(document, parent) {
        Ok(Some(Bson::Document(inner))) => {
            inner.remove(last);
        }
        Ok(Some(Bson::Array(items))) => {
            if let Some(item) = target_position(last).and_then(|at| items.get_mut(at)) {
                *item = Bson::Null;
            }
        }
        _ => {}
    }
}
