//! Updates: the subset of MongoDB's update language that services may use.
//!
//! Like a filter, an update is read as a whole first, and rejected where it contains an unknown
//! operator or conflicting paths. It does not choose the document that it is applied to.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::filter::Filter;
use super::path::{is_prefix, split};
use super::rejected::Rejected;
use super::target;
use super::undo::Undo;
use super::value::{admissible, compare};

/// A parsed update, in the order in which MongoDB applies it: by path.
#[derive(Debug)]
pub(super) struct Change(Vec<(String, Action)>);

#[derive(Debug)]
enum Action {
    Set(Bson),
    SetOnInsert(Bson),
    Unset,
    Increase(Bson),
    Push(Vec<Bson>),
    Pull(Pull),
}

#[derive(Debug)]
enum Pull {
    /// Elements equal to this value.
    Equal(Bson),
    /// Elements for which these operators hold.
    Operators(Document),
    /// Sub-documents that match this filter.
    Filter(Document),
}

impl Change {
    /// Parses an update.
    pub(super) fn read(change: Document) -> Result<Self, Rejected> {
        if change.is_empty() {
            return Err(Rejected("the update is empty".to_owned()));
        }
        let mut steps = Vec::new();
        for (operator, operand) in change {
            if !is_known(&operator) {
                return Err(Rejected(format!("unknown modifier: {operator}")));
            }
            let Bson::Document(operand) = operand else {
                return Err(Rejected(format!("{operator} requires a document")));
            };
            for (path, operand) in operand {
                admissible(&operand)?;
                steps.push((path, action(&operator, operand)?));
            }
        }
        steps.sort_by(|(left, _), (right, _)| compare_paths(left, right));
        for pair in steps.windows(2) {
            let (first, second) = (&pair[0].0, &pair[1].0);
            if is_prefix(first, second) {
                return Err(Rejected(format!("{second} would conflict with {first}")));
            }
        }
        Ok(Self(steps))
    }

    /// Whether the change of an existing document may affect the value at this path.
    pub(super) fn touches(&self, path: &str) -> bool {
        let touches = |(own, action): &(String, Action)| {
            let meets = is_prefix(own, path) || is_prefix(path, own);
            meets && !matches!(action, Action::SetOnInsert(_))
        };
        self.0.iter().any(touches)
    }

    /// The paths at which the change of an existing document may write.
    pub(super) fn paths(&self) -> Vec<String> {
        let writes = self.0.iter().filter(|(_, action)| !matches!(action, Action::SetOnInsert(_)));
        writes.map(|(path, _)| path.clone()).collect()
    }

    /// The top-level fields that a document with this id has after the change, whatever its
    /// previous content.
    pub(super) fn known(&self, id: &str) -> Document {
        let mut known = Document::from_iter([("_id".to_owned(), Bson::from(id))]);
        for (path, action) in &self.0 {
            if let Action::Set(value) = action
                && split(path).1.is_none()
            {
                known.insert(path.clone(), value.clone());
            }
        }
        known
    }

    /// Whether an upsert gets a string `_id` from this update.
    pub(super) fn sets_id(&self) -> bool {
        let sets = |(path, action): &(String, Action)| {
            path == "_id"
                && matches!(
                    action,
                    Action::Set(Bson::String(_)) | Action::SetOnInsert(Bson::String(_))
                )
        };
        self.0.iter().any(sets)
    }

    /// Applies the update, and saves the previous state. A refusal leaves it half applied.
    pub(super) fn apply(
        self,
        document: &mut Document,
        inserting: bool,
        undo: &mut Undo,
    ) -> Result<(), Rejected> {
        for (path, action) in self.0 {
            match action {
                Action::SetOnInsert(_) if !inserting => {}
                Action::Set(value) if split(&path).1.is_none() => {
                    let old = match document.get_mut(&path) {
                        Some(place) => Some(std::mem::replace(place, value)),
                        None => document.insert(path.clone(), value),
                    };
                    undo.keep_replaced(path, old);
                }
                Action::Unset if split(&path).1.is_none() => {
                    undo.keep_all(document);
                    document.remove(path);
                }
                action => {
                    undo.keep(document, &path);
                    action.apply(&path, document)?;
                }
            }
        }
        Ok(())
    }
}

impl Action {
    fn apply(self, path: &str, document: &mut Document) -> Result<(), Rejected> {
        match self {
            Self::Set(value) | Self::SetOnInsert(value) => *target::place(document, path)? = value,
            Self::Unset => target::remove(document, path),
            Self::Increase(by) => {
                let place = target::place(document, path)?;
                let sum = sum(place, by)?;
                // As in the server, which writes no equal number: `-0.0` stays as it is.
                if !matches!((&*place, &sum), (Bson::Double(old), Bson::Double(new)) if old == new)
                {
                    *place = sum;
                }
            }
            Self::Push(values) => match target::place(document, path)? {
                Bson::Array(items) => items.extend(values),
                place @ Bson::Undefined => *place = Bson::Array(values),
                _ => return Err(Rejected(format!("{path} must be an array to push to"))),
            },
            Self::Pull(pull) => match target::existing(document, path)? {
                Some(Bson::Array(items)) => pull.apply(items)?,
                Some(_) => return Err(Rejected(format!("{path} must be an array to pull from"))),
                None => {}
            },
        }
        Ok(())
    }
}

