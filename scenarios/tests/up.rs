//! The system in a browser, in simulation: purchases through the API, time that is skipped, faults
//! that are injected, and the feed that shows all of it.

#[path = "up/client.rs"]
mod client;

use std::net::TcpListener;
use std::time::Duration;

use client::Browser;
use harness::case::{Case, Schedule, Token};
use harness::script::Script;
use harness::subject::AnySubject;
use harness::up::{Place, Up};
use reqwest::header::{DATE, ORIGIN};
use reqwest::{Method, StatusCode};
use scenarios::Ticketing;
use serde_json::{Value, json};

/// A browser of a system in simulation.
async fn open() -> Browser {
    let place = Place::Simulation { seed: 7, journal: None };
    let up = Up::live(&AnySubject::new(Ticketing), any_port(), place, "rehearse replay").await;
    serve(up.expect("it starts"))
}

fn any_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port is free")
}

fn serve(up: Up) -> Browser {
    let address = up.address();
    tokio::spawn(async move { up.serve(std::future::pending()).await.expect("it goes on") });
    Browser::at(address)
}

#[tokio::test]
async fn a_hold_ends_when_fifteen_minutes_are_skipped() {
    let mut anna = open().await;
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
    let mut anna = open().await;
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
    let mut anna = open().await;
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
async fn a_request_without_a_reply_is_given_up_after_a_minute() {
    let mut anna = open().await;
    anna.sign_up().await;
    let sentence = "the next write of tickets to tickets takes 5 minutes longer";
    anna.command(json!({ "command": "inject", "sentence": sentence })).await;
    let ticket = json!({ "title": "Dracula", "price": 20 });
    let (listed, ()) = tokio::join!(anna.post("/api/tickets", ticket), async {
        anna.record("the fault", |one| one["kind"] == "fault").await;
        anna.command(json!({ "command": "skip", "seconds": 60 })).await;
    });
    assert_eq!(listed.0, StatusCode::SERVICE_UNAVAILABLE, "{}", listed.1);
    anna.record("the client giving up", |one| one["text"] == "no reply to POST /api/tickets").await;
}

#[tokio::test]
async fn what_is_asked_while_a_day_is_skipped_is_answered_meanwhile() {
    let anna = open().await;
    let skip = anna.command(json!({ "command": "skip", "seconds": 86_400 }));
    // The world begins at midnight.
    let asked = async {
        loop {
            let reply = anna.ask(Method::GET, "/api/tickets", None).await;
            let date = reply.headers()[DATE].to_str().expect("it is text").to_owned();
            let hour: u32 = date[17..19].parse().expect("it is an hour");
            if (1..23).contains(&hour) {
                return;
            }
        }
    };
    tokio::select! {
        () = skip => panic!("the day has passed without a reply"),
        () = asked => {}
    }
}

#[tokio::test]
async fn a_world_that_pauses_answers_when_it_plays() {
    let anna = open().await;
    anna.command(json!({ "command": "pause" })).await;
    let waits = tokio::time::timeout(Duration::from_millis(300), anna.get("/api/tickets"));
    assert!(waits.await.is_err(), "nothing happens in a world that pauses");
    anna.command(json!({ "command": "play" })).await;
    assert_eq!(anna.get("/api/tickets").await, json!([]));
}

#[tokio::test]
async fn the_page_and_the_console_are_served_and_nothing_else_changes() {
    let anna = open().await;
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
    let anna = open().await;
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
    let page = "<title>A run</title>".to_owned();
    let browser = serve(Up::recorded(any_port(), page.clone()).expect("the socket works"));
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
    let browser = open().await;
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
