//! The program `rehearse up`: on real servers, with its faults and its refusals, without servers,
//! and under a supervisor that rebuilds and replaces it.

#[path = "up/client.rs"]
mod client;
#[path = "up/stand_in.rs"]
mod stand_in;

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::{Browser, PATIENCE};
use harness::processes::are_unwanted;
use harness::subject::AnySubject;
use harness::up::{Place, ServeError, Up};
use libtest_mimic::{Arguments, Failed, Trial};
use reqwest::{Method, StatusCode};
use scenarios::Ticketing;
use serde_json::{Value, json};
use servers::{Options, Server};
use stand_in::Sources;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_rehearse");

fn main() {
    let real = |name: &str, test: fn() -> Result<(), Failed>| {
        Trial::test(name, test).with_ignored_flag(are_unwanted())
    };
    let trials = vec![
        real("a purchase on real servers is seen in the console", purchase),
        real("deadlines on real servers are as short as the time scale says", expiry),
        real("servers that die end the system", outage),
        Trial::test("servers that do not answer are a failure of the harness", unreachable),
        Trial::test("arguments that do not go together are refused", wrong_use),
        Trial::test("a program is replaced by what was built, and only by that", supervised),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("the system gives threads").block_on(test)
}

/// `rehearse up` with these arguments.
fn up(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("up").args(["--listen", "127.0.0.1:0"]).args(arguments);
    command.stdin(Stdio::null());
    command
}

/// A program that listens. It is killed in the end.
struct Program {
    process: Child,
    address: SocketAddr,
}

impl Program {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("it can be run");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut lines = output.lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            let url = line.strip_prefix("The console is at http://")?;
            url.strip_suffix("/_/")?.parse().ok()
        });
        let address = address.unwrap_or_else(|| panic!("no address: {:?}", process.wait()));
        Self { process, address }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn purchase() -> Result<(), Failed> {
    let program = Program::start(up(&["--world", "real"]));
    block_on(async {
        let mut anna = Browser::at(program.address);
        let map = anna.get("/_/map").await;
        assert_eq!(map["world"], json!({ "name": "real", "time_scale": 1 }));
        let page = anna.ask(Method::GET, "/", None).await.text().await?;
        assert!(page.contains("/storefront"), "the page is at /: {page}");
        anna.sign_up().await;
        let sentence = "the acknowledgement of the next OrderCreated at tickets is lost";
        anna.command(json!({ "command": "inject", "sentence": sentence })).await;
        let (_, order) = anna.buy().await;
        for kind in ["request", "write", "publish", "delivery", "reply"] {
            let is_of_order = |one: &Value| match kind {
                "request" | "reply" => one["text"].as_str().is_some_and(|t| t.contains("/orders")),
                "write" => one["written"]["document"]["_id"] == *order,
                _ => one["event"] == "OrderCreated",
            };
            anna.record(kind, |one| one["kind"] == kind && is_of_order(one)).await;
        }
        let fault = anna.record("the fault", |one| one["kind"] == "fault").await;
        assert_eq!(fault["text"], "the acknowledgement of the OrderCreated at tickets is lost");
        let documents = anna.get("/_/documents").await.to_string();
        assert!(documents.contains(&order), "{documents}");
        for refused in [
            json!({ "command": "skip", "seconds": 60 }),
            json!({ "command": "pause" }),
            json!({ "command": "speed", "factor": 10 }),
        ] {
            let (status, answer) = anna.post("/_/command", refused.clone()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
            let why = answer["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(why.starts_with("real time cannot be paused"), "{refused}: {answer}");
        }
        anna.command(json!({ "command": "crash", "service": "tickets" })).await;
        let down = anna.ask(Method::GET, "/api/tickets", None).await;
        assert_eq!(down.status(), StatusCode::SERVICE_UNAVAILABLE);
        anna.command(json!({ "command": "start", "service": "tickets" })).await;
        let is_sixth =
            |one: &Value| one["text"] == "tickets starts" && one["instance"] == "tickets#6";
        anna.record("the start of a sixth instance", is_sixth).await;
        assert_eq!(anna.get("/api/tickets").await, json!([]), "the ticket is held");
        Ok(())
    })
}

fn expiry() -> Result<(), Failed> {
    let program = Program::start(up(&["--world", "real", "--time-scale", "300"]));
    block_on(async {
        let mut anna = Browser::at(program.address);
        anna.sign_up().await;
        let began = Instant::now();
        let (ticket, _) = anna.buy().await;
        let is_end = |one: &Value| one["event"] == "OrderExpired" && one["kind"] == "publish";
        anna.record("the end of the hold", is_end).await;
        assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
        let released = tokio::time::timeout(PATIENCE, async {
            while !anna.is_for_sale(&ticket).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Ok(released.await?)
    })
}

fn outage() -> Result<(), Failed> {
    block_on(async {
        let mut options = Options::from_env()?;
        (options.nats_url, options.mongo_url) = (None, None);
        let servers = Box::leak(Box::new(servers::start(&options).await?));
        let (namespace, time_scale) = ("outage".to_owned(), 1);
        let place = Place::Servers { servers, namespace, time_scale };
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let up = Up::live(&AnySubject::new(Ticketing), listener, place, "rehearse replay").await?;
        let anna = Browser::at(up.address());
        let served = tokio::spawn(up.serve(std::future::pending()));
        assert_eq!(anna.get("/api/tickets").await, json!([]));
        servers.kill(Server::Mongo).await?;
        let told = anna.event(|data| {
            let pending = data["pending"].as_array()?;
            let is_silent =
                |one: &&Value| one.as_str().is_some_and(|t| t.contains("does not answer"));
            pending.iter().find(is_silent).cloned()
        });
        tokio::time::timeout(PATIENCE, told).await?;
        let ended = tokio::time::timeout(PATIENCE, served).await??;
        assert!(matches!(ended, Err(ServeError::Outage(_))), "{ended:?}");
        servers.stop().await?;
        Ok(())
    })
}

fn unreachable() -> Result<(), Failed> {
    let mut command = up(&["--world", "real"]);
    command.env("REHEARSAL_SERVERS", "url");
    command.env("NATS_URL", "nats://127.0.0.1:9").env("MONGO_URL", "mongodb://127.0.0.1:9");
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.starts_with("error: no NATS and MongoDB servers are available"), "{said}");
    Ok(())
}

fn wrong_use() -> Result<(), Failed> {
    for arguments in [
        &["--world", "real", "--seed", "3"][..],
        &["--world", "real", "--token", "r2.x"],
        &["--world", "processes"],
        &["--time-scale", "60"],
        &["--world", "real", "--time-scale", "0"],
        &["--watch", "--token", "r2.x"],
    ] {
        let output = up(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("--help"), "{arguments:?}: {said}");
    }
    Ok(())
}

/// The name of the start of the system that serves now.
async fn started(browser: &Browser) -> Value {
    let started = async {
        loop {
            // A connection to the program before ends with it.
            if let Ok(started) = first_of_feed(browser).await {
                return started;
            }
        }
    };
    tokio::time::timeout(PATIENCE, started).await.expect("the program answers")
}

async fn first_of_feed(browser: &Browser) -> reqwest::Result<Value> {
    let request = browser.client.get(format!("{}/_/events", browser.base)).timeout(PATIENCE);
    let mut feed = request.send().await?;
    let mut text = String::new();
    while let Some(chunk) = feed.chunk().await? {
        text.push_str(&String::from_utf8_lossy(&chunk));
        let first = text.split_once("\n\n").map(|(first, _)| first);
        let data = first.and_then(|first| first.lines().find_map(|l| l.strip_prefix("data: ")));
        if let Some(data) = data {
            let data: Value = serde_json::from_str(data).expect("it is JSON");
            return Ok(data["run"].clone());
        }
    }
    Ok(Value::Null)
}

fn supervised() -> Result<(), Failed> {
    let sources = Sources::new()?;
    let supervisor = sources.supervisor();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (interrupt, interrupted) = tokio::sync::oneshot::channel::<()>();
    block_on(async {
        let supervised = supervisor.run(&listener, async { drop(interrupted.await) });
        let test = async {
            let mut anna = Browser::at(address);
            let first = started(&anna).await;
            anna.sign_up().await;
            let (_, order) = anna.buy().await;
            let order = format!("/api/orders/{order}");
            // What does not build replaces nothing.
            sources.write("wrong")?;
            let errors = anna.event(|data| data.get("errors").cloned());
            let errors = tokio::time::timeout(PATIENCE, errors).await?;
            assert_eq!(errors, "error: lib.rs is wrong\n");
            assert_eq!(started(&anna).await, first, "the program goes on");
            assert_eq!(anna.get(&order).await["status"], "created");
            // Nor does what was built before.
            sources.write("right")?;
            let built = anna.event(|data| (data["build"] == "unchanged").then(|| data.clone()));
            tokio::time::timeout(PATIENCE, built).await?;
            assert_eq!(started(&anna).await, first, "the program goes on");
            // What builds replaces it, on the same port.
            sources.write("right anew")?;
            let replaced = tokio::time::timeout(PATIENCE, async {
                loop {
                    let now = started(&anna).await;
                    if now != first {
                        return now;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
            let second = replaced.await?;
            assert_eq!(started(&anna).await, second);
            // What Anna did was played again, under the same ids.
            assert_eq!(anna.get(&order).await["status"], "created");
            let replayed = anna.event(|data| data.get("replayed").cloned());
            assert_eq!(tokio::time::timeout(PATIENCE, replayed).await?, 3);
            // It ends with the supervisor.
            drop(interrupt);
            Ok::<_, Failed>(())
        };
        let (supervised, test) = tokio::join!(supervised, test);
        supervised?;
        test
    })?;
    drop(listener);
    assert!(std::net::TcpStream::connect(address).is_err(), "the program has ended");
    Ok(())
}
