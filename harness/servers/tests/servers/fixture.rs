//! What the tests of servers need of this machine: pairs of servers, processes, folders, and
//! this binary itself as a helper process.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mongodb::bson::Document;
use mongodb::options::WriteConcern;
use servers::{Event, Options, Progress, Server, Servers, Silent, Way, examine, shared, start};

use super::HELPER;

/// What a helper process does.
pub(super) async fn help(task: &str) {
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
pub(super) fn helper(task: &str, root: &Path) -> (Child, Vec<u32>) {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
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

pub(super) fn options(way: Way) -> Options {
    let mut options = Options::from_env().expect("a valid environment").telling(Silent);
    options.way = Some(way);
    options
}

/// A pair of our own, from binaries that are here or else fetched.
pub(super) async fn own_pair(root: &Path) -> Servers {
    let mut options = options(Way::Local);
    options.data_root = root.to_owned();
    if examine(&options).await.chosen.is_none() {
        options.way = Some(Way::Fetch);
    }
    start(&options).await.expect("binaries are here or can be fetched")
}

pub(super) async fn pids(servers: &Servers) -> Vec<u32> {
    let mut pids = Vec::new();
    for server in [Server::Nats, Server::Mongo] {
        pids.extend(servers.process_id(server).await);
    }
    pids
}

pub(super) fn runs(pid: u32) -> bool {
    // A killed process that nobody has waited for yet is still listed, as a zombie.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

pub(super) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes, and gives how many messages the stream then holds.
pub(super) async fn publish(url: &str, text: &'static str) -> u64 {
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

pub(super) async fn documents(url: &str) -> mongodb::Collection<Document> {
    let mut options = mongodb::options::ClientOptions::parse(url).await.expect("a MongoDB URL");
    // Without this an acknowledged write may be lost to a kill for 100 ms.
    options.write_concern = Some(WriteConcern::builder().journal(true).build());
    let client = mongodb::Client::with_options(options).expect("a client");
    client.database("kept").collection("documents")
}

pub(super) fn containers_of(pid: u32) -> Vec<String> {
    let output = Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter", &format!("label=rehearsal.owner={pid}")])
        .output()
        .expect("the docker command, where there is an engine");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub(super) fn left_in(root: &Path) -> usize {
    std::fs::read_dir(root).expect("the folder").count()
}

pub(super) fn program(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("made a program");
}

#[derive(Default)]
pub(super) struct Told(pub(super) Mutex<Vec<Event>>);

impl Progress for Told {
    fn tell(&self, event: Event) {
        if !matches!(event, Event::Advanced { .. }) {
            self.0.lock().expect("no panic").push(event);
        }
    }
}
