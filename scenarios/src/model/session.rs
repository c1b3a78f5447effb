//! Sessions: the cookie, its token, and the caller that it identifies.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

/// The name of the cookie.
const COOKIE: &str = "session";

/// The parameters of sessions, the same in all services.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    /// The key that signs tokens, then the previous one.
    pub keys: Vec<String>,
    /// The lifetime of a token.
    pub lifetime: Duration,
    /// Whether cookies are sent over TLS only.
    pub secure: bool,
}

/// The user that a token identifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// The user's id.
    pub id: String,
    /// The address at the sign-in.
    pub email: String,
    /// The time of issue, in seconds since 1970.
    pub iat: i64,
}

/// A caller, and the second at which the token ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The caller.
    pub caller: Caller,
    /// The end, in seconds since 1970.
    pub exp: i64,
    /// The id of the session.
    pub session: String,
    /// The user's generation of sessions at the sign-in.
    pub generation: i64,
}

/// The keys that a cookie's value was read with, and its token.
type Tokens = BTreeMap<String, (Vec<String>, Option<Token>)>;

#[derive(Deserialize)]
struct Claims {
    id: String,
    email: String,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(rename = "gen")]
    generation: i64,
}

impl Sessions {
    /// The tokens of the session cookies that verify, in order.
    pub fn tokens(&self, headers: &HeaderMap) -> Vec<Token> {
        let lines = headers.get_all(header::COOKIE).into_iter();
        let cookies = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
        let values = cookies.filter_map(|cookie| {
            let (name, value) = std::str::from_utf8(cookie).ok()?.split_once('=')?;
            (name.trim() == COOKIE).then(|| value.trim().trim_matches('"'))
        });
        values.filter_map(|value| self.token(value)).collect()
    }

    /// The token of a cookie's value, if one of the keys has signed it. From a memo: it depends on
    /// the value and the keys alone, and clients send the same cookie many times in many runs.
    pub fn token(&self, value: &str) -> Option<Token> {
        const MOST: usize = 1000;
        thread_local! {
            static KNOWN: RefCell<Tokens> = RefCell::default();
        }
        KNOWN.with_borrow_mut(|known| {
            if let Some((_, token)) = known.get(value).filter(|(keys, _)| *keys == self.keys) {
                return token.clone();
            }
            if known.len() >= MOST {
                known.clear();
            }
            let token = self.verified(value);
            known.insert(value.to_owned(), (self.keys.clone(), token.clone()));
            token
        })
    }

    fn verified(&self, value: &str) -> Option<Token> {
        let jwt = jwt(value)?;
        let (signed, signature) = jwt.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let is_signed = |key: &String| mac(key, signed).verify_slice(&signature).is_ok();
        if head["alg"] != "HS256" || !self.keys.iter().any(is_signed) {
            return None;
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let Claims { id, email, iat, exp, jti, generation } =
            serde_json::from_slice(&claims).ok()?;
        Some(Token { caller: Caller { id, email, iat }, exp, session: jti, generation })
    }

    /// The same cookie value, signed by another key.
    pub fn signed_by(value: &str, key: &str) -> Option<String> {
        let jwt = jwt(value)?;
        let (signed, _) = jwt.rsplit_once('.')?;
        let signature = mac(key, signed).finalize().into_bytes();
        let jwt = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        Some(STANDARD.encode(json!({ "jwt": jwt }).to_string()))
    }

    /// Whether this is the `Set-Cookie` of a fresh session: returns its token.
    pub fn issued(&self, cookie: &str) -> Option<Token> {
        let lifetime = self.lifetime.as_secs();
        let value = self.attributes(cookie, |age| age == lifetime)?;
        let token = self.token(value)?;
        let lasts = i64::try_from(lifetime).ok()?;
        (token.exp == token.caller.iat + lasts).then_some(token)
    }

    /// Whether this `Set-Cookie` clears the session.
    pub fn is_cleared(&self, cookie: &str) -> bool {
        self.attributes(cookie, |age| age == 0).is_some_and(str::is_empty)
    }

    /// The value of a session cookie with exactly the attributes of the contract.
    fn attributes<'c>(&self, cookie: &'c str, age: impl Fn(u64) -> bool) -> Option<&'c str> {
        let mut parts = cookie.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes: Vec<&str> = parts.collect();
        let has = |wanted: &str| attributes.iter().any(|part| part.eq_ignore_ascii_case(wanted));
        let ages = attributes.iter().filter_map(|part| part.strip_prefix("Max-Age="));
        let known = attributes.iter().all(|part| {
            let name = part.split('=').next().unwrap_or_default();
            ["Path", "HttpOnly", "SameSite", "Secure", "Max-Age"].contains(&name)
        });
        let right = name == COOKIE
            && known
            && has("Path=/")
            && has("HttpOnly")
            && has("SameSite=Lax")
            && has("Secure") == self.secure
            && ages.filter_map(|text| text.parse().ok()).all(age);
        right.then_some(value)
    }
}

fn jwt(value: &str) -> Option<String> {
    let envelope = STANDARD.decode(value).ok()?;
    let envelope: Value = serde_json::from_slice(&envelope).ok()?;
    envelope["jwt"].as_str().map(str::to_owned)
}

fn mac(key: &str, signed: &str) -> Hmac<Sha256> {
    let mac = Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    Mac::chain_update(mac, signed)
}
