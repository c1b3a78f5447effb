//! Started servers: killed, frozen, stopped, and ended together with their owner.

use std::process::Command;
use std::time::Duration;

use mongodb::bson::doc;
use servers::{Server, ServersError};

use super::fixture::{
    documents, entries, folder, is_running, own_pair, owner, pids, publish, until,
};

pub(super) async fn a_killed_server_restarts_on_its_port_with_its_data() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    assert_eq!(publish(&servers.nats_url, "before").await, 1);
    let documents = documents(&servers.mongo_url).await;
    documents.insert_one(doc! { "_id": 1 }).await.expect("inserted");

    for server in [Server::Nats, Server::Mongo] {
        let before = servers.process_id(server).await.expect("it runs");
        servers.kill(server).await.expect("killed");
        assert!(!is_running(before));
        assert_eq!(servers.process_id(server).await, None);
        let error = servers.freeze(server).await.expect_err("it is down");
        assert!(matches!(error, ServersError::NotRunning(down) if down == server));
        servers.restart(server).await.expect("restarted");
    }

    assert_eq!(publish(&servers.nats_url, "after").await, 2);
    assert_eq!(documents.count_documents(doc! {}).await.expect("counted"), 1);
    servers.stop().await.expect("stopped");
}

pub(super) async fn a_frozen_server_answers_only_after_a_thaw() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let documents = documents(&servers.mongo_url).await;
    documents.insert_one(doc! { "_id": 1 }).await.expect("inserted");
    servers.freeze(Server::Mongo).await.expect("frozen");
    let query = tokio::spawn({
        let documents = documents.clone();
        async move { documents.count_documents(doc! {}).await }
    });
    // The absence of an answer has no event to wait for, so only time can show it.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!query.is_finished());
    servers.thaw(Server::Mongo).await.expect("thawed");
    assert_eq!(query.await.expect("no panic").expect("answered"), 1);
    servers.stop().await.expect("stopped");
}

pub(super) async fn stop_leaves_no_process_and_no_folder() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let pids = pids(&servers).await;
    servers.stop().await.expect("stopped");
    assert!(!pids.into_iter().any(is_running));
    assert_eq!(entries(root.path()), 0);
    servers.stop().await.expect("a second stop does nothing");
}

pub(super) async fn drop_leaves_no_process_and_no_folder() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let pids = pids(&servers).await;
    drop(servers);
    assert!(!pids.into_iter().any(is_running));
    assert_eq!(entries(root.path()), 0);
}

pub(super) async fn two_pairs_run_side_by_side() {
    let root = folder();
    let (one, other) = tokio::join!(own_pair(root.path()), own_pair(root.path()));
    assert_ne!(one.nats_url, other.nats_url);
    assert_ne!(one.mongo_url, other.mongo_url);
    assert_eq!(publish(&one.nats_url, "one").await, 1);
    assert_eq!(publish(&other.nats_url, "other").await, 1);
}

pub(super) async fn servers_and_data_are_gone_after_their_owner_is_killed() {
    let root = folder();
    let (mut owner, pids) = owner("own", root.path());
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().copied().all(is_running));
    owner.kill().expect("killed");
    owner.wait().expect("waited for");
    until("the servers are gone", || !pids.iter().copied().any(is_running)).await;
    until("their folder is gone", || entries(root.path()) == 0).await;
}

pub(super) async fn the_shared_pair_ends_with_its_process() {
    let root = folder();
    let (mut owner, pids) = owner("share", root.path());
    // The owner returns from `main` without any cleanup once its input ends.
    drop(owner.stdin.take());
    assert!(owner.wait().expect("waited for").success());
    until("the servers are gone", || !pids.iter().copied().any(is_running)).await;
}

pub(super) async fn a_start_removes_the_folders_of_dead_processes() {
    let root = folder();
    let mut dead = Command::new("true").spawn().expect("a short-lived process");
    dead.wait().expect("it exited");
    let stale = root.path().join(format!("rehearsal-{}-stale", dead.id()));
    let in_use = root.path().join(format!("rehearsal-{}-in-use", std::process::id()));
    let unrelated = root.path().join("unrelated");
    for folder in [&stale, &in_use, &unrelated] {
        std::fs::create_dir(folder).expect("created");
    }
    let servers = own_pair(root.path()).await;
    assert!(!stale.exists());
    assert!(in_use.exists());
    assert!(unrelated.exists());
    servers.stop().await.expect("stopped");
}
