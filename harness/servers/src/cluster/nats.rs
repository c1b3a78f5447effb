//! The JetStream cluster: the wait until it takes streams of three replicas, and the leader of a
//! stream.

use std::time::Duration;

use adapters::jetstream::JetStream;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::form::{NODES, until};
use crate::error::ServersError;
use crate::server::Server;

/// The time limit of one question.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The stream that shows that the cluster takes streams.
const PROBE: &str = "rehearsal-probe";

/// Waits until a stream of three replicas can be created, and deletes it again. A leader alone is
/// not enough: it must have seen all nodes before it places replicas on them.
pub(super) async fn form(url: &str) -> Result<(), ServersError> {
    let create = json!({ "name": PROBE, "subjects": [PROBE], "num_replicas": NODES });
    until(Server::Nats, || ask(url, format!("STREAM.CREATE.{PROBE}"), create.clone())).await?;
    until(Server::Nats, || ask(url, format!("STREAM.DELETE.{PROBE}"), Value::Null)).await
}

async fn ask(url: &str, subject: String, body: Value) -> Result<(), String> {
    match request(url, subject, body).await?.get("error") {
        Some(error) => Err(error.to_string()),
        None => Ok(()),
    }
}

/// The name of the server that leads this stream.
pub(super) async fn leader(url: &str, stream: &str) -> Option<String> {
    let info = request(url, format!("STREAM.INFO.{stream}"), Value::Null).await.ok()?;
    Some(info["cluster"]["leader"].as_str()?.to_owned())
}

/// Asks on a connection of its own: one that is kept may be to a frozen node.
async fn request(url: &str, subject: String, body: Value) -> Result<Value, String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut why = "no node answers".to_owned();
    for node in url.split(',') {
        let answer = async {
            let client = JetStream::client(node).await.map_err(|error| error.to_string())?;
            let answer = client.request(format!("$JS.API.{subject}"), body.clone().into()).await;
            answer.map_err(|error| error.to_string())
        };
        match timeout(ANSWER_LIMIT, answer).await {
            Ok(Ok(answer)) => {
                return serde_json::from_slice(&answer.payload).map_err(|error| error.to_string());
            }
            Ok(Err(error)) => why = error,
            Err(_) => why = format!("no answer within {ANSWER_LIMIT:?}"),
        }
    }
    Err(why)
}
