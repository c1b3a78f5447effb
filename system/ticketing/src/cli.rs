//! The command line and the environment, under the same names.
//!
//! A missing or bad value is reported as one line that names it. Secrets are never printed.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::http::HeaderName;
use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};
use ports::Timestamp;
use ticketing::SERVICES;

use crate::limits::{Limit, max_age, max_bytes};
use crate::values::{
    DEFAULT_FILTER, address, boolean, claim, duration, filter, header_name, lifetime, moment,
    mongo_url, namespace, nats_url, open_orders, replicas, secret, signing_key, stripe_url,
    user_id,
};

const EXAMPLES: &str = "\
Examples:
  All services in one process, configured by the environment:
    MONGO_URL=mongodb://127.0.0.1 NATS_URL=nats://127.0.0.1 JWT_KEY=... \\
    STRIPE_URL=http://127.0.0.1:12111 STRIPE_KEY=... ticketing serve all

  One service on a port of its own, over plain HTTP:
    ticketing serve tickets --listen 127.0.0.1:3001 --cookie-secure false

  All services and the storefront, at http://127.0.0.1:3000/:
    ticketing serve all --storefront --cookie-secure false

  A secret from a file, as containers get it; so for every secret and URL:
    JWT_KEY_FILE=/run/secrets/jwt ticketing serve auth

  List the dead letters, then replay those of a service:
    ticketing dead-letters
    ticketing dead-letters --service orders --replay

  Archive the documents that leave on a day, from a week before on:
    ticketing archive --from 2026-05-01 --until 2026-05-02 --out 2026-05-01.jsonl";

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
    /// Write the documents that leave within a period, before they do.
    Archive(Archive),
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
    #[arg(long, env = "MAX_OPEN_ORDERS", default_value = "200", value_parser = open_orders)]
    pub(crate) max_open_orders: u32,

    /// Lifetime of a session token, in whole seconds.
    #[arg(long, env = "TOKEN_LIFETIME", default_value = "1h", value_parser = lifetime)]
    pub(crate) token_lifetime: Duration,

    /// Time until the bus redelivers an unacknowledged message.
    #[arg(long, env = "ACK_WAIT", default_value = "30s", value_parser = duration)]
    pub(crate) ack_wait: Duration,

    /// Number of NATS servers that keep a copy of each message, 1 to 5; more than one needs a
    /// cluster. Takes effect on existing streams too; all services need the same value.
    #[arg(long, env = "STREAM_REPLICAS", default_value = "1", value_parser = replicas)]
    pub(crate) stream_replicas: u8,

    /// Age at which an event leaves the stream, `none` for never; more than the lifetime of a
    /// token and half an hour. The newest event of every document is published again before it
    /// leaves. Takes effect on the existing stream too; all services need the same value.
    #[arg(long, env = "EVENTS_MAX_AGE", default_value = "40d", value_parser = max_age)]
    pub(crate) events_max_age: Limit<Duration>,

    /// Size of the event stream at which it refuses further events, which then wait in their
    /// outboxes: `64G`, or `none`. NATS reserves it on its disk. All services need the same value.
    #[arg(long, env = "EVENTS_MAX_BYTES", default_value = "none", value_parser = max_bytes)]
    pub(crate) events_max_bytes: Limit<u64>,

    /// Age at which a dead letter is removed, `none` for never. All services need the same value.
    #[arg(long, env = "DEAD_LETTERS_MAX_AGE", default_value = "90d", value_parser = max_age)]
    pub(crate) dead_letters_max_age: Limit<Duration>,

    /// Time after its end at which a document is removed, `none` for never: a paid or cancelled
    /// order, its charge and its timer, a sold ticket. No event may outlive its documents, so at
    /// least 1.8 times EVENTS_MAX_AGE and a day. All services need the same value.
    #[arg(long, env = "DOCUMENTS_MAX_AGE", default_value = "80d", value_parser = max_age)]
    pub(crate) documents_max_age: Limit<Duration>,

    /// Time between the signal to stop and the closing of the port, in which `/readyz` says no:
    /// as long as a load balancer takes to notice.
    #[arg(long, env = "SHUTDOWN_DELAY", default_value = "1s", value_parser = duration)]
    pub(crate) shutdown_delay: Duration,

    /// Header in which a proxy in front names the address of the client, such as
    /// `x-forwarded-for`. Only for servers that no client reaches without that proxy.
    #[arg(long, env = "CLIENT_ADDRESS_HEADER", value_parser = header_name)]
    pub(crate) client_address_header: Option<HeaderName>,

    /// Serve the storefront too, a page at `/` on which people list, buy and pay for tickets.
    #[arg(long, env = "STOREFRONT", default_value = "false", value_parser = boolean)]
    #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    #[arg(action = clap::ArgAction::Set, value_name = "BOOL")]
    pub(crate) storefront: bool,

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

    /// Addresses of users who are administrators, separated by commas. Anybody can sign up with
    /// an unused address, so prefer a claim or ids.
    #[arg(long, env = "ADMIN_EMAILS", value_delimiter = ',')]
    pub(crate) admin_emails: Vec<String>,
}

