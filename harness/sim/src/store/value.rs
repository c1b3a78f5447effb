//! The order of BSON values, as MongoDB compares them.
//!
//! Types that are not compared as MongoDB compares them are rejected on input, see
//! [`admissible`].

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::rejected::Rejected;
use crate::digest::Digest;

/// The rank of a type in the order across types. All numeric types share one.
pub(super) fn rank(value: &Bson) -> u8 {
    match value {
        Bson::MinKey => 0,
        Bson::Undefined => 1,
        Bson::Null => 2,
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => 3,
        Bson::String(_) | Bson::Symbol(_) => 4,
        Bson::Document(_) => 5,
        Bson::Array(_) => 6,
        Bson::Binary(_) => 7,
        Bson::ObjectId(_) => 8,
        Bson::Boolean(_) => 9,
        Bson::DateTime(_) => 10,
        Bson::Timestamp(_) => 11,
        Bson::RegularExpression(_) => 12,
        Bson::DbPointer(_) => 13,
        Bson::JavaScriptCode(_) => 14,
        Bson::JavaScriptCodeWithScope(_) => 15,
        Bson::MaxKey => 16,
    }
}

/// MongoDB's total order of values. `-0.0` equals `0.0`, NaN equals NaN and precedes all other
/// numbers, and documents compare field by field in their order.
pub(super) fn compare(left: &Bson, right: &Bson) -> Ordering {
    match (left, right) {
        (Bson::String(l), Bson::String(r)) => l.cmp(r),
        (Bson::Int64(l), Bson::Int64(r)) => l.cmp(r),
        (Bson::Int32(l), Bson::Int32(r)) => l.cmp(r),
        (Bson::Int32(l), Bson::Int64(r)) => i64::from(*l).cmp(r),
        (Bson::Int64(l), Bson::Int32(r)) => l.cmp(&i64::from(*r)),
        (Bson::Double(l), Bson::Double(r)) => compare_doubles(*l, *r),
        (Bson::Int32(l), Bson::Double(r)) => compare_mixed(i64::from(*l), *r),
        (Bson::Int64(l), Bson::Double(r)) => compare_mixed(*l, *r),
        (Bson::Double(l), Bson::Int32(r)) => compare_mixed(i64::from(*r), *l).reverse(),
        (Bson::Double(l), Bson::Int64(r)) => compare_mixed(*r, *l).reverse(),
        (Bson::Boolean(l), Bson::Boolean(r)) => l.cmp(r),
        (Bson::DateTime(l), Bson::DateTime(r)) => l.cmp(r),
        (Bson::ObjectId(l), Bson::ObjectId(r)) => l.cmp(r),
        (Bson::Document(l), Bson::Document(r)) => compare_documents(l, r),
        (Bson::Array(l), Bson::Array(r)) => compare_arrays(l, r),
        (Bson::Binary(l), Bson::Binary(r)) => {
            let length = l.bytes.len().cmp(&r.bytes.len());
            let subtype = u8::from(l.subtype).cmp(&u8::from(r.subtype));
            length.then(subtype).then_with(|| l.bytes.cmp(&r.bytes))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

fn compare_documents(left: &Document, right: &Document) -> Ordering {
    let (mut left, mut right) = (left.iter(), right.iter());
    loop {
        let ((left_name, l), (right_name, r)) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(l), Some(r)) => (l, r),
        };
        let order = rank(l).cmp(&rank(r));
        let order = order.then_with(|| left_name.cmp(right_name)).then_with(|| compare(l, r));
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_arrays(left: &[Bson], right: &[Bson]) -> Ordering {
    let differ = left.iter().zip(right).map(|(l, r)| compare(l, r)).find(|order| order.is_ne());
    differ.unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn compare_doubles(left: f64, right: f64) -> Ordering {
    let order = left.partial_cmp(&right);
    order.unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
}

/// Exact: a conversion to double would make large neighbours equal.
fn compare_mixed(left: i64, right: f64) -> Ordering {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if right.is_nan() || right < -LIMIT {
        return Ordering::Greater;
    }
    if right >= LIMIT {
        return Ordering::Less;
    }
    let whole = right.trunc();
    left.cmp(&(whole as i64)).then_with(|| compare_doubles(0.0, right - whole))
}

/// Adds a value to a digest. Values that compare equal have equal digests.
pub(super) fn add_to_digest(digest: Digest, value: &Bson) -> Digest {
    let digest = digest.number(rank(value).into());
    match value {
        Bson::Int32(number) => integer(digest, i64::from(*number)),
        Bson::Int64(number) => integer(digest, *number),
        Bson::Double(number) if number.is_nan() => digest.text("NaN"),
        Bson::Double(number) => {
            let whole = *number as i64;
            match compare_mixed(whole, *number) {
                Ordering::Equal => integer(digest, whole),
                _ => digest.text("real").number(number.to_bits()),
            }
        }
        Bson::String(text) => digest.text(text),
        Bson::Document(document) => {
            let digest = digest.number(document.len() as u64);
            let fields = document.iter();
            fields.fold(digest, |digest, (name, value)| add_to_digest(digest.text(name), value))
        }
        Bson::Array(items) => items.iter().fold(digest.number(items.len() as u64), add_to_digest),
        Bson::Binary(binary) => digest.number(u8::from(binary.subtype).into()).bytes(&binary.bytes),
        Bson::ObjectId(id) => digest.bytes(&id.bytes()),
        Bson::Boolean(value) => digest.number(u64::from(*value)),
        Bson::DateTime(time) => integer(digest, time.timestamp_millis()),
        // Compared by their rank alone.
        _ => digest,
    }
}

fn integer(digest: Digest, number: i64) -> Digest {
    digest.text("integer").number(number.cast_unsigned())
}

/// Rejects types whose order or storage the simulation does not model.
pub(super) fn admissible(value: &Bson) -> Result<(), Rejected> {
    match value {
        Bson::Document(document) => document.values().try_for_each(admissible),
        Bson::Array(items) => items.iter().try_for_each(admissible),
        Bson::Double(_)
        | Bson::String(_)
        | Bson::Boolean(_)
        | Bson::Null
        | Bson::Int32(_)
        | Bson::Int64(_)
        | Bson::Binary(_)
        | Bson::ObjectId(_)
        | Bson::DateTime(_) => Ok(()),
        other => {
            Err(Rejected(format!("BSON type {:#04x} is not simulated", other.element_type() as u8)))
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn values_have_equal_digests_if_and_only_if_they_compare_equal() {
        let values = [
            Bson::Null,
            Bson::Undefined,
            Bson::Int32(0),
            Bson::Double(-0.0),
            Bson::Int32(7),
            Bson::Int64(7),
            Bson::Double(7.0),
            Bson::Double(7.5),
            Bson::Double(f64::NAN),
            Bson::Double(f64::INFINITY),
            Bson::Double(9_223_372_036_854_775_808.0),
            Bson::Int64(i64::MAX),
            Bson::Int64(9_007_199_254_740_993),
            Bson::Double(9_007_199_254_740_992.0),
            Bson::String("7".to_owned()),
            Bson::Boolean(true),
            Bson::DateTime(bson::DateTime::from_millis(7)),
            doc! { "a": 1 }.into(),
            doc! { "a": 1.0 }.into(),
            doc! { "a": 1, "b": 2 }.into(),
            vec![Bson::Int32(1), Bson::Int32(2)].into(),
            vec![Bson::Int64(1), Bson::Double(2.0)].into(),
            vec![Bson::from(vec![Bson::Int32(1)]), Bson::Int32(2)].into(),
        ];
        let digest = |value| add_to_digest(Digest::new("test"), value).finish();
        for left in &values {
            for right in &values {
                let equal = compare(left, right).is_eq();
                assert_eq!(digest(left) == digest(right), equal, "{left} and {right}");
            }
        }
    }
}
