//! Filters: the subset of MongoDB's query language that services may use.
//!
//! A filter is read as a whole before it is applied, so an unsupported operator is rejected even
//! where it would not have been evaluated. No operator is ever ignored.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::path::{self, is_prefix};
use super::rejected::Rejected;
use super::value::{admissible, compare, rank};
use crate::access::Content;

/// A parsed filter: all of its nodes must hold.
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

/// The input of a filter.
#[derive(Clone, Copy)]
enum Input<'s> {
    Document(&'s Document),
    /// A single array element; the filter's paths are empty.
    Element(&'s Bson),
}

impl Input<'_> {
    fn any(self, path: &str, test: &dyn Fn(Option<&Bson>) -> bool) -> bool {
        match self {
            Self::Document(document) => path::any(document, path, test),
            Self::Element(element) => path::any_in(Some(element), None, test),
        }
    }
}

impl<'a> Filter<'a> {
    /// Parses a filter on documents.
    pub(super) fn read(filter: &'a Document) -> Result<Self, Rejected> {
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

    /// Parses operators on an array element.
    pub(super) fn read_on_element(operators: &'a Document) -> Result<Self, Rejected> {
        let mut nodes = Vec::with_capacity(operators.len());
        read_operators("", operators, &mut nodes)?;
        Ok(Self(nodes))
    }

    /// Whether the document matches.
    pub(super) fn matches(&self, document: &Document) -> bool {
        self.0.iter().all(|node| node.holds(Input::Document(document)))
    }

    /// Whether the filter depends on the value at any of these paths.
    pub(super) fn reads(&self, paths: &[String]) -> bool {
        self.0.iter().any(|node| node.reads(paths))
    }

    /// Whether a document with these top-level fields matches, whatever its other fields;
    /// `None` where that depends on them.
    pub(super) fn decide(&self, known: &Document) -> Option<bool> {
        all(self.0.iter().map(|node| node.decide(known)))
    }

    /// Whether the element matches.
    pub(super) fn matches_element(&self, element: &Bson) -> bool {
        self.0.iter().all(|node| node.holds(Input::Element(element)))
    }

    /// The only `_id` that can match, where the filter specifies one.
    pub(super) fn id(&self) -> Option<&'a str> {
        self.0.iter().find_map(|node| match node {
            Node::Compare("_id", Relation::Equal, Bson::String(id)) => Some(id.as_str()),
            _ => None,
        })
    }

    /// The equalities that the filter requires, from which an upsert builds its document.
    pub(super) fn equalities(&self) -> Vec<(&'a str, &'a Bson)> {
        let mut found = Vec::new();
        for node in &self.0 {
            node.equalities(&mut found);
        }
        found
    }

    /// Whether every match satisfies a condition on this path.
    pub(super) fn constrains(&self, path: &str) -> bool {
        self.0.iter().any(|node| node.constrains(path))
    }

    /// Whether every match obviously matches the other filter, which must be plain.
    pub(super) fn implies(&self, other: &Filter<'_>) -> bool {
        other.0.iter().all(|node| match node {
            Node::Exists(path) => self.constrains(path),
            Node::Compare(path, Relation::Equal, value) => {
                let equalities = self.equalities();
                equalities.iter().any(|(own, is)| own == path && compare(is, value).is_eq())
            }
            _ => false,
        })
    }

    /// Whether the filter consists of equalities and `$exists: true` only.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |node: &Node<'_>| {
            matches!(node, Node::Exists(_) | Node::Compare(_, Relation::Equal, _))
        };
        self.0.iter().all(plain)
    }
}

