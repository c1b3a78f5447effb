//! One user: builds requests and keeps the session cookie.

use bytes::Bytes;
use harness::world::{Asker, Reply};
use http::{Method, Request, header};
use serde_json::Value;

/// A user of the system, with or without an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The user id; empty before a sign-up or sign-in.
    pub id: String,
    /// The email address.
    pub email: String,
    /// The session cookie, as `name=value`.
    pub cookie: Option<String>,
    /// The session cookie before that one.
    pub former: Option<String>,
}

impl Person {
    /// A user without a session.
    pub fn new(email: impl Into<String>) -> Self {
        Self { email: email.into(), ..Self::default() }
    }

    /// A request with the session cookie and a JSON body; null for no body.
    pub fn request(&self, method: Method, path: &str, body: &Value) -> Request<Bytes> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if !self.id.is_empty() {
            request = request.extension(Asker(self.id.clone()));
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
            body.to_string().into()
        };
        request.body(bytes).expect("the paths of operations are valid URIs")
    }

    /// Keeps the cookie and the user id from the reply to a sign-up or sign-in.
    pub fn absorb(&mut self, reply: &Reply) {
        let Reply::Answer(answer) = reply else { return };
        let cookies = answer.headers().get_all(header::SET_COOKIE).into_iter();
        for cookie in cookies.filter_map(|cookie| cookie.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            // A cleared cookie has an empty value. The value itself may contain `=`, as base64 does.
            let former = self.cookie.take();
            self.former = former.or(self.former.take());
            self.cookie = pair
                .split_once('=')
                .filter(|(_, value)| !value.is_empty())
                .map(|_| pair.to_owned());
            if let Some(id) = reply.json()["id"].as_str() {
                id.clone_into(&mut self.id);
            }
        }
    }
}
