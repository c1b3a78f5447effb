//! HS256 tokens. `jsonwebtoken` implements the format; HMAC-SHA-256 comes from `hmac` and
//! `sha2`, because that crate's own bundle of algorithms depends on RSA.
//!
//! Times come from the caller: validation against the system clock is disabled. Cookies are
//! [`crate::session`]'s.

use std::sync::Once;

use hmac::digest::{CtOutput, Output};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use platform::http::interface::DocumentId;
use platform::memo::Memo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The caller: the claims of a valid token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Caller")]
pub struct User {
    /// The user's id.
    #[schemars(with = "DocumentId")]
    pub id: String,
    /// The email address at sign-in.
    pub email: String,
    /// The time of issue, in seconds since 1970.
    pub iat: i64,
    /// The id of the session; empty in a token of an earlier release.
    #[serde(skip)]
    pub session: String,
    /// The user's generation of sessions at the sign-in.
    #[serde(skip)]
    pub generation: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    id: String,
    email: String,
    iat: i64,
    exp: i64,
    #[serde(default, rename = "jti")]
    session: String,
    #[serde(default, rename = "gen")]
    generation: i64,
}

/// Signs a token for this user that expires at `exp` (seconds since 1970).
pub(crate) fn sign(user: &User, exp: i64, key: &str) -> String {
    install();
    let User { id, email, iat, session, generation } = user.clone();
    let claims = Claims { id, email, iat, exp, session, generation };
    let key = EncodingKey::from_secret(key.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).expect("HS256 signs any claims")
}

/// Returns the user of a valid token; `None` for a forged or expired one.
pub(crate) fn verify(token: &str, key: &str, now: i64) -> Option<User> {
    install();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let key = DecodingKey::from_secret(key.as_bytes());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()?.claims;
    let Claims { id, email, iat, exp, session, generation } = claims;
    (now < exp).then_some(User { id, email, iat, session, generation })
}

/// HMAC-SHA-256, whose outputs are compared in constant time.
type Signature = CtOutput<Hmac<Sha256>>;

/// Signs with this key.
struct Hs256(Vec<u8>);

impl Hs256 {
    /// The right signature of a message. From a memo, because a client sends the same token with
    /// every request: it holds right signatures alone, and a message is no secret.
    fn signature(&self, message: &[u8]) -> Signature {
        thread_local! {
            static SIGNATURES: Memo<(Vec<u8>, Vec<u8>), Signature> = const { Memo::new() };
        }
        let sign = || {
            let mac = Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length");
            Mac::chain_update(mac, message).finalize()
        };
        SIGNATURES.with(|known| known.get((message.to_vec(), self.0.clone()), sign))
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.signature(message).into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        let given = Output::<Hmac<Sha256>>::try_from(&signature[..]).map_err(Error::from_source)?;
        if self.signature(message) == CtOutput::new(given) { Ok(()) } else { Err(Error::new()) }
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

fn hs256(algorithm: Algorithm, key: &[u8]) -> jsonwebtoken::errors::Result<Hs256> {
    if algorithm != Algorithm::HS256 {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Hs256(key.to_vec()))
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(hs256(*algorithm, key.as_bytes())?)),
    verifier_factory: |algorithm, key| Ok(Box::new(hs256(*algorithm, key.try_get_as_bytes()?)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the process has installed a provider before: it stays.
        let _ = PROVIDER.install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        User {
            id: "65a000000000000000000001".to_owned(),
            email: "a@example.org".to_owned(),
            iat: 100,
            session: "s1".to_owned(),
            generation: 3,
        }
    }

    #[test]
    fn a_token_identifies_its_user_until_it_expires() {
        let token = sign(&user(), 200, "key");
        assert_eq!(verify(&token, "key", 199), Some(user()));
        assert_eq!(verify(&token, "key", 200), None);
    }

    #[test]
    fn a_forged_or_unsigned_token_is_invalid() {
        let token = sign(&user(), 200, "other key");
        assert_eq!(verify(&token, "key", 150), None);
        let (head, _) = token.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{head}."), "other key", 150), None);
        let none = "eyJhbGciOiJub25lIn0.eyJpZCI6IngiLCJlbWFpbCI6IngiLCJpYXQiOjEsImV4cCI6OTk5OX0.";
        assert_eq!(verify(none, "key", 150), None);
    }
}
