//! An answer that the contract allows, and the document that the request must leave.

use bson::Document;
use serde_json::Value;

use super::rules::Rule;
use super::session::Caller;

/// An allowed answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The rule that allows it.
    pub rule: Rule,
    /// The status: that of the rule.
    pub status: u16,
    /// The body.
    pub body: Body,
    /// The session cookie that it sets.
    pub cookie: Cookie,
    /// The write that the request must have made.
    pub effect: Effect,
}

/// The body of an allowed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// No body.
    Empty,
    /// Exactly this JSON.
    Json(Value),
    /// The error shape, an entry for each field and message; `None` for no field, and for a
    /// message whose text the contract leaves open.
    Errors(Vec<(Option<&'static str>, Option<&'static str>)>),
    /// A page of a list, which is judged by itself.
    Page,
}

/// The session cookie of an allowed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Cookie {
    /// None.
    Kept,
    /// A fresh session of this user and generation; the time of issue is left open.
    Issued(Caller, i64),
    /// The cookie is cleared.
    Cleared,
}

/// The write of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// None.
    Nothing,
    /// One write, which leaves this document. `outbox`, `published` and `revision` are left open.
    Leaves(Document),
    /// Writes that are judged by themselves.
    Judged,
}

impl Answer {
    /// A success.
    pub fn shows(rule: Rule, body: Value) -> Self {
        let (status, body, cookie) = (rule.status(), Body::Json(body), Cookie::Kept);
        Self { rule, status, body, cookie, effect: Effect::Nothing }
    }

    /// A success without a body.
    pub fn empty(rule: Rule) -> Self {
        Self { body: Body::Empty, ..Self::shows(rule, Value::Null) }
    }

    /// A refusal of the whole request with this message.
    pub fn refuses(rule: Rule, message: &'static str) -> Self {
        let body = Body::Errors(vec![(None, Some(message))]);
        Self { body, ..Self::shows(rule, Value::Null) }
    }

    /// A refusal of these input fields.
    pub fn invalid(rule: Rule, fields: &[(&'static str, Option<&'static str>)]) -> Self {
        let fields = fields.iter().map(|(field, message)| (Some(*field), *message)).collect();
        Self { body: Body::Errors(fields), ..Self::shows(rule, Value::Null) }
    }

    /// 401.
    pub fn unauthorized(rule: Rule) -> Self {
        Self::refuses(rule, "Not authorized")
    }

    /// 404.
    pub fn not_found(rule: Rule) -> Self {
        Self::refuses(rule, "Not Found")
    }

    /// 503.
    pub fn unavailable(rule: Rule) -> Self {
        Self::refuses(rule, "Service unavailable, try again later")
    }

    /// The same with this cookie.
    pub fn with_cookie(self, cookie: Cookie) -> Self {
        Self { cookie, ..self }
    }

    /// The same, if the request leaves this document.
    pub fn leaving(self, document: Document) -> Self {
        Self { effect: Effect::Leaves(document), ..self }
    }

    /// Whether a reply has this status and this body.
    pub fn is(&self, status: u16, text: &[u8], body: &Value) -> bool {
        if self.status != status {
            return false;
        }
        match &self.body {
            Body::Empty => text.is_empty(),
            Body::Json(expected) => same(expected, body),
            Body::Errors(expected) => errors(expected, body),
            Body::Page => true,
        }
    }
}

/// Whether two JSON values are equal; numbers are compared by value.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|o| same(one, o)))
        }
        _ => one == other,
    }
}

/// Whether a body has the error shape with exactly these entries, in any order.
fn errors(expected: &[(Option<&str>, Option<&str>)], body: &Value) -> bool {
    let Some(shape) = body.as_object().filter(|shape| shape.len() == 1) else { return false };
    let Some(shown) = shape.get("errors").and_then(Value::as_array) else { return false };
    let matches = |(field, message): &(Option<&str>, Option<&str>), shown: &Value| {
        let Some(fields) = shown.as_object() else { return false };
        let text = fields.get("message").and_then(Value::as_str).unwrap_or_default();
        let names = fields.len() == 1 + usize::from(field.is_some());
        let known = message.is_none_or(|message| message == text);
        names && known && !text.is_empty() && fields.get("field").and_then(Value::as_str) == *field
    };
    shown.len() == expected.len()
        && expected.iter().all(|expected| shown.iter().any(|shown| matches(expected, shown)))
}
