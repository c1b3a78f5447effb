//! A cluster: a killed and a frozen leader are replaced, and what was acknowledged stays.

use std::path::Path;
use std::time::Duration;

use adapters::jetstream::JetStream;
use adapters::mongo::Mongo;
use mongodb::bson::doc;
use ports::bus::{Bus, BusError, Message, Stream};
use ports::store::{Find, Store as _};
use servers::{Cluster, NODES, Server, ServersError, SourceKind, examine};

use super::fixture::{entries, folder, is_running, options, until};

/// Longer than `nats-server` waits for a leader that is silent, nine seconds.
const ELECTION_LIMIT: Duration = Duration::from_secs(30);

async fn own_cluster(root: &Path) -> Cluster {
    let mut options = options(SourceKind::Local);
    options.data_root = root.to_owned();
    if examine(&options).await.chosen.is_none() {
        options.source = Some(SourceKind::Fetch);
    }
    Cluster::start(&options).await.expect("the nodes form a cluster")
}

fn message(id: &str) -> Message {
    Message {
        id: id.to_owned(),
        subject: "happened".to_owned(),
        headers: Vec::new(),
        payload: id.to_owned().into(),
    }
}