/// List the messages that a consumer gave up on, one line each, with the reason.
#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    #[command(flatten)]
    pub(crate) bus: Bus,

    /// Choose by position, the first column.
    #[arg(long, value_delimiter = ',')]
    pub(crate) sequence: Vec<u64>,

    /// Choose by id of the message.
    #[arg(long, value_delimiter = ',')]
    pub(crate) id: Vec<String>,

    /// Choose by subject, such as `order.created`.
    #[arg(long, value_delimiter = ',')]
    pub(crate) subject: Vec<String>,

    /// Choose by the service whose consumer gave up.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(services()))]
    pub(crate) service: Vec<String>,

    /// Publish each chosen message again, to the consumer that gave up. A letter is removed once
    /// the consumer has handled it, and stays if the consumer fails again.
    #[arg(long)]
    pub(crate) replay: bool,

    /// Remove each chosen letter without a replay.
    #[arg(long, conflicts_with = "replay")]
    pub(crate) remove: bool,
}

const ARCHIVE_EXAMPLES: &str = "\
Examples:
  A file for the documents that leave on one day:
    ticketing archive --from 2026-05-01 --until 2026-05-02 --out 2026-05-01.jsonl

  Every night, those that leave a week later:
    ticketing archive --from +7d --until +8d --out /archive/{from}.jsonl";

/// Write the documents that leave within a period, before they do: one line of JSON each, with its
/// service, its collection and the document as MongoDB's extended JSON. A document leaves
/// DOCUMENTS_MAX_AGE after its end, and the time is known for most of that. So the archive of a
/// period that is less than a month ahead is complete, and equal however often it is written. It
/// needs the right to find, and no other.
#[derive(Debug, Args)]
#[command(after_help = ARCHIVE_EXAMPLES)]
pub(crate) struct Archive {
    /// URL of the MongoDB server: `mongodb://host:port`.
    #[arg(long, env = "MONGO_URL", hide_env_values = true, value_parser = mongo_url)]
    pub(crate) mongo_url: String,

    /// Prefix of the names of databases.
    #[arg(long, env = "NAMESPACE", default_value = "ticketing", value_parser = namespace)]
    pub(crate) namespace: String,

    /// The beginning of the period, a day or a time in UTC: `2026-05-01`, `2026-05-01T12:00:00Z`,
    /// or the day so many days ahead: `+7d`. Without it, everything that leaves before its end.
    #[arg(long, value_parser = moment, value_name = "DATE")]
    pub(crate) from: Option<Timestamp>,

    /// The end of the period, which does not belong to it.
    #[arg(long, value_parser = moment, value_name = "DATE")]
    pub(crate) until: Timestamp,

    /// Only documents of these services.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(services()))]
    pub(crate) service: Vec<String>,

    /// The file to write, `-` for the standard output; `{from}` in its name stands for the first
    /// day of the period. It is complete once it has its name.
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub(crate) out: String,
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
    services().into_iter().chain(["all"]).collect()
}

fn services() -> Vec<&'static str> {
    SERVICES.iter().map(|entry| entry.name).collect()
}

/// Reports an error in the command line or the environment, a missing or bad value as one line
/// that names it. Returns the exit code.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    let context = |kind| error.get(kind);
    let line = match error.kind() {
        ErrorKind::MissingRequiredArgument => match context(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => {
                let names: Vec<_> = missing.iter().map(|arg| variable(arg)).collect();
                Some(format!("missing {} (see --help)", names.join(", ")))
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
}
