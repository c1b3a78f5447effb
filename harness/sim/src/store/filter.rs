//! Filters: the part of MongoDB's query language that services may use.
//!
//! A filter is read as a whole before it is applied, so what it does not know is refused even
//! where no document would have been looked at. It never ignores an operator.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::Refusal;
use super::path;
use super::value::{admissible, compare, rank};

/// A filter that was understood.
#[derive(Debug)]
pub(super) struct Filter<'a>(Vec<Node<'a>>);

#[derive(Debug)]
enum Node<'a> {
    All(Vec<Node<'a>>),
    Any(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    Compare(&'a str, Relation, &'a Bson),
    In(&'a str, &'a [Bson]),
    Exists(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What a filter looks at.
#[derive(Clone, Copy)]
enum Subject<'s> {
    Document(&'s Document),
    /// An element of an array on its own; the filter's paths are empty.
    Element(&'s Bson),
}

impl Subject<'_> {
    fn any(self, path: &str, test: &dyn Fn(Option<&Bson>) -> bool) -> bool {
        match self {
            Self::Document(document) => path::any(document, path, test),
            Self::Element(element) => path::any_in(Some(element), None, test),
        }
    }
}

impl<'a> Filter<'a> {
    /// Understands a filter on documents.
    pub(super) fn read(filter: &'a Document) -> Result<Self, Refusal> {
        let mut nodes = Vec::with_capacity(filter.len());
        for (name, operand) in filter {
            match name.as_str() {
                "$and" => nodes.push(Node::All(branches(name, operand)?)),
                "$or" => nodes.push(Node::Any(branches(name, operand)?)),
                "$nor" => nodes.push(not(Node::Any(branches(name, operand)?))),
                operator if operator.starts_with('$') => return Err(unknown(operator)),
                path => condition(path, operand, &mut nodes)?,
            }
        }
        Ok(Self(nodes))
    }

    /// Understands operators on an element of an array.
    pub(super) fn read_on_element(operators: &'a Document) -> Result<Self, Refusal> {
        let mut nodes = Vec::with_capacity(operators.len());
        read_operators("", operators, &mut nodes)?;
        Ok(Self(nodes))
    }

    /// Whether the document matches.
    pub(super) fn matches(&self, document: &Document) -> bool {
        self.0.iter().all(|node| node.holds(Subject::Document(document)))
    }

    /// Whether the element matches.
    pub(super) fn matches_element(&self, element: &Bson) -> bool {
        self.0.iter().all(|node| node.holds(Subject::Element(element)))
    }

    /// The one `_id` that can match, where the filter says so.
    pub(super) fn id(&self) -> Option<&'a str> {
        self.0.iter().find_map(|node| match node {
            Node::Compare("_id", Relation::Equal, Bson::String(id)) => Some(id.as_str()),
            _ => None,
        })
    }

    /// What every match has: what an upsert starts from.
    pub(super) fn equalities(&self) -> Vec<(&'a str, &'a Bson)> {
        let mut found = Vec::new();
        for node in &self.0 {
            node.equalities(&mut found);
        }
        found
    }

    /// Whether all it says is equality and `$exists: true`.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |node: &Node<'_>| {
            matches!(node, Node::Exists(_) | Node::Compare(_, Relation::Equal, _))
        };
        self.0.iter().all(plain)
    }
}

impl<'a> Node<'a> {
    fn holds(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(subject)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(subject)),
            Self::Not(node) => !node.holds(subject),
            Self::Exists(path) => subject.any(path, &|found| found.is_some()),
            Self::Compare(path, relation, operand) => {
                subject.any(path, &|found| relation.holds(found, operand))
            }
            Self::In(path, operands) => subject.any(path, &|found| {
                operands.iter().any(|operand| Relation::Equal.holds(found, operand))
            }),
        }
    }

    fn equalities(&self, found: &mut Vec<(&'a str, &'a Bson)>) {
        match self {
            Self::Compare(path, Relation::Equal, value) => found.push((path, value)),
            Self::In(path, [value]) => found.push((path, value)),
            Self::All(nodes) => nodes.iter().for_each(|node| node.equalities(found)),
            Self::Any(nodes) if nodes.len() == 1 => nodes[0].equalities(found),
            _ => {}
        }
    }
}

