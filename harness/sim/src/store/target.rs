//! Writing at a dotted path: finding the place, or making it.
//!
//! It knows no operator; see [`super::update`].

use bson::{Bson, Document};

use super::Refusal;
use super::path::{position, split};

/// How many nulls a write past the end of an array may leave before it.
const PADDING: usize = 1_500_000;

/// The place at the path, made where it is missing; a new place holds `Undefined`.
pub(super) fn place<'d>(document: &'d mut Document, path: &str) -> Result<&'d mut Bson, Refusal> {
    let (head, rest) = split(path);
    if !document.contains_key(head) {
        document.insert(head, Bson::Undefined);
    }
    let found = document.get_mut(head).expect("it was there or has just been made");
    place_in(found, rest)
}

fn place_in<'d>(found: &'d mut Bson, rest: Option<&str>) -> Result<&'d mut Bson, Refusal> {
    let Some(rest) = rest else { return Ok(found) };
    if *found == Bson::Undefined {
        *found = Bson::Document(Document::new());
    }
    match found {
        Bson::Document(inner) => place(inner, rest),
        Bson::Array(items) => {
            let (head, rest) = split(rest);
            let at = position(head).ok_or_else(|| no_field(head))?;
            if at >= items.len() {
                if at - items.len() > PADDING {
                    return Err(Refusal(format!("element {at} is too far behind the end")));
                }
                items.resize(at, Bson::Null);
                items.push(Bson::Undefined);
            }
            place_in(&mut items[at], rest)
        }
        _ => Err(no_field(rest)),
    }
}

fn no_field(name: &str) -> Refusal {
    Refusal(format!("cannot create field '{name}' in an element that is no document"))
}

/// The place at the path, if it is there; refused where a value on the way has no fields.
pub(super) fn existing<'d>(
    document: &'d mut Document,
    path: &str,
) -> Result<Option<&'d mut Bson>, Refusal> {
    let (head, mut rest) = split(path);
    let Some(mut found) = document.get_mut(head) else { return Ok(None) };
    while let Some(path) = rest {
        let (head, tail) = split(path);
        let next = match found {
            Bson::Document(inner) => inner.get_mut(head),
            Bson::Array(items) => items.get_mut(position(head).ok_or_else(|| no_field(head))?),
            _ => return Err(no_field(head)),
        };
        let Some(next) = next else { return Ok(None) };
        found = next;
        rest = tail;
    }
    Ok(Some(found))
}

/// Takes away what is at the path; an element of an array leaves a null.
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
            if let Some(item) = position(last).and_then(|at| items.get_mut(at)) {
                *item = Bson::Null;
            }
        }
        _ => {}
    }
}
