//! Manners: how a client sends a request that another client would send plainly. All of them mean
//! the same request, or break its form.

use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::input::is_id;
use crate::model::session::Sessions;
use crate::system::PREVIOUS_KEY;

/// How a client sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// The ids are in upper case.
    UpperCase,
    /// Blanks stand around every text in the body.
    Padded,
    /// The session is signed by the previous key.
    PreviousKey,
    /// The session is signed by a key that the system does not know.
    UnknownKey,
    /// The session is the one before the client's last sign-in or sign-out, which may have ended.
    FormerSession,
    /// Other cookies stand before the session, one of them a session that does not verify.
    ManyCookies,
    /// The body is an array.
    Array,
    /// The body is as large as the limit.
    Full,
    /// The content type has a character set, and letters in upper case.
    Charset,
    /// The body is cut off.
    Truncated,
    /// The body is over the limit.
    Huge,
    /// The content type is text.
    AsText,
    /// The fields are null.
    Nulls,
    /// The last id has one digit less.
    ShortId,
}

impl Manner {
    /// All manners.
    pub const ALL: &[Self] = &[
        Self::UpperCase,
        Self::Padded,
        Self::PreviousKey,
        Self::UnknownKey,
        Self::FormerSession,
        Self::ManyCookies,
        Self::Array,
        Self::Full,
        Self::Charset,
        Self::Truncated,
        Self::Huge,
        Self::AsText,
        Self::Nulls,
        Self::ShortId,
    ];

    /// The same request in this manner; `former` is the session cookie before the
    /// client's last sign-in or sign-out.
    pub fn apply(self, mut request: Request<Bytes>, former: Option<&str>) -> Request<Bytes> {
        match self {
            Self::UpperCase => {
                each_word(&mut request, shout);
                each_text(&mut request, shout);
            }
            Self::Padded => each_text(&mut request, |text| {
                if is_id(text) { text.to_owned() } else { format!(" \u{a0}{text}\t ") }
            }),
            Self::PreviousKey => sign(&mut request, PREVIOUS_KEY),
            Self::UnknownKey => sign(&mut request, "a key of nobody"),
            Self::FormerSession => {
                if let Some(Ok(cookie)) = former.map(HeaderValue::from_str) {
                    request.headers_mut().insert(header::COOKIE, cookie);
                }
            }
            Self::ManyCookies => set_cookie(&mut request, |cookie| {
                format!("theme=dark; session=bm9uZQ==; sessions=1; {cookie}")
            }),
            Self::Array => set_body(&mut request, |body| format!("[{body}]")),
            Self::Truncated => {
                set_body(&mut request, |body| body[..body.len().saturating_sub(1)].to_owned());
            }
            Self::Full => set_body(&mut request, |body| filled(body, 64 * 1024)),
            Self::Huge => set_body(&mut request, |body| filled(body, 64 * 1024 + 1)),
            Self::Charset => {
                let kind = HeaderValue::from_static("Application/JSON; charset=utf-8");
                request.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            Self::AsText => {
                let kind = HeaderValue::from_static("text/plain; charset=utf-8");
                request.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            Self::Nulls => edit(&mut request, |fields| {
                fields.values_mut().for_each(|value| *value = Value::Null);
            }),
            Self::ShortId => {
                let short = |word: &str| word[usize::from(is_id(word))..].to_owned();
                each_word(&mut request, short);
                each_text(&mut request, short);
            }
        }
        request
    }
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UpperCase => "with ids in upper case",
            Self::Padded => "with blanks around every text",
            Self::PreviousKey => "with a session of the previous key",
            Self::UnknownKey => "with a session of an unknown key",
            Self::FormerSession => "with the session before",
            Self::ManyCookies => "with other cookies before the session",
            Self::Array => "with an array as the body",
            Self::Full => "with a body as large as the limit",
            Self::Charset => "with a content type with a character set",
            Self::Truncated => "with a truncated body",
            Self::Huge => "with a body over the limit",
            Self::AsText => "with a body of text",
            Self::Nulls => "with null in every field",
            Self::ShortId => "with an id that is too short",
        })
    }
}

/// An id in upper case; any other text as it is.
fn shout(text: &str) -> String {
    if is_id(text) { text.to_ascii_uppercase() } else { text.to_owned() }
}

/// Changes every word of the path and the query.
fn each_word(request: &mut Request<Bytes>, change: impl Fn(&str) -> String) {
    let uri = request.uri().to_string();
    let words = uri.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).map(|part| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        change(word) + &part[word.len()..]
    });
    if let Ok(uri) = words.collect::<String>().parse() {
        *request.uri_mut() = uri;
    }
}

fn set_body(request: &mut Request<Bytes>, change: impl Fn(&str) -> String) {
    if !request.body().is_empty() {
        let body = change(&String::from_utf8_lossy(request.body()));
        *request.body_mut() = body.into();
    }
}

/// Changes the fields of a JSON object.
fn edit(request: &mut Request<Bytes>, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    if let Ok(Value::Object(mut fields)) = serde_json::from_slice(request.body()) {
        change(&mut fields);
        *request.body_mut() = Value::Object(fields).to_string().into();
    }
}

fn each_text(request: &mut Request<Bytes>, change: impl Fn(&str) -> String) {
    edit(request, |fields| {
        for value in fields.values_mut() {
            if let Value::String(text) = value {
                *text = change(text);
            }
        }
    });
}

fn set_cookie(request: &mut Request<Bytes>, change: impl Fn(&str) -> String) {
    let cookie = request.headers().get(header::COOKIE).and_then(|cookie| cookie.to_str().ok());
    let changed = cookie.map(change).and_then(|cookie| HeaderValue::from_str(&cookie).ok());
    if let Some(cookie) = changed {
        request.headers_mut().insert(header::COOKIE, cookie);
    }
}

/// A body of this many bytes.
fn filled(body: &str, size: usize) -> String {
    format!("{body}{}", " ".repeat(size.saturating_sub(body.len())))
}

fn sign(request: &mut Request<Bytes>, key: &str) {
    set_cookie(request, |cookie| {
        let value = cookie.strip_prefix("session=").unwrap_or_default();
        let signed = Sessions::signed_by(value, key);
        signed.map_or_else(|| cookie.to_owned(), |value| format!("session={value}"))
    });
}
