//! A cluster: a killed and a frozen leader are replaced, and what was acknowledged stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use adapters::jetstream::JetStream;
use adapters::mongo::Mongo;
use mongodb::bson::doc;
use ports::bus::{
    Bus as _, BusError, Consumer, Group, Message, PublishError, Start, Stream, Subscription,
};
use ports::store::{Find, Store as _, WriteError};
use servers::{Cluster, NODES, Server, ServersError, SourceKind, examine};

use super::fixture::{entries, folder, is_running, options};

/// Longer than `nats-server` waits for a leader that is silent, nine seconds.
const LIMIT: Duration = Duration::from_secs(40);

/// The namespace of the bus, which is the name of its stream of events.
const NAMESPACE: &str = "kept";

async fn own_cluster(root: &Path) -> Cluster {
    let mut options = options(SourceKind::Local);
    options.data_root = root.to_owned();
    if examine(&options).await.chosen.is_none() {
        options.source = Some(SourceKind::Fetch);
    }
    Cluster::start(&options).await.expect("the nodes form a cluster")
}

pub(super) async fn a_cluster_keeps_what_it_acknowledged_when_its_leaders_are_killed_or_frozen() {
    let root = folder();
    let cluster = own_cluster(root.path()).await;
    let nats = JetStream::connect(&cluster.nats_url, NAMESPACE).await.expect("connected");
    let nats = nats.replicated(NODES as u8);
    nats.ensure().await.expect("streams of three replicas");
    let store = Mongo::connect(&cluster.mongo_url, "kept").await.expect("a valid URL");
    let mut broadcast = nats.subscribe(broadcast()).await.expect("a consumer");

    for round in 1..=2 {
        let leaders = [
            (Server::Nats, cluster.leader_of_stream(NAMESPACE).await.expect("a leader")),
            (Server::Mongo, cluster.primary().await.expect("a primary")),
        ];
        let before = format!("before-{round}");
        publish(&nats, &before).await;
        insert(&store, &before).await;
        for (server, node) in leaders {
            if round == 1 {
                cluster.kill(server, node).await.expect("killed");
            } else {
                cluster.freeze(server, node).await.expect("frozen");
            }
        }
        let during = format!("during-{round}");
        publish(&nats, &during).await;
        insert(&store, &during).await;
        for (server, node) in leaders {
            let now = match server {
                Server::Nats => cluster.leader_of_stream(NAMESPACE).await,
                Server::Mongo => cluster.primary().await,
            };
            assert_ne!(now.expect("another leader"), node, "{server}");
            if round == 1 {
                cluster.restart(server, node).await.expect("restarted");
            } else {
                cluster.thaw(server, node).await.expect("thawed");
            }
        }
        // A consumer outlives the node that led it.
        for id in [before, during] {
            while next(&mut *broadcast).await != id {}
        }
    }
    let kept = store.find("things", Find::default()).await.expect("found");
    assert_eq!(kept.len(), 4, "{kept:?}");
    let pids = pids(&cluster).await;
    assert_eq!(pids.len(), 2 * NODES);
    cluster.stop().await.expect("stopped");
    assert!(!pids.into_iter().any(is_running));
    assert_eq!(entries(root.path()), 0);
}

/// The server of a pair is no cluster, and a forced source may have no binaries.
pub(super) async fn what_is_no_cluster_is_refused() {
    let error = Cluster::start(&options(SourceKind::Docker)).await.expect_err("no binaries");
    assert!(matches!(error, ServersError::Unclustered(SourceKind::Docker)), "{error}");
    let root = folder();
    let pair = super::fixture::own_pair(root.path()).await;
    let bus = JetStream::connect(&pair.nats_url, NAMESPACE).await.expect("connected");
    for replicas in [0, 3, 6] {
        let refused = bus.clone().replicated(replicas).ensure().await;
        assert!(matches!(refused, Err(BusError::Rejected(_))), "{replicas}: {refused:?}");
    }
    bus.ensure().await.expect("one replica");
}

/// A read sees no write that a new primary may not have: what follows from it, such as an event
/// that is published, would stay when the write is gone.
pub(super) async fn a_write_that_no_majority_has_is_not_read() {
    let root = folder();
    let cluster = own_cluster(root.path()).await;
    let store = Mongo::connect(&cluster.mongo_url, "kept").await.expect("a valid URL");
    insert(&store, "before").await;
    let primary = cluster.primary().await.expect("a primary");
    let others: Vec<_> = (0..NODES).filter(|node| *node != primary).collect();
    for node in &others {
        cluster.freeze(Server::Mongo, *node).await.expect("frozen");
    }
    // The second one meets the first, which may not last, so it is no duplicate yet.
    let insert_alone =
        |store: Mongo| async move { store.insert("things", doc! { "_id": "alone" }).await };
    let twice = (insert_alone(store.clone()), insert_alone(store.clone()));
    let alone = tokio::spawn(async move { tokio::join!(twice.0, twice.1) });
    let mut reads = 0;
    while !alone.is_finished() {
        let one = store.get("things", "alone").await;
        let all = store.find("things", Find::default()).await;
        if alone.is_finished() {
            break;
        }
        assert!(!matches!(one, Ok(Some(_))), "after {reads} reads: {one:?}");
        assert!(all.as_ref().is_ok_and(|all| all.len() == 1) || all.is_err(), "{all:?}");
        reads += usize::from(one.is_ok());
    }
    assert!(reads > 10, "the primary still answers: {reads}");
    for node in others {
        cluster.thaw(Server::Mongo, node).await.expect("thawed");
    }
    let (one, other) = alone.await.expect("no panic");
    for inserted in [one, other] {
        let nothing_known =
            matches!(inserted, Err(WriteError::Unavailable(_) | WriteError::Unknown(_)));
        assert!(nothing_known, "{inserted:?}");
    }
    insert(&store, "after").await;
    cluster.stop().await.expect("stopped");
}

