//! The values of settings: each function reads one from text, or says what is expected.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use adapters::system::SystemClock;
use axum::http::HeaderName;
use ports::Timestamp;
use ports::clock::{Clock, after};
use ports::entropy::is_id;
use tracing_subscriber::EnvFilter;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The default filter: the NATS client logs much at `info`.
pub(crate) const DEFAULT_FILTER: &str = "info,async_nats=warn";

pub(crate) fn filter(text: &str) -> Result<String, String> {
    let text = if text.trim().is_empty() { DEFAULT_FILTER } else { text };
    let parsed = EnvFilter::try_new(text);
    parsed.map(|_| text.to_owned()).map_err(|e| format!("{e}: expected a level such as info"))
}

pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address such as 127.0.0.1:3000"))
}

/// A time, or the beginning of a day, in UTC: also of one that is so many days ahead.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    moment_from(text.trim(), SystemClock.now())
}

fn moment_from(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let midnight = |day: &str| format!("{day}T00:00:00Z").parse();
    let ahead = text.strip_prefix('+').and_then(|ahead| ahead.strip_suffix('d'));
    let time = match ahead.and_then(|days| days.parse::<u16>().ok()) {
        Some(days) => midnight(&day(after(now, DAY * u32::from(days)))),
        None => text.parse().or_else(|_| midnight(text)),
    };
    time.map_err(|_| {
        format!("{text:?} is no day such as 2026-05-01 or +7d, and no time in RFC 3339")
    })
}

/// The day of a time, in UTC.
pub(crate) fn day(at: Timestamp) -> String {
    at.to_string().chars().take("2026-05-01".len()).collect()
}

pub(crate) fn secret(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(text.to_owned()) }
}

/// The shortest key that signs tokens. HS256 has no other defence against guessing.
const MIN_KEY: usize = 16;
/// The fewest different characters of a key: a repeated letter is guessed first.
const MIN_KEY_VARIETY: usize = 6;

pub(crate) fn signing_key(text: &str) -> Result<String, String> {
    let variety: BTreeSet<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.trim().len() < MIN_KEY || variety.len() < MIN_KEY_VARIETY {
        return Err(format!(
            "can be guessed: it needs {MIN_KEY} characters and {MIN_KEY_VARIETY} different ones, \
             such as the output of openssl rand -hex 32"
        ));
    }
    Ok(text.to_owned())
}

pub(crate) fn mongo_url(text: &str) -> Result<String, &'static str> {
    match text {
        _ if text.starts_with("mongodb://") => Ok(text.to_owned()),
        _ if text.starts_with("mongodb+srv://") => {
            Err("mongodb+srv:// is not supported: name the hosts in a mongodb:// URL")
        }
        _ => Err("must begin with mongodb://"),
    }
}

pub(crate) fn nats_url(text: &str) -> Result<String, &'static str> {
    let is_valid = |server: &str| {
        let server = server.trim();
        let server = if server.contains("://") { server } else { &format!("nats://{server}") };
        url::Url::parse(server).is_ok_and(|url| {
            matches!(url.scheme(), "nats" | "tls" | "ws" | "wss") && url.has_host()
        })
    };
    let expected = "must be like nats://127.0.0.1:4222";
    text.split(',').all(is_valid).then(|| text.to_owned()).ok_or(expected)
}

pub(crate) fn stripe_url(text: &str) -> Result<String, &'static str> {
    let valid = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let expected = "must be like https://api.stripe.com";
    valid.then(|| text.trim_end_matches('/').to_owned()).ok_or(expected)
}

/// Maximum accepted duration (100 years); anything longer is treated as a typo.
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text.trim()) {
        Ok(duration) if (Duration::from_millis(1)..=MAX_DURATION).contains(&duration) => {
            Ok(duration)
        }
        _ => Err(format!("{text:?} is not a duration such as 15m, 8s or 500ms")),
    }
}

pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|lifetime| match lifetime.as_secs() {
        0 => Err(format!("{text:?} is shorter than one second")),
        _ => Ok(lifetime),
    })
}

/// The accepted limits on open orders: the open orders of a user are read before each reservation.
pub(crate) fn open_orders(text: &str) -> Result<u32, String> {
    let limit = text.trim().parse().ok().filter(|limit| (1..=1000).contains(limit));
    limit.ok_or_else(|| format!("{text:?} is not a number from 1 to 1000"))
}

/// The accepted numbers of replicas of a stream, which are those of NATS.
pub(crate) fn replicas(text: &str) -> Result<u8, String> {
    let count = text.trim().parse().ok().filter(|count| (1..=5).contains(count));
    count.ok_or_else(|| format!("{text:?} is not a number from 1 to 5"))
}

pub(crate) fn header_name(text: &str) -> Result<HeaderName, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not the name of a header"))
}

pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// An empty claim is none.
pub(crate) fn claim(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { signing_key(text) }
}

pub(crate) fn user_id(text: &str) -> Result<String, String> {
    let text = text.trim();
    let valid = text.is_empty() || is_id(text);
    valid.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is not the id of a user"))
}

/// Stream and database names allow few characters, and database names must be short.
pub(crate) fn namespace(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let valid = (1..=40).contains(&text.len()) && text.chars().all(plain);
    let expected = || format!("{text:?} must have 1 to 40 letters, digits, - or _");
    valid.then(|| text.to_owned()).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_or_a_time() {
        assert_eq!(moment("2026-05-01"), moment("2026-05-01T00:00:00Z"));
        assert_eq!(moment("2026-05-01T02:00:00+02:00"), moment("2026-05-01"));
        let now = moment("2026-04-24T23:59:59Z").unwrap();
        assert_eq!(moment_from("+7d", now), moment("2026-05-01"));
        assert_eq!(moment_from("+0d", now), moment("2026-04-24"));
        assert_eq!(day(now), "2026-04-24");
        for bad in ["", "7d", "+7", "+-1d", "tomorrow", "2026-13-01", "01.05.2026", "2026-05-01T12"]
        {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn invalid_values_are_rejected() {
        assert!(nats_url("nats://a:4222, nats://b:4222").is_ok());
        assert!(nats_url("127.0.0.1:4222").is_ok());
        assert!(nats_url("").is_err());
        assert!(nats_url("http://a").is_err());
        assert!(stripe_url("ftp://stripe").is_err());
        assert_eq!(stripe_url("https://api.stripe.com").unwrap(), "https://api.stripe.com");
        assert_eq!(stripe_url("http://stripe:1/").unwrap(), "http://stripe:1");
        assert!(duration("0s").is_err());
        assert!(duration("99999999999999h").is_err());
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(lifetime("500ms").is_err());
        for guessable in ["", "k", "                        ", "aaaaaaaaaaaaaaaaaaaaaaaa", "secret"]
        {
            assert!(signing_key(guessable).is_err(), "{guessable:?}");
        }
        assert!(signing_key("0f1e2d3c4b5a6978").is_ok());
        assert!(mongo_url("mongodb+srv://a").is_err());
        assert!(namespace("a.b").is_err());
        assert_eq!(claim(""), Ok(String::new()));
        assert!(claim("short").is_err());
        assert!(user_id("65a000000000000000000001").is_ok());
        assert!(user_id("boss@example.org").is_err());
        assert_eq!(open_orders("20"), Ok(20));
        assert!(open_orders("0").is_err());
        assert!(open_orders("-1").is_err());
        assert_eq!(replicas(" 3 "), Ok(3));
        assert!(replicas("0").is_err());
        assert!(replicas("6").is_err());
    }
}
