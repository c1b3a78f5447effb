//! Updates: the part of MongoDB's update language that services may use.
//!
//! Like a filter, an update is read as a whole first, and refused where it holds anything
//! unknown or touches one path twice. It never looks at which document it is applied to.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::Refusal;
use super::filter::Filter;
use super::path::{leads_to, position, split};
use super::target;
use super::undo::Undo;
use super::value::{admissible, compare};

/// An update that was understood, in the order in which MongoDB applies it: by path.
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
    /// Elements that are this value.
    Equal(Bson),
    /// Elements for which these operators hold.
    Operators(Document),
    /// Sub-documents that match this filter.
    Filter(Document),
}

impl Change {
    /// Understands an update.
    pub(super) fn read(change: Document) -> Result<Self, Refusal> {
        if change.is_empty() {
            return Err(Refusal("the update is empty".to_owned()));
        }
        let mut steps = Vec::new();
        for (operator, operand) in change {
            if !is_known(&operator) {
                return Err(Refusal(format!("unknown modifier: {operator}")));
            }
            let Bson::Document(operand) = operand else {
                return Err(Refusal(format!("{operator} needs a document")));
            };
            for (path, operand) in operand {
                check_path(&path)?;
                admissible(&operand)?;
                steps.push((path, action(&operator, operand)?));
            }
        }
        steps.sort_by(|(left, _), (right, _)| compare_paths(left, right));
        for pair in steps.windows(2) {
            let (first, second) = (&pair[0].0, &pair[1].0);
            if leads_to(first, second) {
                return Err(Refusal(format!("{second} would conflict with {first}")));
            }
        }
        Ok(Self(steps))
    }

    /// Whether it gives a new document a string as its `_id`.
    pub(super) fn names_id(&self) -> bool {
        let names = |(path, action): &(String, Action)| {
            path == "_id"
                && matches!(
                    action,
                    Action::Set(Bson::String(_)) | Action::SetOnInsert(Bson::String(_))
                )
        };
        self.0.iter().any(names)
    }

    /// Applies it, and remembers how the document was. A refusal leaves it half done.
    pub(super) fn apply(
        self,
        document: &mut Document,
        inserting: bool,
        undo: &mut Undo,
    ) -> Result<(), Refusal> {
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
    fn apply(self, path: &str, document: &mut Document) -> Result<(), Refusal> {
        match self {
            Self::Set(value) | Self::SetOnInsert(value) => *target::place(document, path)? = value,
            Self::Unset => target::remove(document, path),
            Self::Increase(by) => {
                let place = target::place(document, path)?;
                *place = sum(place, by)?;
            }
            Self::Push(values) => match target::place(document, path)? {
                Bson::Array(items) => items.extend(values),
                place @ Bson::Undefined => *place = Bson::Array(values),
                _ => return Err(Refusal(format!("{path} must be an array to push to"))),
            },
            Self::Pull(pull) => match target::existing(document, path)? {
                Some(Bson::Array(items)) => pull.apply(items)?,
                Some(_) => return Err(Refusal(format!("{path} must be an array to pull from"))),
                None => {}
            },
        }
        Ok(())
    }
}

impl Pull {
    fn read(operand: Bson) -> Result<Self, Refusal> {
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

    fn apply(&self, items: &mut Vec<Bson>) -> Result<(), Refusal> {
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

fn action(operator: &str, operand: Bson) -> Result<Action, Refusal> {
    Ok(match operator {
        "$set" => Action::Set(storable(operand)?),
        "$setOnInsert" => Action::SetOnInsert(storable(operand)?),
        "$unset" => Action::Unset,
        "$inc" => match operand {
            Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) => Action::Increase(operand),
            _ => return Err(Refusal("$inc needs a number".to_owned())),
        },
        "$push" => Action::Push(pushed(operand)?),
        "$pull" => Action::Pull(Pull::read(operand)?),
        other => return Err(Refusal(format!("unknown modifier: {other}"))),
    })
}

fn pushed(operand: Bson) -> Result<Vec<Bson>, Refusal> {
    let Bson::Document(mut modifiers) = operand else { return Ok(vec![operand]) };
    if !modifiers.contains_key("$each") {
        return Ok(vec![storable(Bson::Document(modifiers))?]);
    }
    let each = modifiers.remove("$each");
    if let Some(other) = modifiers.keys().next() {
        return Err(Refusal(format!("$push with {other} is not simulated")));
    }
    match each {
        Some(Bson::Array(values)) => values.into_iter().map(storable).collect(),
        _ => Err(Refusal("$each needs an array".to_owned())),
    }
}

/// Refuses field names that MongoDB takes for operators: what it does with them depends on
/// where they are.
pub(super) fn storable(value: Bson) -> Result<Bson, Refusal> {
    fn check(value: &Bson) -> Result<(), Refusal> {
        match value {
            Bson::Document(inner) => inner.iter().try_for_each(|(name, value)| {
                if name.starts_with('$') {
                    return Err(Refusal(format!("{name} is not a name for a field")));
                }
                check(value)
            }),
            Bson::Array(items) => items.iter().try_for_each(check),
            _ => Ok(()),
        }
    }
    check(&value)?;
    Ok(value)
}

fn check_path(path: &str) -> Result<(), Refusal> {
    if path.split('.').any(|component| component.is_empty() || component.starts_with('$')) {
        return Err(Refusal(format!("'{path}' is not a path to write at")));
    }
    Ok(())
}

/// By component, positions in arrays by their number.
fn compare_paths(left: &str, right: &str) -> Ordering {
    let ((left, left_rest), (right, right_rest)) = (split(left), split(right));
    let order = match (position(left), position(right)) {
        (Some(l), Some(r)) => l.cmp(&r),
        (l, r) => l.is_none().cmp(&r.is_none()).then_with(|| left.cmp(right)),
    };
    order.then_with(|| match (left_rest, right_rest) {
        (Some(l), Some(r)) => compare_paths(l, r),
        (l, r) => l.is_some().cmp(&r.is_some()),
    })
}

/// The wider type of the two, and wider yet where it would overflow.
fn sum(to: &Bson, by: Bson) -> Result<Bson, Refusal> {
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
        return sum.map(Bson::Int64).ok_or_else(|| Refusal("$inc would overflow".to_owned()));
    }
    match (real(to), real(&by)) {
        (Some(to), Some(by)) => Ok(Bson::Double(to + by)),
        _ => Err(Refusal("cannot apply $inc to a value that is no number".to_owned())),
    }
}
