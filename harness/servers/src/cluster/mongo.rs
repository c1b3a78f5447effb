//! The MongoDB replica set: initiated, waited for, and asked for its primary.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc, oid::ObjectId};
use mongodb::error::Error;
use mongodb::options::{ClientOptions, ServerAddress};
use tokio::time::timeout;

use super::form::until;
use crate::error::ServersError;
use crate::server::Server;

/// The name of the replica set.
pub(super) const SET: &str = "rehearsal";

/// The time without a sign of the primary after which the others elect another. The default is
/// ten seconds; a run lasts half a minute.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// The interval at which the members ask each other for a sign of life.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(500);

/// The time limit of one question.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// The state of a member that takes writes, and of one that copies them.
const HEALTHY: [i32; 2] = [1, 2];

/// The server's code for a set that exists already.
const ALREADY_INITIALIZED: i32 = 23;

/// Initiates the set of the members at these ports, and waits until it has a primary and every
/// other member copies it.
pub(super) async fn form(members: &[u16]) -> Result<(), ServersError> {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let hosts = members.iter().zip(0_i64..);
    let hosts = hosts.map(|(port, id)| doc! { "_id": id, "host": format!("127.0.0.1:{port}") });
    let config = doc! {
        "_id": SET,
        "members": hosts.collect::<Vec<_>>(),
        "settings": {
            "electionTimeoutMillis": millis(ELECTION_TIMEOUT),
            "heartbeatIntervalMillis": millis(HEARTBEAT_INTERVAL),
        },
    };
    let port = members[0];
    let initiate = doc! { "replSetInitiate": config };
    until(Server::Mongo, || async {
        match ask(port, initiate.clone()).await {
            Err(Asked::Refused(error)) if code(&error) == Some(ALREADY_INITIALIZED) => Ok(()),
            other => other.map(drop).map_err(|asked| asked.to_string()),
        }
    })
    .await?;
    until(Server::Mongo, || async {
        let status = ask(port, doc! { "replSetGetStatus": 1 }).await;
        let status = status.map_err(|asked| asked.to_string())?;
        let members = status.get_array("members").map_err(|error| error.to_string())?;
        let states =
            members.iter().filter_map(|member| member.as_document()?.get_i32("state").ok());
        let states: Vec<i32> = states.collect();
        let healthy = states.iter().all(|state| HEALTHY.contains(state));
        let led = states.contains(&HEALTHY[0]);
        (healthy && led).then_some(()).ok_or_else(|| format!("the members' states are {states:?}"))
    })
    .await
}

/// The election by which the member at this port is the primary; `None` where it is not, or does
/// not answer.
pub(super) async fn election(port: u16) -> Option<ObjectId> {
    let hello = ask(port, doc! { "hello": 1 }).await.ok()?;
    let is_primary = hello.get_bool("isWritablePrimary").unwrap_or(false);
    is_primary.then(|| hello.get_object_id("electionId").ok()).flatten()
}

/// A question without an answer.
#[derive(Debug, thiserror::Error)]
enum Asked {
    #[error("no answer within {ANSWER_LIMIT:?}")]
    Unanswered,
    #[error(transparent)]
    Refused(#[from] Error),
}

fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        mongodb::error::ErrorKind::Command(error) => Some(error.code),
        _ => None,
    }
}

/// Asks one member alone, on a connection of its own.
async fn ask(port: u16, command: Document) -> Result<Document, Asked> {
    let address = ServerAddress::Tcp { host: "127.0.0.1".to_owned(), port: Some(port) };
    let mut options = ClientOptions::builder().hosts(vec![address]).direct_connection(true).build();
    options.server_selection_timeout = Some(ANSWER_LIMIT);
    options.connect_timeout = Some(ANSWER_LIMIT);
    let client = Client::with_options(options)?;
    let answer = async { client.database("admin").run_command(command).await };
    // Initiating takes longer than a sign of life.
    match timeout(ANSWER_LIMIT * 10, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Asked::Unanswered),
    }
}
