//! The command line and the environment, under the same names.
//!
//! A missing or bad value is reported as one line that names it. Secrets are never printed.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::http::HeaderName;
use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};
use ports::entropy::is_id;
use ticketing::SERVICES;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  All services in one process, configured by the environment:
    MONGO_URL=mongodb://127.0.0.1 NATS_URL=nats://127.0.0.1 JWT_KEY=... \\
    STRIPE_URL=http://127.0.0.1:12111 STRIPE_KEY=... ticketing serve all

  One service on a port of its own, over plain HTTP:
    ticketing serve tickets --listen 127.0.0.1:3001 --cookie-secure false

  A secret from a file, as containers get it; so for every secret and URL:
    JWT_KEY_FILE=/run/secrets/jwt ticketing serve auth

  List the dead letters, then replay them:
    ticketing dead-letters
    ticketing dead-letters --replay";

/// The default filter: the NATS client logs much at `info`.
const DEFAULT_FILTER: &str = "info,async_nats=warn";

/// The ticketing system: five services, one binary.
#[derive(Debug, Parser)]
#[command(name = "ticketing", version, about, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Log filter: a level, or levels by module (`info,platform=debug`).
    #[arg(long, env = "LOG", default_value = DEFAULT_FILTER, global = true, value_parser = filter)]
    pub(crate) log: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one service, or all of them in this process.
    Serve(Box<Serve>),
    /// List or replay the messages that a consumer gave up on.
    DeadLetters(DeadLetters),
}

/// Run one service, or all of them in this process.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// The service to run, or `all`.
    #[arg(value_parser = PossibleValuesParser::new(names()))]
    pub(crate) service: String,

    /// Address to listen on.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:3000", value_parser = address)]
    pub(crate) listen: SocketAddr,

    /// URL of the MongoDB server: `mongodb://host:port`.
    #[arg(long, env = "MONGO_URL", hide_env_values = true, value_parser = mongo_url)]
    pub(crate) mongo_url: String,

    #[command(flatten)]
    pub(crate) bus: Bus,

    /// Key that signs session tokens; all services must use the same one.
    #[arg(long, env = "JWT_KEY", hide_env_values = true, value_parser = signing_key)]
    pub(crate) jwt_key: String,

    /// Previous key, for key rotation: its tokens are still accepted.
    #[arg(long, env = "JWT_KEY_PREVIOUS", hide_env_values = true)]
    pub(crate) jwt_key_previous: Option<String>,

    /// Base URL of the payment provider; required by payments.
    #[arg(long, env = "STRIPE_URL", value_parser = stripe_url)]
    #[arg(required_if_eq_any([("service", "payments"), ("service", "all")]))]
    pub(crate) stripe_url: Option<String>,

    /// Secret key for the payment provider; required by payments.
    #[arg(long, env = "STRIPE_KEY", hide_env_values = true, value_parser = secret)]
    #[arg(required_if_eq_any([("service", "payments"), ("service", "all")]))]
    pub(crate) stripe_key: Option<String>,

    /// Time for which an unpaid order holds its ticket: `15m`, `8s`, `500ms`.
    #[arg(long, env = "RESERVATION_WINDOW", default_value = "15m", value_parser = duration)]
    pub(crate) reservation_window: Duration,

    /// The most orders of one user that are neither paid nor cancelled.
    #[arg(long, env = "MAX_OPEN_ORDERS", default_value = "20", value_parser = open_orders)]
    pub(crate) max_open_orders: u32,

    /// Lifetime of a session token, in whole seconds.
    #[arg(long, env = "TOKEN_LIFETIME", default_value = "1h", value_parser = lifetime)]
    pub(crate) token_lifetime: Duration,

    /// Time until the bus redelivers an unacknowledged message.
    #[arg(long, env = "ACK_WAIT", default_value = "30s", value_parser = duration)]
    pub(crate) ack_wait: Duration,

    /// Time between the signal to stop and the closing of the port, in which `/readyz` says no:
    /// as long as a load balancer takes to notice.
    #[arg(long, env = "SHUTDOWN_DELAY", default_value = "1s", value_parser = duration)]
    pub(crate) shutdown_delay: Duration,

    /// Header in which a proxy in front names the address of the client, such as
    /// `x-forwarded-for`. Only for servers that no client reaches without that proxy.
    #[arg(long, env = "CLIENT_ADDRESS_HEADER", value_parser = header_name)]
    pub(crate) client_address_header: Option<HeaderName>,

    /// Restrict the session cookie to TLS.
    #[arg(long, env = "COOKIE_SECURE", default_value = "true", value_parser = boolean)]
    #[arg(action = clap::ArgAction::Set, value_name = "BOOL")]
    pub(crate) cookie_secure: bool,

    /// Secret that makes the first user who presents it an administrator, as long as it is set:
    /// `POST /api/users/me/admin` with `{"claim":"..."}`.
    #[arg(long, env = "ADMIN_CLAIM", hide_env_values = true, value_parser = claim)]
    pub(crate) admin_claim: Option<String>,

    /// Ids of users who are administrators, separated by commas.
    #[arg(long, env = "ADMIN_IDS", value_delimiter = ',', value_parser = user_id)]
    pub(crate) admin_ids: Vec<String>,

    /// Refused, because an address proves nothing: anybody can sign up with it first.
    #[arg(long, env = "ADMIN_EMAILS", hide = true, value_parser = admin_emails)]
    pub(crate) admin_emails: Option<String>,
}