/// Without a majority nothing is acknowledged, and nobody is told that the call was wrong.
pub(super) async fn a_cluster_without_a_majority_is_unavailable() {
    let root = folder();
    let cluster = own_cluster(root.path()).await;
    let nats = JetStream::connect(&cluster.nats_url, NAMESPACE).await.expect("connected");
    nats.ensure().await.expect("streams of one replica");
    let nats = nats.replicated(NODES as u8);
    nats.ensure().await.expect("an existing stream gets more replicas");
    let store = Mongo::connect(&cluster.mongo_url, "kept").await.expect("a valid URL");
    publish(&nats, "before").await;
    insert(&store, "before").await;
    let primary = cluster.primary().await.expect("a primary");
    for node in (0..NODES).filter(|node| *node != primary) {
        cluster.kill(Server::Nats, node).await.expect("killed");
        cluster.kill(Server::Mongo, node).await.expect("killed");
    }
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(8) {
        let published = nats.publish(Stream::Events, message("alone")).await;
        let nothing_known =
            matches!(published, Err(PublishError::Unavailable(_) | PublishError::Unknown(_)));
        assert!(nothing_known, "{published:?}");
        let ensured = nats.ensure().await;
        assert!(matches!(ensured, Err(BusError::Unavailable(_))), "{ensured:?}");
        let inserted = store.insert("things", doc! { "_id": "alone" }).await;
        let nothing_known =
            matches!(inserted, Err(WriteError::Unavailable(_) | WriteError::Unknown(_)));
        assert!(nothing_known, "{inserted:?}");
        let found = store.get("things", "alone").await;
        assert!(!matches!(found, Ok(Some(_))), "a write that no majority has is read: {found:?}");
    }
    for node in (0..NODES).filter(|node| *node != primary) {
        cluster.restart(Server::Nats, node).await.expect("restarted");
        cluster.restart(Server::Mongo, node).await.expect("restarted");
    }
    publish(&nats, "after").await;
    insert(&store, "after").await;
    cluster.stop().await.expect("stopped");
}

fn message(id: &str) -> Message {
    Message {
        id: id.to_owned(),
        subject: "thing.happened".to_owned(),
        headers: BTreeMap::new(),
        payload: "{}".into(),
    }
}

fn broadcast() -> Consumer {
    Consumer {
        name: "everyone".to_owned(),
        stream: Stream::Events,
        subjects: Vec::new(),
        group: Group::Broadcast,
        start: Start::All,
        ack_wait: Duration::from_secs(30),
        max_deliver: None,
        max_in_flight: 1,
    }
}

/// Publishes until it is acknowledged, as a relay does: the id makes repetitions harmless.
async fn publish(bus: &JetStream, id: &str) {
    let began = Instant::now();
    loop {
        match bus.publish(Stream::Events, message(id)).await {
            Ok(_) => return,
            Err(PublishError::Unavailable(_) | PublishError::Unknown(_))
                if began.elapsed() < LIMIT => {}
            Err(error) => panic!("{id} after {:?}: {error}", began.elapsed()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Inserts until the document is there.
async fn insert(store: &Mongo, id: &str) {
    let began = Instant::now();
    loop {
        match store.insert("things", doc! { "_id": id }).await {
            Ok(()) | Err(WriteError::Duplicate { .. }) => return,
            Err(WriteError::Unavailable(_) | WriteError::Unknown(_)) if began.elapsed() < LIMIT => {
            }
            Err(error) => panic!("{id} after {:?}: {error}", began.elapsed()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The id of the next message, acknowledged.
async fn next(subscription: &mut dyn Subscription) -> String {
    let began = Instant::now();
    loop {
        match tokio::time::timeout(LIMIT, subscription.next()).await.expect("a delivery") {
            Ok(delivery) => {
                let acknowledged = delivery.reply.ack().await;
                let id = delivery.message.id;
                match acknowledged {
                    Ok(()) | Err(BusError::Unavailable(_)) => return id,
                    Err(error) => panic!("{id}: {error}"),
                }
            }
            Err(BusError::Unavailable(_)) if began.elapsed() < LIMIT => {}
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn pids(cluster: &Cluster) -> Vec<u32> {
    let mut pids = Vec::new();
    for server in [Server::Nats, Server::Mongo] {
        for node in 0..NODES {
            pids.extend(cluster.process_id(server, node).await);
        }
    }
    pids
}