impl Relation {
    /// Values of different types are never in any relation, but that nothing is null.
    fn holds(self, found: Option<&Bson>, operand: &Bson) -> bool {
        let found = found.unwrap_or(&Bson::Null);
        if rank(found) != rank(operand) {
            return false;
        }
        let order = compare(found, operand);
        match self {
            Self::Equal => order.is_eq(),
            // Nothing is more or less than NaN, though NaN is sorted first.
            _ if is_nan(found) || is_nan(operand) => {
                order.is_eq() && matches!(self, Self::GreaterOrEqual | Self::LessOrEqual)
            }
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
        }
    }
}

fn is_nan(value: &Bson) -> bool {
    matches!(value, Bson::Double(number) if number.is_nan())
}

fn branches<'a>(name: &str, operand: &'a Bson) -> Result<Vec<Node<'a>>, Refusal> {
    let refusal = || Refusal(format!("{name} must be a nonempty array of filters"));
    let Bson::Array(filters) = operand else { return Err(refusal()) };
    if filters.is_empty() {
        return Err(refusal());
    }
    let read = |filter: &'a Bson| {
        let filter = filter.as_document().ok_or_else(refusal)?;
        let Filter(mut nodes) = Filter::read(filter)?;
        Ok(if nodes.len() == 1 { nodes.swap_remove(0) } else { Node::All(nodes) })
    };
    filters.iter().map(read).collect()
}

/// What a filter says of one path: operators, or a value that must be there.
fn condition<'a>(
    path: &'a str,
    operand: &'a Bson,
    nodes: &mut Vec<Node<'a>>,
) -> Result<(), Refusal> {
    if let Bson::Document(operators) = operand
        && operators.keys().next().is_some_and(|name| name.starts_with('$'))
    {
        return read_operators(path, operators, nodes);
    }
    admissible(operand)?;
    nodes.push(Node::Compare(path, Relation::Equal, operand));
    Ok(())
}

fn read_operators<'a>(
    path: &'a str,
    operators: &'a Document,
    nodes: &mut Vec<Node<'a>>,
) -> Result<(), Refusal> {
    for (name, operand) in operators {
        admissible(operand)?;
        nodes.push(match name.as_str() {
            "$eq" => Node::Compare(path, Relation::Equal, operand),
            "$ne" => not(Node::Compare(path, Relation::Equal, operand)),
            "$gt" => Node::Compare(path, Relation::Greater, operand),
            "$gte" => Node::Compare(path, Relation::GreaterOrEqual, operand),
            "$lt" => Node::Compare(path, Relation::Less, operand),
            "$lte" => Node::Compare(path, Relation::LessOrEqual, operand),
            "$in" => Node::In(path, list(name, operand)?),
            "$nin" => not(Node::In(path, list(name, operand)?)),
            "$exists" if truth(operand) => Node::Exists(path),
            "$exists" => not(Node::Exists(path)),
            "$not" => {
                let negated = operand.as_document().filter(|inner| !inner.is_empty());
                let inner = negated.ok_or_else(|| Refusal("$not needs operators".to_owned()))?;
                let mut all = Vec::with_capacity(inner.len());
                read_operators(path, inner, &mut all)?;
                not(Node::All(all))
            }
            other => return Err(unknown(other)),
        });
    }
    Ok(())
}

fn list<'a>(name: &str, operand: &'a Bson) -> Result<&'a [Bson], Refusal> {
    let Bson::Array(values) = operand else {
        return Err(Refusal(format!("{name} needs an array")));
    };
    let nests = |value: &Bson| {
        let first = value.as_document().and_then(|inner| inner.keys().next());
        first.is_some_and(|name| name.starts_with('$'))
    };
    if values.iter().any(nests) {
        return Err(Refusal(format!("no operators within {name}")));
    }
    Ok(values)
}

fn truth(value: &Bson) -> bool {
    match value {
        Bson::Boolean(value) => *value,
        Bson::Int32(number) => *number != 0,
        Bson::Int64(number) => *number != 0,
        Bson::Double(number) => *number != 0.0,
        Bson::Null => false,
        _ => true,
    }
}

fn not(node: Node<'_>) -> Node<'_> {
    Node::Not(Box::new(node))
}

fn unknown(operator: &str) -> Refusal {
    Refusal(format!("unknown operator: {operator}"))
}