/// List the messages that a consumer gave up on, one line each, with the reason.
#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    #[command(flatten)]
    pub(crate) bus: Bus,

    /// Publish each message again, to all consumers of its subject. Consumers that have applied
    /// it ignore it.
    #[arg(long)]
    pub(crate) replay: bool,
}

/// The bus to connect to.
#[derive(Debug, Args)]
pub(crate) struct Bus {
    /// URL of the NATS server: `nats://host:port`; several are separated by commas.
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_parser = nats_url)]
    pub(crate) nats_url: String,

    /// Prefix of the names of databases, streams and subjects.
    #[arg(long, env = "NAMESPACE", default_value = "ticketing", value_parser = namespace)]
    pub(crate) namespace: String,
}

fn names() -> Vec<&'static str> {
    SERVICES.iter().map(|entry| entry.name).chain(["all"]).collect()
}

fn filter(text: &str) -> Result<String, String> {
    let text = if text.trim().is_empty() { DEFAULT_FILTER } else { text };
    let parsed = EnvFilter::try_new(text);
    parsed.map(|_| text.to_owned()).map_err(|e| format!("{e}: expected a level such as info"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an address such as 127.0.0.1:3000"))
}

fn secret(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(text.to_owned()) }
}

/// The shortest key that signs tokens. HS256 has no other defence against guessing.
const MIN_KEY: usize = 16;
/// The fewest different characters of a key: a repeated letter is guessed first.
const MIN_KEY_VARIETY: usize = 6;

fn signing_key(text: &str) -> Result<String, String> {
    let variety: BTreeSet<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.trim().len() < MIN_KEY || variety.len() < MIN_KEY_VARIETY {
        return Err(format!(
            "can be guessed: it needs {MIN_KEY} characters and {MIN_KEY_VARIETY} different ones, \
             such as the output of openssl rand -hex 32"
        ));
    }
    Ok(text.to_owned())
}

fn mongo_url(text: &str) -> Result<String, &'static str> {
    match text {
        _ if text.starts_with("mongodb://") => Ok(text.to_owned()),
        _ if text.starts_with("mongodb+srv://") => {
            Err("mongodb+srv:// is not supported: name the hosts in a mongodb:// URL")
        }
        _ => Err("must begin with mongodb://"),
    }
}

fn nats_url(text: &str) -> Result<String, &'static str> {
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

