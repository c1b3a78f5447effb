//! The server addresses of a NATS URL, and the credentials in them.
//!
//! `async-nats` ignores credentials in a URL, and may log the URL. So they are taken out of it
//! here and become connection options. No error shows them.

use std::fmt::Display;

use async_nats::{ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use ports::bus::BusError;

/// The servers to connect to.
#[derive(Debug)]
pub(super) struct Addresses {
    /// The addresses, without credentials.
    pub(super) servers: Vec<ServerAddr>,
    credentials: Option<Credentials>,
}

/// `user:password@` or `token@`, decoded. Has no `Debug` output of its content.
#[derive(Clone, PartialEq, Eq)]
enum Credentials {
    Password { user: String, password: String },
    Token(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

impl Addresses {
    /// Parses addresses separated by commas. Credentials may be in one or all of them, but
    /// apply to all.
    pub(super) fn parse(url: &str) -> Result<Self, BusError> {
        let mut addresses = Self { servers: Vec::new(), credentials: None };
        for address in url.split(',') {
            let (server, credentials) = parse_one(address.trim())?;
            addresses.servers.push(server);
            match (&addresses.credentials, credentials) {
                (_, None) => {}
                (None, found) => addresses.credentials = found,
                (Some(known), Some(found)) if *known == found => {}
                (Some(_), Some(_)) => {
                    return Err(rejected(&"its addresses have different credentials"));
                }
            }
        }
        Ok(addresses)
    }

    /// Adds the credentials to the options of a connection.
    pub(super) fn authenticate(&self, options: ConnectOptions) -> ConnectOptions {
        match self.credentials.clone() {
            Some(Credentials::Password { user, password }) => {
                let options = match inbox_prefix(&user) {
                    Some(prefix) => options.custom_inbox_prefix(prefix),
                    None => options,
                };
                options.user_and_password(user, password)
            }
            Some(Credentials::Token(token)) => options.token(token),
            None => options,
        }
    }
}

impl Display for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<_> = self.servers.iter().map(ServerAddr::as_url_str).collect();
        f.write_str(&shown.join(","))
    }
}

/// The prefix of the subjects on which a user receives answers, so that permissions can keep users
/// from reading those of others; `None` for a name that is not one token of a subject.
fn inbox_prefix(user: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_token = !user.is_empty() && user.chars().all(plain);
    is_token.then(|| format!("_INBOX.{user}"))
}

fn parse_one(address: &str) -> Result<(ServerAddr, Option<Credentials>), BusError> {
    let mut url = address.parse::<ServerAddr>().map_err(|e| rejected(&e))?.into_inner();
    let user = decoded(url.username())?;
    let credentials = match url.password().map(decoded).transpose()? {
        Some(password) => Some(Credentials::Password { user, password }),
        None if user.is_empty() => None,
        None => Some(Credentials::Token(user)),
    };
    if credentials.is_some() {
        let stripped = url.set_username("").and_then(|()| url.set_password(None));
        stripped.map_err(|()| rejected(&"an address has credentials but no host"))?;
    }
    Ok((ServerAddr::from_url(url).map_err(|e| rejected(&e))?, credentials))
}

fn decoded(part: &str) -> Result<String, BusError> {
    let decoded = percent_decode_str(part).decode_utf8();
    decoded.map(Into::into).map_err(|_| rejected(&"its credentials are not UTF-8"))
}

fn rejected(reason: &dyn Display) -> BusError {
    BusError::Rejected(format!("the NATS URL is invalid: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (String, Option<Credentials>) {
        let addresses = Addresses::parse(url).expect("a valid URL");
        (addresses.to_string(), addresses.credentials)
    }

    #[test]
    fn credentials_are_decoded_and_removed_from_the_address() {
        let password = |user: &str, password: &str| {
            let (user, password) = (user.to_owned(), password.to_owned());
            Some(Credentials::Password { user, password })
        };
        let token = |token: &str| Some(Credentials::Token(token.to_owned()));
        for (url, shown, credentials) in [
            ("nats://host:4222", "nats://host:4222", None),
            ("host", "nats://host", None),
            ("nats://anna:opera@host", "nats://host", password("anna", "opera")),
            ("anna:opera@host:1", "nats://host:1", password("anna", "opera")),
            ("tls://anna:o%40p%3A%2C@host", "tls://host", password("anna", "o@p:,")),
            ("nats://s3cr3t@host", "nats://host", token("s3cr3t")),
            ("nats://anna:opera@a, nats://b", "nats://a,nats://b", password("anna", "opera")),
            ("a, s3cr3t@b, s3cr3t@c", "nats://a,nats://b,nats://c", token("s3cr3t")),
        ] {
            assert_eq!(parsed(url), (shown.to_owned(), credentials), "{url}");
        }
    }

    #[test]
    fn a_user_whose_name_is_a_token_has_a_prefix_of_its_own() {
        assert_eq!(inbox_prefix("auth").as_deref(), Some("_INBOX.auth"));
        for name in ["", "a.b", "a b", "*", ">"] {
            assert_eq!(inbox_prefix(name), None, "{name}");
        }
    }

    #[test]
    fn an_invalid_url_is_rejected_without_its_credentials() {
        for url in [
            "nats://anna:opera@a,nats://anna:other@b",
            "nats://anna:opera@host:port",
            "http://anna:opera@host",
            "nats://anna:opera%ff@host",
        ] {
            let error = Addresses::parse(url).expect_err("invalid");
            assert!(matches!(&error, BusError::Rejected(_)), "{error}");
            assert!(!error.to_string().contains("opera"), "{error}");
        }
        assert!(!format!("{:?}", Addresses::parse("anna:opera@host")).contains("opera"));
    }
}