impl<'a> Node<'a> {
    fn holds(&self, input: Input<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(input)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(input)),
            Self::Not(node) => !node.holds(input),
            Self::Exists(path) => input.any(path, &|found| found.is_some()),
            Self::Compare(path, relation, operand) => {
                input.any(path, &|found| relation.holds(found, operand))
            }
            Self::In(path, operands) => input.any(path, &|found| {
                operands.iter().any(|operand| Relation::Equal.holds(found, operand))
            }),
        }
    }

    fn reads(&self, paths: &[String]) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(|node| node.reads(paths)),
            Self::Not(node) => node.reads(paths),
            Self::Exists(own) | Self::Compare(own, ..) | Self::In(own, _) => {
                paths.iter().any(|path| is_prefix(own, path) || is_prefix(path, own))
            }
        }
    }

    fn decide(&self, known: &Document) -> Option<bool> {
        match self {
            Self::All(nodes) => all(nodes.iter().map(|node| node.decide(known))),
            Self::Any(nodes) => {
                let none = all(nodes.iter().map(|node| node.decide(known).map(|holds| !holds)));
                none.map(|none| !none)
            }
            Self::Not(node) => node.decide(known).map(|holds| !holds),
            Self::Exists(path) | Self::Compare(path, ..) | Self::In(path, _) => {
                let is_known = known.contains_key(path::split(path).0);
                is_known.then(|| self.holds(Input::Document(known)))
            }
        }
    }

    fn constrains(&self, path: &str) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().any(|node| node.constrains(path)),
            Self::Any(nodes) => nodes.len() == 1 && nodes[0].constrains(path),
            Self::Not(node) => node.constrains(path),
            Self::Exists(own) | Self::Compare(own, ..) | Self::In(own, _) => *own == path,
        }
    }

    fn equalities(&self, found: &mut Vec<(&'a str, &'a Bson)>) {
        match self {
            Self::Compare(path, Relation::Equal, value) => found.push((path, value)),
            // As the server, which drops repeated values first.
            Self::In(path, [value, more @ ..])
                if more.iter().all(|other| compare(value, other).is_eq()) =>
            {
                found.push((path, value));
            }
            Self::All(nodes) => nodes.iter().for_each(|node| node.equalities(found)),
            Self::Any(nodes) if nodes.len() == 1 => nodes[0].equalities(found),
            _ => {}
        }
    }
}

impl Relation {
    /// Values of different types never compare, except that a missing field equals null.
    fn holds(self, found: Option<&Bson>, operand: &Bson) -> bool {
        let found = found.unwrap_or(&Bson::Null);
        if rank(found) != rank(operand) {
            return false;
        }
        let order = compare(found, operand);
        match self {
            Self::Equal => order.is_eq(),
            // NaN compares with nothing but itself, although it sorts before all numbers.
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

/// Three-valued conjunction.
fn all(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unknown = false;
    for value in values {
        match value {
            Some(true) => {}
            Some(false) => return Some(false),
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(true) }
}

fn is_nan(value: &Bson) -> bool {
    matches!(value, Bson::Double(number) if number.is_nan())
}

fn branches<'a>(name: &str, operand: &'a Bson) -> Result<Vec<Node<'a>>, Rejected> {
    let rejected = || Rejected(format!("{name} must be a nonempty array of filters"));
    let Bson::Array(filters) = operand else { return Err(rejected()) };
    if filters.is_empty() {
        return Err(rejected());
    }
    let read = |filter: &'a Bson| {
        let filter = filter.as_document().ok_or_else(rejected)?;
        let Filter(mut nodes) = Filter::read(filter)?;
        Ok(if nodes.len() == 1 { nodes.swap_remove(0) } else { Node::All(nodes) })
    };
    filters.iter().map(read).collect()
}

/// Parses the condition on one path: operators, or a value to equal.
fn condition<'a>(
    path: &'a str,
    operand: &'a Bson,
    nodes: &mut Vec<Node<'a>>,
) -> Result<(), Rejected> {
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
) -> Result<(), Rejected> {
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
                let inner =
                    negated.ok_or_else(|| Rejected("$not requires operators".to_owned()))?;
                let mut all = Vec::with_capacity(inner.len());
                read_operators(path, inner, &mut all)?;
                not(Node::All(all))
            }
            other => return Err(unknown(other)),
        });
    }
    Ok(())
}

fn list<'a>(name: &str, operand: &'a Bson) -> Result<&'a [Bson], Rejected> {
    let Bson::Array(values) = operand else {
        return Err(Rejected(format!("{name} requires an array")));
    };
    let nests = |value: &Bson| {
        let first = value.as_document().and_then(|inner| inner.keys().next());
        first.is_some_and(|name| name.starts_with('$'))
    };
    if values.iter().any(nests) {
        return Err(Rejected(format!("{name} must not contain operators")));
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

fn unknown(operator: &str) -> Rejected {
    Rejected(format!("unknown operator: {operator}"))
}

/// Whether a write of this content may make a document match a filter that it did not match
/// before. True for filters that the store rejects, which find nothing.
pub(crate) fn may_begin_to_match(filter: &Document, content: &Content) -> bool {
    Filter::read(filter).map_or(true, |filter| match content {
        Content::Whole(document) => filter.matches(document),
        Content::Changed { known, paths } => {
            filter.reads(paths) && filter.decide(known) != Some(false)
        }
    })
}

/// Whether a document matches a filter. True for filters that the store rejects.
pub(crate) fn matches(filter: &Document, document: &Document) -> bool {
    Filter::read(filter).map_or(true, |filter| filter.matches(document))
}
