//! The session: a cookie that holds a signed token, and who it says is asking.
//!
//! The cookie `session` is base64 of `{"jwt":"<HS256 token>"}`. A bad, forged or expired one
//! counts as signed out, and so does one of a banned user.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::bans::Bans;
use platform::http::ApiError;
use platform::listen::Listener;
use ports::Ports;
use ports::clock::Clock;

mod token;

/// How sessions are made and checked.
#[derive(Clone)]
pub struct SessionConfig {
    /// The key that signs.
    pub key: String,
    /// The key before it, still accepted.
    pub previous_key: Option<String>,
    /// How long a token lives.
    pub lifetime: Duration,
    /// Whether browsers send the cookie over TLS only.
    pub secure: bool,
}

impl fmt::Debug for SessionConfig {
    /// Without the keys: configurations end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, previous_key: _, lifetime, secure } = self;
        let mut shown = f.debug_struct("SessionConfig");
        shown.field("lifetime", lifetime).field("secure", secure).finish_non_exhaustive()
    }
}

/// Who is asking: the claims of a valid token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The address at sign-in.
    pub email: String,
    /// When the token was issued, in seconds since 1970.
    pub iat: i64,
}

/// Issues and checks sessions in one instance. Clones share what it knows.
#[derive(Clone)]
pub struct Sessions {
    config: Arc<SessionConfig>,
    clock: Arc<dyn Clock>,
    bans: Bans,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    jwt: String,
}

impl Sessions {
    /// Sessions under this configuration.
    pub fn new(config: &SessionConfig, ports: &Ports) -> Self {
        Self {
            config: Arc::new(config.clone()),
            clock: Arc::clone(&ports.clock),
            bans: Bans::new(Arc::clone(&ports.clock)),
        }
    }

    /// The listener that hears of bans: every service with sessions has it.
    pub fn listener(&self) -> Listener {
        self.bans.listener(self.config.lifetime)
    }

    /// How long a token lives.
    pub fn lifetime(&self) -> Duration {
        self.config.lifetime
    }

    /// A `Set-Cookie` value that signs this user in. `since` is a time before the user was
    /// looked up, so that no token outlives the memory of a ban that came in between.
    pub fn issue(&self, id: &str, email: &str, since: jiff::Timestamp) -> HeaderValue {
        let iat = since.as_second();
        let user = User { id: id.to_owned(), email: email.to_owned(), iat };
        let lifetime = i64::try_from(self.config.lifetime.as_secs()).unwrap_or(i64::MAX);
        let jwt = token::sign(&user, iat.saturating_add(lifetime), &self.config.key);
        let envelope = serde_json::to_vec(&Envelope { jwt }).expect("a token is plain text");
        self.cookie(&STANDARD.encode(envelope), self.config.lifetime)
    }

    /// A `Set-Cookie` value that signs out.
    pub fn clear(&self) -> HeaderValue {
        self.cookie("", Duration::ZERO)
    }

    /// Who is asking; `None` for nobody.
    pub fn current(&self, headers: &HeaderMap) -> Option<User> {
        let cookies = headers.get_all(header::COOKIE).into_iter();
        let value = cookies
            .filter_map(|line| line.to_str().ok())
            .flat_map(cookie::Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == "session")?;
        // Some clients put a value that ends in = between quotes.
        let envelope = STANDARD.decode(value.value_trimmed()).ok()?;
        let envelope: Envelope = serde_json::from_slice(&envelope).ok()?;
        let now = self.clock.now().as_second();
        let keys = [Some(&self.config.key), self.config.previous_key.as_ref()];
        let verify = |key: &String| token::verify(&envelope.jwt, key, now);
        let user = keys.into_iter().flatten().find_map(verify)?;
        (!self.bans.is_banned(&user.id)).then_some(user)
    }

    fn cookie(&self, value: &str, age: Duration) -> HeaderValue {
        let secure = if self.config.secure { "; Secure" } else { "" };
        let age = age.as_secs();
        let cookie =
            format!("session={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&cookie).expect("base64 is a valid header value")
    }
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
