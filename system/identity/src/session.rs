//! Sessions: cookies that hold a signed token, and the caller that a token identifies.
//!
//! The cookie `session` is base64 of `{"jwt":"<HS256 token>"}`. A bad, forged or expired one
//! counts as signed out, and so does one that has ended, or the one of a banned user. Nothing here looks up a user:
//! the token alone identifies the caller.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::revocations::Revocations;
use crate::token;
use platform::http::ApiError;
use platform::http::interface::{DeclaredAnswer, Endpoint, Gives, SessionCookie, Takes};
use platform::listen::Listener;
use ports::clock::Clock;
use ports::entropy::Entropy;
use ports::{Ports, Timestamp};

pub use crate::token::User;

/// The name of the cookie.
const COOKIE: &str = "session";

/// The parameters by which sessions are issued and verified.
#[derive(Clone)]
pub struct SessionConfig {
    /// The key that signs tokens.
    pub key: String,
    /// The previous key, whose tokens are still accepted: for key rotation.
    pub previous_key: Option<String>,
    /// The lifetime of a token; whole seconds count.
    pub lifetime: Duration,
    /// True if browsers may send the cookie over TLS only.
    pub secure: bool,
}

impl fmt::Debug for SessionConfig {
    /// Omits the keys: configurations end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, previous_key: _, lifetime, secure } = self;
        let mut shown = f.debug_struct("SessionConfig");
        shown.field("lifetime", lifetime).field("secure", secure).finish_non_exhaustive()
    }
}

/// Issues and verifies sessions in one instance. Clones share the known revocations.
#[derive(Clone)]
pub struct Sessions {
    config: Arc<SessionConfig>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    revocations: Revocations,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    jwt: String,
}

impl Sessions {
    /// Creates the sessions of one instance, which knows of no revocation yet.
    pub fn new(config: &SessionConfig, ports: &Ports) -> Self {
        Self {
            config: Arc::new(config.clone()),
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
            revocations: Revocations::new(Arc::clone(&ports.clock), config.lifetime),
        }
    }

    /// Creates the listener that receives revocations. Every service with sessions must run it.
    #[must_use]
    pub fn listener(&self) -> Listener {
        self.revocations.listener()
    }

    /// Returns the lifetime of a token.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.config.lifetime
    }

    /// Creates the `Set-Cookie` value that signs this user in, for a new session of this
    /// generation. `since` is a time before the user was looked up: the token expires relative to
    /// it, so no token outlives the memory of a revocation that arrived in between.
    #[must_use]
    pub fn issue(&self, id: &str, email: &str, generation: i64, since: Timestamp) -> HeaderValue {
        let (iat, session) = (since.as_second(), self.entropy.id(since));
        let (id, email) = (id.to_owned(), email.to_owned());
        let user = User { id, email, iat, session, generation };
        let lifetime = i64::try_from(self.config.lifetime.as_secs()).unwrap_or(i64::MAX);
        let jwt = token::sign(&user, iat.saturating_add(lifetime), &self.config.key);
        let envelope = serde_json::to_vec(&Envelope { jwt }).expect("a token is plain text");
        self.cookie(&STANDARD.encode(envelope), self.config.lifetime)
    }

    /// Creates the `Set-Cookie` value that signs out.
    #[must_use]
    pub fn clear(&self) -> HeaderValue {
        self.cookie("", Duration::ZERO)
    }

    /// Returns the caller; `None` without a valid session. Of several cookies of this name, which
    /// a page of another path or a subdomain can set, the first that verifies and has not
    /// ended counts.
    #[must_use]
    pub fn current(&self, headers: &HeaderMap) -> Option<User> {
        let mut users = cookies(headers).filter_map(|value| self.verify(value));
        let user = users.find(|user| !self.revocations.has_ended(user))?;
        (!self.revocations.is_banned(&user)).then_some(user)
    }

    fn verify(&self, value: &str) -> Option<User> {
        let envelope = STANDARD.decode(value).ok()?;
        let envelope: Envelope = serde_json::from_slice(&envelope).ok()?;
        let now = self.clock.now().as_second();
        let keys = [Some(&self.config.key), self.config.previous_key.as_ref()];
        let verify = |key: &String| token::verify(&envelope.jwt, key, now);
        keys.into_iter().flatten().find_map(verify)
    }

    fn cookie(&self, value: &str, age: Duration) -> HeaderValue {
        let secure = if self.config.secure { "; Secure" } else { "" };
        let age = age.as_secs();
        let cookie =
            format!("{COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&cookie).expect("base64 is a valid header value")
    }
}

/// Returns the values of all session cookies. A line is split at its bytes, because a byte outside
/// ASCII spoils its own cookie and no other.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let cookies = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
    cookies.filter_map(|cookie| {
        let (name, value) = std::str::from_utf8(cookie).ok()?.split_once('=')?;
        let value = value.trim();
        // Some clients quote a value that ends in `=`.
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        (name.trim() == COOKIE).then_some(unquoted.unwrap_or(value))
    })
}

impl<S> FromRequestParts<S> for User
where
    S: AsRef<Sessions> + Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        state.as_ref().current(&parts.headers).ok_or_else(ApiError::not_authorized)
    }
}

impl<S> OptionalFromRequestParts<S> for User
where
    S: AsRef<Sessions> + Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Infallible> {
        Ok(state.as_ref().current(&parts.headers))
    }
}

impl Takes for User {
    fn describe(endpoint: &mut Endpoint) {
        endpoint.session = Some(SessionCookie { cookie: COOKIE, is_required: true });
        endpoint.refuses(&ApiError::not_authorized());
    }

    fn describe_optional(endpoint: &mut Endpoint) {
        endpoint.session = Some(SessionCookie { cookie: COOKIE, is_required: false });
    }
}

/// A response that sets the session cookie to a value of [`Sessions::issue`] or
/// [`Sessions::clear`].
#[derive(Debug)]
pub struct SetSession<R>(pub HeaderValue, pub R);

impl<R: IntoResponse> IntoResponse for SetSession<R> {
    fn into_response(self) -> Response {
        ([(header::SET_COOKIE, self.0)], self.1).into_response()
    }
}

impl<R: Gives> Gives for SetSession<R> {
    fn answer() -> (StatusCode, DeclaredAnswer) {
        let (status, mut answer) = R::answer();
        answer.headers.push((header::SET_COOKIE.as_str(), "The session, or its end"));
        (status, answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(lines: &[&[u8]]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        cookies(&headers).map(str::to_owned).collect()
    }

    #[test]
    fn every_session_cookie_is_read_whatever_stands_beside_it() {
        assert_eq!(values(&[b"session=; session=one", b"session=two"]), ["", "one", "two"]);
        assert_eq!(values(&[b"name=caf\xe9; session=\"one==\" ;x"]), ["one=="]);
        assert_eq!(values(&[b"sessions=one; Session=two; =; ;"]), Vec::<String>::new());
    }
}
