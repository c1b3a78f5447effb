//! Fixtures of the tests: pairs of servers, processes, folders, and this test binary itself as
//! a child process that owns servers.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mongodb::bson::Document;
use mongodb::options::WriteConcern;
use parking_lot::Mutex;
use servers::{
    Options, Progress, ProgressEvent, Server, Servers, Silent, SourceKind, examine, shared, start,
};

use super::CHILD_TASK;

/// Runs the task of a child process.
pub(super) async fn run_task(task: &str) {
    let (kind, root) = task.split_once(':').expect("a task and a folder");
    let ready_then_wait = |pids: &[u32]| {
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        println!("\nREADY {}", pids.join(" "));
        std::io::stdin().read_line(&mut String::new()).expect("an end of input");
    };
    match kind {
        "own" => {
            // Started on a thread that ends at once: the servers must not end with it.
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
            let servers = start(&options(SourceKind::Docker)).await.expect("containers start");
            ready_then_wait(&[]);
            drop(servers);
        }
        "fail" => {
            let error = start(&options(SourceKind::Docker)).await.expect_err("no engine");
            println!("{}", error.to_string().replace('\n', " | "));
        }
        other => panic!("no such task: {other}"),
    }
}

/// This test binary as a child process with this task.
pub(super) fn child(task: &str, root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.env(CHILD_TASK, format!("{task}:{}", root.display()));
    command
}

/// Starts a child process that owns servers. Returns it with their process ids.
pub(super) fn owner(task: &str, root: &Path) -> (Child, Vec<u32>) {
    let mut child = child(task, root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child process starts");
    let ready = BufReader::new(child.stdout.as_mut().expect("a pipe"))
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("READY").map(str::to_owned))
        .expect("the child process has servers");
    let pids = ready.split_whitespace().map(|pid| pid.parse().expect("a process id")).collect();
    (child, pids)
}

pub(super) fn options(source: SourceKind) -> Options {
    let mut options = Options::from_env().expect("a valid environment").with_progress(Silent);
    options.source = Some(source);
    options
}

/// A pair that this test owns, from local binaries or else fetched ones.
pub(super) async fn own_pair(root: &Path) -> Servers {
    let mut options = options(SourceKind::Local);
    options.data_root = root.to_owned();
    if examine(&options).await.chosen.is_none() {
        options.source = Some(SourceKind::Fetch);
    }
    start(&options).await.expect("binaries are installed or can be fetched")
}

/// A `nats-server` that requires the user `anna` with the password `op@ra`, and its address.
/// Dropping it kills it.
pub(super) async fn protected_nats(program: &Path, root: &Path) -> (tokio::process::Child, String) {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.expect("a free port").port().to_string();
    let server = tokio::process::Command::new(program)
        .args(["--addr", "127.0.0.1", "--port", &port, "--user", "anna", "--pass", "op@ra"])
        .args(["--jetstream", "--store_dir"])
        .arg(root.join("protected"))
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let address = format!("127.0.0.1:{port}");
    until("the server listens", || TcpStream::connect(&address).is_ok()).await;
    (server, address)
}

pub(super) async fn pids(servers: &Servers) -> Vec<u32> {
    let mut pids = Vec::new();
    for server in [Server::Nats, Server::Mongo] {
        pids.extend(servers.process_id(server).await);
    }
    pids
}

pub(super) fn is_running(pid: u32) -> bool {
    // A killed process stays listed as a zombie until its parent has waited for it.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

/// Waits for something that another process does, which only polling can observe.
pub(super) async fn until(condition: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !holds() {
        assert!(Instant::now() < deadline, "timed out: {condition}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes a message, and returns the number of messages in the stream after that.
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
    // Otherwise a kill may lose writes that were acknowledged in the last 100 ms.
    options.write_concern = Some(WriteConcern::builder().journal(true).build());
    let client = mongodb::Client::with_options(options).expect("a client");
    client.database("kept").collection("documents")
}

pub(super) fn containers_of(pid: u32) -> Vec<String> {
    let output = Command::new("docker")
        .args(["ps", "--all", "--quiet", "--filter", &format!("label=rehearsal.owner={pid}")])
        .output()
        .expect("the docker command");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Whether a Docker engine answers, and the `docker` command is there.
pub(super) fn docker_is_available() -> bool {
    let mut command = Command::new("docker");
    command.args(["version", "--format", "{{.Server.Version}}"]);
    command.output().is_ok_and(|output| output.status.success())
}

pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub(super) fn entries(root: &Path) -> usize {
    std::fs::read_dir(root).expect("the folder").count()
}

/// Writes an executable shell script, and returns its text.
pub(super) fn write_script(path: &Path, script: &str) -> String {
    let text = format!("#!/bin/sh\n{script}\n");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    std::fs::write(path, &text).expect("written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("made executable");
    text
}

/// Collects all events but the advances of a step.
#[derive(Default)]
pub(super) struct Collected(pub(super) Mutex<Vec<ProgressEvent>>);

impl Progress for Collected {
    fn report(&self, event: ProgressEvent) {
        if !matches!(event, ProgressEvent::StepAdvanced { .. }) {
            self.0.lock().push(event);
        }
    }
}
