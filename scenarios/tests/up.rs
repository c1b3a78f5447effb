//! The system in a browser: purchases through the API, time that is skipped, faults that are
//! injected, and the feed that shows all of it.

use std::net::SocketAddr;
use std::time::Duration;

use harness::case::{Case, Schedule, Token};
use harness::script::Script;
use harness::subject::AnySubject;
use harness::up::Up;
use reqwest::header::{COOKIE, DATE, HeaderValue, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use scenarios::Ticketing;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Real time after which something that should happen has not happened.
const PATIENCE: Duration = Duration::from_secs(60);

struct Browser {
    client: Client,
    base: String,
    cookie: Option<HeaderValue>,
    server: JoinHandle<()>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Browser {
    async fn open() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let up = Up::live(&AnySubject::new(Ticketing), any, 7, "rehearse replay").await;
        Self::of(up.expect("a port is free"))
    }

    fn of(up: Up) -> Self {
        // A process that has a provider already keeps it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let base = format!("http://{}", up.address());
        let server = tokio::spawn(async move { up.serve().await.expect("the socket works") });
        Self { client: Client::new(), base, cookie: None, server }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.timeout(PATIENCE).send().await.expect("the server answers")
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let response = self.ask(Method::POST, path, Some(body)).await;
        (response.status(), response.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.expect("it is JSON")
    }

    async fn command(&self, command: Value) {
        let (status, answer) = self.post("/_/command", command.clone()).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{command}: {answer}");
    }

    async fn sign_up(&mut self) {
        let body = json!({ "email": "anna@example.com", "password": "secret-1" });
        let response = self.ask(Method::POST, "/api/users/signup", Some(body)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let cookie = response.headers()[SET_COOKIE].to_str().expect("it is text");
        let cookie = cookie.split(';').next().expect("it has a value");
        self.cookie = Some(cookie.parse().expect("it is a value"));
    }

    /// Lists a ticket and buys it; returns the ids of ticket and order.
    async fn buy(&self) -> (String, String) {
        let (status, ticket) =
            self.post("/api/tickets", json!({ "title": "Dracula", "price": 20 })).await;
        assert_eq!(status, StatusCode::CREATED, "{ticket}");
        let id = ticket["id"].as_str().expect("it has an id").to_owned();
        let (status, order) = self.post("/api/orders", json!({ "ticketId": id })).await;
        assert_eq!(status, StatusCode::CREATED, "{order}");
        (id, order["id"].as_str().expect("it has an id").to_owned())
    }

    async fn is_for_sale(&self, ticket: &str) -> bool {
        let listed = self.get("/api/tickets").await;
        listed.as_array().expect("it is a list").iter().any(|listed| listed["id"] == *ticket)
    }

    /// Reads the feed until a record satisfies the condition.
    async fn record(&self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let found = self.event(|data| data.as_array()?.iter().find(|one| is_wanted(one)).cloned());
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("the feed does not show {what}"))
    }

    /// Reads the feed until something is found in an event.
    async fn event(&self, find: impl Fn(&Value) -> Option<Value>) -> Value {
        let mut feed = self.ask(Method::GET, "/_/events", None).await;
        assert_eq!(feed.headers()["content-type"], "text/event-stream");
        let mut text = Vec::new();
        while let Some(chunk) = feed.chunk().await.expect("the feed goes on") {
            text.extend_from_slice(&chunk);
            while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = text.drain(..end + 2).collect();
                let event = String::from_utf8(event).expect("it is text");
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let data = data.and_then(|data| serde_json::from_str(data).ok());
                if let Some(found) = data.as_ref().and_then(&find) {
                    return found;
                }
            }
        }
        panic!("the feed ends");
    }
}

#[tokio::test]
async fn a_hold_ends_when_fifteen_minutes_are_skipped() {
    let mut anna = Browser::open().await;
    anna.sign_up().await;
    let (ticket, order) = anna.buy().await;
    anna.command(json!({ "command": "skip", "seconds": 1 })).await;
    assert!(!anna.is_for_sale(&ticket).await, "it is held");
    let before = anna.ask(Method::GET, "/api/tickets", None).await.headers()[DATE].clone();
    anna.command(json!({ "command": "skip", "seconds": 900 })).await;
    let after = anna.ask(Method::GET, "/api/tickets", None).await.headers()[DATE].clone();
    assert_ne!(before, after, "replies carry the time of the simulation");
    assert!(anna.is_for_sale(&ticket).await, "the hold has ended");
    assert_eq!(anna.get(&format!("/api/orders/{order}")).await["status"], "cancelled");
    let documents = anna.get("/_/documents").await;
    let all = documents["collections"].as_array().expect("it is a list");
    let orders = all.iter().find(|one| one["service"] == "orders" && one["collection"] == "orders");
    let documents = &orders.expect("orders have documents")["documents"];
    assert_eq!(documents[0]["_id"], *order, "{documents}");
}

#[tokio::test]
async fn a_lost_acknowledgement_is_seen_as_a_second_delivery() {
    let mut anna = Browser::open().await;
    anna.sign_up().await;
    let sentence = "the acknowledgement of the next OrderCreated at tickets is lost";
    anna.command(json!({ "command": "inject", "sentence": sentence })).await;
    anna.buy().await;
    anna.command(json!({ "command": "skip", "seconds": 60 })).await;
    let fault = anna.record("the fault", |one| one["kind"] == "fault").await;
    assert_eq!(fault["text"], "the acknowledgement of the OrderCreated at tickets is lost");
    let again = anna.record("a second delivery", |one| {
        one["kind"] == "delivery" && one["fields"]["attempt"] == 2
    });
    let again = again.await;
    assert_eq!((&again["service"], &again["event"]), (&json!("tickets"), &json!("OrderCreated")));
    assert_eq!((&again["from"], &again["to"]), (&json!("bus"), &json!("service:tickets")));
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable_until_it_starts() {
    let mut anna = Browser::open().await;
    anna.sign_up().await;
    anna.command(json!({ "command": "crash", "service": "tickets" })).await;
    let down = anna.ask(Method::GET, "/api/tickets", None).await;
    assert_eq!(down.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(down.headers().contains_key("retry-after"));
    anna.command(json!({ "command": "start", "service": "tickets" })).await;
    anna.command(json!({ "command": "skip", "seconds": 1 })).await;
    let up = anna.ask(Method::GET, "/api/tickets", None).await;
    assert_eq!(up.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_world_that_pauses_answers_when_it_plays() {
    let anna = Browser::open().await;
    anna.command(json!({ "command": "pause" })).await;
    let waits = tokio::time::timeout(Duration::from_millis(300), anna.get("/api/tickets"));
    assert!(waits.await.is_err(), "nothing happens in a world that pauses");
    anna.command(json!({ "command": "play" })).await;
    assert_eq!(anna.get("/api/tickets").await, json!([]));
}

#[tokio::test]
async fn the_page_and_the_console_are_served_and_nothing_else_changes() {
    let anna = Browser::open().await;
    for path in ["/", "/_/"] {
        let page = anna.ask(Method::GET, path, None).await;
        let policy = page.headers()["content-security-policy"].to_str().expect("it is text");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        let text = page.text().await.expect("it is text");
        let named: Vec<&str> = text.split('"').filter(|part| part.starts_with("/")).collect();
        for path in named {
            let file = anna.ask(Method::GET, path, None).await;
            assert_eq!(file.status(), StatusCode::OK, "{path}");
        }
    }
    let unknown = anna.ask(Method::GET, "/no/such/path", None).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        unknown.json::<Value>().await.expect("it is JSON"),
        json!({ "errors": [{ "message": "Not Found" }] })
    );
    let map = anna.get("/_/map").await;
    assert_eq!(map["services"].as_array().map(Vec::len), Some(ticketing::SERVICES.len()));
}

#[tokio::test]
async fn commands_of_other_origins_and_commands_without_sense_are_refused() {
    let anna = Browser::open().await;
    let command = |origin: &'static str| {
        let request = anna.client.post(format!("{}/_/command", anna.base));
        let request = request.json(&json!({ "command": "heal" })).header(ORIGIN, origin);
        async { request.send().await.expect("the server answers").status() }
    };
    assert_eq!(command("http://shop.example").await, StatusCode::FORBIDDEN);
    let foreign = anna.client.get(format!("{}/_/documents", anna.base));
    let foreign = foreign.header("host", "shop.example").send().await.expect("it answers");
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let own = anna.client.post(format!("{}/_/command", anna.base));
    let own = own.json(&json!({ "command": "heal" })).header(ORIGIN, &anna.base);
    assert_eq!(own.send().await.expect("it answers").status(), StatusCode::NO_CONTENT);
    for senseless in [
        json!({ "command": "dance" }),
        json!({ "command": "speed", "factor": 0 }),
        json!({ "command": "skip", "seconds": 1_000_000 }),
        json!({ "command": "crash", "service": "bakery" }),
        json!({ "command": "inject", "sentence": "everything is fine" }),
        json!({ "command": "inject",
                "sentence": "the next OrderCreated to bakery is delivered twice" }),
        json!({ "command": "inject",
                "sentence": "the next OrderCreated to tickets is delivered twice, 0 times in a row" }),
    ] {
        let (status, answer) = anna.post("/_/command", senseless.clone()).await;
        assert!(status.is_client_error(), "{senseless}: {status}");
        assert!(answer["errors"][0]["message"].is_string(), "{senseless}: {answer}");
    }
    assert_eq!(anna.get("/api/tickets").await, json!([]), "the world is as it was");
}

#[tokio::test]
async fn the_page_of_a_failure_is_shown_without_a_world() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let page = "<title>A run</title>".to_owned();
    let browser = Browser::of(Up::recorded(any, page.clone()).await.expect("a port is free"));
    let shown = browser.ask(Method::GET, "/_/", None).await;
    let policy = shown.headers()["content-security-policy"].to_str().expect("it is text");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(shown.text().await.expect("it is text"), page);
    let (status, _) = browser.post("/_/command", json!({ "command": "play" })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let tickets = browser.ask(Method::GET, "/api/tickets", None).await;
    assert_eq!(tickets.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_run_of_a_token_is_opened_beside_the_world() {
    let browser = Browser::open().await;
    let case = Case::of(Script::new(["Anna"], Vec::new()), 7);
    let case = Case { schedule: Schedule::Exact(Vec::new()), ..case };
    let path = format!("/_/run?token={}", Token::of(&case));
    let page = browser.ask(Method::GET, &path, None).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.expect("it is text").contains("id=\"run\""));
    let refused = browser.ask(Method::GET, "/_/run?token=r2.nonsense", None).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.text().await.expect("it is text").contains("No run of this token"));
}