fn stripe_url(text: &str) -> Result<String, &'static str> {
    let valid = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let expected = "must be like https://api.stripe.com";
    valid.then(|| text.trim_end_matches('/').to_owned()).ok_or(expected)
}

/// Maximum accepted duration (100 years); anything longer is treated as a typo.
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text.trim()) {
        Ok(duration) if (Duration::from_millis(1)..=MAX_DURATION).contains(&duration) => {
            Ok(duration)
        }
        _ => Err(format!("{text:?} is not a duration such as 15m, 8s or 500ms")),
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|lifetime| match lifetime.as_secs() {
        0 => Err(format!("{text:?} is shorter than one second")),
        _ => Ok(lifetime),
    })
}

/// The accepted limits on open orders: the open orders of a user are read before each reservation.
fn open_orders(text: &str) -> Result<u32, String> {
    let limit = text.trim().parse().ok().filter(|limit| (1..=1000).contains(limit));
    limit.ok_or_else(|| format!("{text:?} is not a number from 1 to 1000"))
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not the name of a header"))
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// An empty claim is none.
fn claim(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { signing_key(text) }
}

fn user_id(text: &str) -> Result<String, String> {
    let text = text.trim();
    let valid = text.is_empty() || is_id(text);
    valid.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is not the id of a user"))
}

fn admin_emails(text: &str) -> Result<String, &'static str> {
    let why = "names nobody any more, because anybody can sign up with an address: \
               set ADMIN_CLAIM or ADMIN_IDS";
    if text.trim().is_empty() { Ok(String::new()) } else { Err(why) }
}

/// Stream and database names allow few characters, and database names must be short.
fn namespace(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let valid = (1..=40).contains(&text.len()) && text.chars().all(plain);
    let expected = || format!("{text:?} must have 1 to 40 letters, digits, - or _");
    valid.then(|| text.to_owned()).ok_or_else(expected)
}

/// Reports an error in the command line or the environment, a missing or bad value as one line
/// that names it. Returns the exit code.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let context = |kind| error.get(kind);
    let line = match error.kind() {
        ErrorKind::MissingRequiredArgument => match context(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => {
                let names: Vec<_> = missing.iter().map(|arg| variable(arg)).collect();
                Some(format!("missing {} (see ticketing serve --help)", names.join(", ")))
            }
            _ => None,
        },
        ErrorKind::ValueValidation => match (context(ContextKind::InvalidArg), error.source()) {
            (Some(ContextValue::String(arg)), Some(error)) => {
                Some(format!("{}: {error}", variable(arg)))
            }
            _ => None,
        },
        ErrorKind::InvalidValue => match context(ContextKind::InvalidArg) {
            Some(ContextValue::String(arg)) if arg.contains("SERVICE") => {
                Some(format!("SERVICE: must be one of {}", names().join(", ")))
            }
            Some(ContextValue::String(arg)) => Some(format!("{}: needs a value", variable(arg))),
            _ => None,
        },
        _ => None,
    };
    match line {
        Some(line) => crate::logs::line(line),
        // An error while printing the error cannot be reported.
        None => drop(error.print()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Returns the environment variable of an argument: `JWT_KEY` for `--jwt-key <JWT_KEY>`.
fn variable(arg: &str) -> String {
    let name = arg.split_whitespace().next().unwrap_or(arg);
    name.trim_matches(['-', '<', '>']).replace('-', "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_and_variables_have_the_same_names() {
        for command in Cli::command().get_subcommands() {
            for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
                let flag = arg.get_long().expect("every variable has a flag");
                assert_eq!(arg.get_env().unwrap().to_str().unwrap(), variable(flag));
            }
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
        assert!(admin_emails("boss@example.org").unwrap_err().contains("ADMIN_CLAIM"));
        assert!(admin_emails("").is_ok());
        assert_eq!(open_orders("20"), Ok(20));
        assert!(open_orders("0").is_err());
        assert!(open_orders("-1").is_err());
    }
}
