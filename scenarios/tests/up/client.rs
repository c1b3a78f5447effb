//! A browser without a page: it sends requests and reads the feed of the console.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{COOKIE, HeaderValue, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

/// Real time after which something that should happen has not happened.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A person with a browser.
pub(crate) struct Browser {
    pub(crate) client: Client,
    pub(crate) base: String,
    cookie: Option<HeaderValue>,
}

impl Browser {
    /// A browser of the program at this address.
    pub(crate) fn at(address: SocketAddr) -> Self {
        // A process that has a provider already keeps it.
        drop(rustls::crypto::ring::default_provider().install_default());
        Self { client: Client::new(), base: format!("http://{address}"), cookie: None }
    }

    /// The response to a request.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.timeout(2 * PATIENCE).send().await.expect("the server answers")
    }

    /// The status and the JSON of a POST.
    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let response = self.ask(Method::POST, path, Some(body)).await;
        (response.status(), response.json().await.unwrap_or_default())
    }

    /// The JSON of a GET that succeeds.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path, None).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.expect("it is JSON")
    }

    /// Has the console carry out a command.
    pub(crate) async fn command(&self, command: Value) {
        let (status, answer) = self.post("/_/command", command.clone()).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{command}: {answer}");
    }

    /// Signs up.
    pub(crate) async fn sign_up(&mut self) {
        let body = json!({ "email": "anna@example.com", "password": "secret-1" });
        let response = self.ask(Method::POST, "/api/users/signup", Some(body)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let cookie = response.headers()[SET_COOKIE].to_str().expect("it is text");
        let cookie = cookie.split(';').next().expect("it has a value");
        self.cookie = Some(cookie.parse().expect("it is a value"));
    }

    /// Lists a ticket and buys it; returns the ids of ticket and order.
    pub(crate) async fn buy(&self) -> (String, String) {
        let (status, ticket) =
            self.post("/api/tickets", json!({ "title": "Dracula", "price": 20 })).await;
        assert_eq!(status, StatusCode::CREATED, "{ticket}");
        let id = ticket["id"].as_str().expect("it has an id").to_owned();
        let (status, order) = self.post("/api/orders", json!({ "ticketId": id })).await;
        assert_eq!(status, StatusCode::CREATED, "{order}");
        (id, order["id"].as_str().expect("it has an id").to_owned())
    }

    /// True if the ticket is listed.
    pub(crate) async fn is_for_sale(&self, ticket: &str) -> bool {
        let listed = self.get("/api/tickets").await;
        listed.as_array().expect("it is a list").iter().any(|listed| listed["id"] == *ticket)
    }

    /// Reads the feed until a record satisfies the condition.
    pub(crate) async fn record(&self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let found = self.event(|data| data.as_array()?.iter().find(|one| is_wanted(one)).cloned());
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("the feed does not show {what}"))
    }

    /// Reads the feed until something is found in an event.
    pub(crate) async fn event(&self, find: impl Fn(&Value) -> Option<Value>) -> Value {
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