impl Pull {
    fn read(operand: Bson) -> Result<Self, Rejected> {
        let Bson::Document(operand) = operand else { return Ok(Self::Equal(operand)) };
        let first = operand.keys().next().map_or("", String::as_str);
        if first.starts_with('$') && !matches!(first, "$and" | "$or" | "$nor" | "$not") {
            Filter::read_on_element(&operand)?;
            Ok(Self::Operators(operand))
        } else {
            Filter::read(&operand)?;
            Ok(Self::Filter(operand))
        }
    }

    fn apply(&self, items: &mut Vec<Bson>) -> Result<(), Rejected> {
        match self {
            Self::Equal(value) => items.retain(|item| compare(item, value).is_ne()),
            Self::Operators(operators) => {
                let filter = Filter::read_on_element(operators)?;
                items.retain(|item| !filter.matches_element(item));
            }
            Self::Filter(filter) => {
                let filter = Filter::read(filter)?;
                items.retain(|item| !item.as_document().is_some_and(|item| filter.matches(item)));
            }
        }
        Ok(())
    }
}

fn is_known(operator: &str) -> bool {
    matches!(operator, "$set" | "$setOnInsert" | "$unset" | "$inc" | "$push" | "$pull")
}

fn action(operator: &str, operand: Bson) -> Result<Action, Rejected> {
    Ok(match operator {
        "$set" => Action::Set(operand),
        "$setOnInsert" => Action::SetOnInsert(operand),
        "$unset" => Action::Unset,
        "$inc" => match operand {
            Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) => Action::Increase(operand),
            _ => return Err(Rejected("$inc requires a number".to_owned())),
        },
        "$push" => Action::Push(pushed(operand)?),
        "$pull" => Action::Pull(Pull::read(operand)?),
        other => return Err(Rejected(format!("unknown modifier: {other}"))),
    })
}

fn pushed(operand: Bson) -> Result<Vec<Bson>, Rejected> {
    let Bson::Document(mut modifiers) = operand else { return Ok(vec![operand]) };
    if !modifiers.contains_key("$each") {
        return Ok(vec![Bson::Document(modifiers)]);
    }
    let each = modifiers.remove("$each");
    if let Some(other) = modifiers.keys().next() {
        return Err(Rejected(format!("$push with {other} is not simulated")));
    }
    match each {
        Some(Bson::Array(values)) => Ok(values),
        _ => Err(Rejected("$each requires an array".to_owned())),
    }
}

/// The order in which MongoDB applies an update, and so makes new fields: by component.
fn compare_paths(left: &str, right: &str) -> Ordering {
    let ((left, left_rest), (right, right_rest)) = (split(left), split(right));
    compare_components(left, right).then_with(|| match (left_rest, right_rest) {
        (Some(l), Some(r)) => compare_paths(l, r),
        (l, r) => l.is_some().cmp(&r.is_some()),
    })
}

/// By byte, except that of two that begin with a digit and have no leading zero the shorter one
/// is first: so numbers are in their order. Source: `cmpPathsAndArrayIndexes` in the server.
fn compare_components(left: &str, right: &str) -> Ordering {
    let is_counted = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_digit())
            && (name.len() == 1 || !name.starts_with('0'))
    };
    let by_length = is_counted(left) && is_counted(right);
    let length = if by_length { left.len().cmp(&right.len()) } else { Ordering::Equal };
    length.then_with(|| left.cmp(right))
}

/// The sum, in the wider of the two types; a 32-bit overflow widens to 64 bits.
fn sum(to: &Bson, by: Bson) -> Result<Bson, Rejected> {
    let whole = |value: &Bson| match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        _ => None,
    };
    let real = |value: &Bson| match value {
        Bson::Double(number) => Some(*number),
        other => whole(other).map(|number| number as f64),
    };
    if *to == Bson::Undefined {
        return Ok(by);
    }
    if let (Bson::Int32(to), Bson::Int32(by)) = (to, &by) {
        let wide = i64::from(*to) + i64::from(*by);
        return Ok(i32::try_from(wide).map_or(Bson::Int64(wide), Bson::Int32));
    }
    if let (Some(to), Some(by)) = (whole(to), whole(&by)) {
        let sum = to.checked_add(by);
        return sum.map(Bson::Int64).ok_or_else(|| Rejected("$inc would overflow".to_owned()));
    }
    match (real(to), real(&by)) {
        (Some(to), Some(by)) => Ok(Bson::Double(to + by)),
        _ => Err(Rejected("cannot apply $inc to a value that is not a number".to_owned())),
    }
}
