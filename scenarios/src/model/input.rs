//! Input: bodies, ids, queries, and the fields in them.

use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::answer::{Answer, Body};
use super::rules::Rule;

/// The largest body, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// A bad field and its message; `None` where the contract leaves the text open.
pub type Bad = (&'static str, Option<&'static str>);

/// The object in a body.
///
/// # Errors
///
/// The answer to a body that is none.
pub fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Box<Answer>> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let open = |rule| Answer {
        body: Body::Errors(vec![(None, None)]),
        ..Answer::shows(rule, Value::Null)
    };
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(open(Rule::ContentType).into());
    }
    if body.len() > BODY_LIMIT {
        return Err(open(Rule::TooLarge).into());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(open(Rule::NotAnObject).into()),
    }
}

/// A text field; empty where it is missing or no text.
pub fn text<'b>(body: &'b Map<String, Value>, field: &str) -> &'b str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a value conforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It does.
    Good,
    /// It does not.
    Bad,
    /// The contract leaves it open.
    Open,
}

/// The sets of bad fields that the contract allows to report: more than one where it leaves open
/// whether a field is bad.
pub fn bad_fields(fields: &[(Bad, Validity)]) -> Vec<Vec<Bad>> {
    let mut all = vec![Vec::new()];
    for (field, validity) in fields {
        let with = |set: &Vec<Bad>| set.iter().copied().chain([*field]).collect();
        match validity {
            Validity::Good => {}
            Validity::Bad => all = all.iter().map(with).collect(),
            Validity::Open => all.extend(all.clone().iter().map(with)),
        }
    }
    all
}

/// Whether this is an email address.
pub fn email(text: &str) -> Validity {
    let Some((local, domain)) = text.trim().rsplit_once('@') else { return Validity::Bad };
    let plain = |text: &str, more: &str| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || more.as_bytes().contains(&b))
    };
    let labels = domain.split('.').all(|label| {
        !label.is_empty() && label.len() < 64 && !label.starts_with('-') && !label.ends_with('-')
    });
    let spaces = local.contains(char::is_whitespace) || domain.contains(char::is_whitespace);
    if local.is_empty() || domain.is_empty() || local.contains('@') || spaces {
        return Validity::Bad;
    }
    let is_plain = labels && plain(local, ".+-_") && plain(domain, ".-");
    let short = local.len() <= 64 && domain.len() < 250 && domain.contains('.');
    if is_plain && short { Validity::Good } else { Validity::Open }
}

/// A price in cents, and whether it conforms.
pub fn price(value: Option<&Value>) -> (i64, Validity) {
    let digits = match value {
        Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(float)) => format!("{float}"),
            (None, None) => return (0, Validity::Bad),
        },
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => return (0, Validity::Bad),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    let (number, short) = (is_number(whole), whole.len() <= 8 && fraction.len() <= 2);
    if !number || !short || !(fraction.is_empty() || is_number(fraction)) || digits.ends_with('.') {
        return (0, Validity::Bad);
    }
    let cents: i64 = format!("{whole}{fraction:0<2}").parse().unwrap_or_default();
    let validity = match cents {
        50..=99_999_999 => Validity::Good,
        _ => Validity::Bad,
    };
    (cents, validity)
}

/// Whether this is a title, once its outer blanks are gone.
pub fn title(text: &str) -> Validity {
    let bidirectional = |c: char| matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let title = text.trim();
    let is_plain = |c: char| c.is_alphanumeric() || c.is_ascii();
    match title.chars().count() {
        1..=200 if title.contains(|c: char| c.is_control() || bidirectional(c)) => Validity::Bad,
        1..=200 if title.contains(is_plain) => Validity::Good,
        // Signs without a width, for instance.
        1..=200 => Validity::Open,
        _ => Validity::Bad,
    }
}

/// Whether this is a document id, in either case.
pub fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The most items.
    pub limit: usize,
    /// The id before the first one, in lower case.
    pub after: Option<String>,
}

/// The page that a query string asks for.
///
/// # Errors
///
/// The answers to a bad one.
pub fn page(query: &str, rule: Rule) -> Result<Page, Box<Answer>> {
    let (mut limit, mut after, mut bad) = (Some(100), None, Vec::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "limit" => limit = value.parse().ok().filter(|limit| (1..=1000).contains(limit)),
            "after" => after = Some(value.to_ascii_lowercase()),
            _ => {}
        }
    }
    if limit.is_none() {
        bad.push(("limit", None));
    }
    if after.as_ref().is_some_and(|after| !is_id(after)) {
        bad.push(("after", None));
    }
    match limit {
        Some(limit) if bad.is_empty() => Ok(Page { limit, after }),
        _ => Err(Answer::invalid(rule, &bad).into()),
    }
}
