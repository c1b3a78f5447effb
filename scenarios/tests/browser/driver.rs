//! The driver of chromium, spoken to by the WebDriver protocol.
//!
//! Crates for it turn on `preserve_order` of `serde_json` for the whole workspace, which would
//! change what the simulation records.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// The program.
pub(crate) const PROGRAM: &str = "chromedriver";

/// Real time after which something that should appear has not appeared.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Real time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// The name of an element's id in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A command that the driver has not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriverError {
    #[error("the driver does not answer")]
    Unreachable(#[from] reqwest::Error),
    #[error("the driver refuses: {0}")]
    Refused(Value),
}

/// A running driver, which ends with its value.
pub(crate) struct Driver {
    base: String,
    client: Client,
    _process: Child,
}

/// One window.
pub(crate) struct Session {
    base: String,
    client: Client,
}

/// The ways to name an element.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By<'a> {
    Css(&'a str),
    XPath(&'a str),
}

impl Driver {
    pub(crate) fn start() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let free = TcpListener::bind(any).and_then(|listener| listener.local_addr());
        let address = free.expect("a port is free");
        let process = Command::new(PROGRAM)
            .arg(format!("--port={}", address.port()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Self {
            base: format!("http://{address}"),
            client: Client::new(),
            _process: process.expect("the driver starts"),
        }
    }

    /// A window of a browser of its own.
    pub(crate) async fn open(&self) -> Session {
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--window-size=1200,1600",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
        } } });
        let url = format!("{}/session", self.base);
        let opened = until(&url, async || {
            let session = send(&self.client, Method::POST, &url, Some(&wanted)).await?;
            session["sessionId"].as_str().map(str::to_owned).ok_or(DriverError::Refused(session))
        });
        let base = format!("{url}/{}", opened.await);
        Session { base, client: self.client.clone() }
    }
}

impl Session {
    async fn command(&self, path: &str, body: Value) -> Result<Value, DriverError> {
        let url = format!("{}/{path}", self.base);
        send(&self.client, Method::POST, &url, Some(&body)).await
    }

    pub(crate) async fn goto(&self, url: &str) -> Result<(), DriverError> {
        self.command("url", json!({ "url": url })).await.map(drop)
    }

    /// The path of an element that is in the page now.
    async fn element(&self, by: By<'_>) -> Result<String, DriverError> {
        let (using, value) = match by {
            By::Css(value) => ("css selector", value),
            By::XPath(value) => ("xpath", value),
        };
        let found = self.command("element", json!({ "using": using, "value": value })).await?;
        let id = found[ELEMENT].as_str().map(|id| format!("element/{id}"));
        id.ok_or(DriverError::Refused(found))
    }

    pub(crate) async fn click(&self, by: By<'_>) -> Result<(), DriverError> {
        let element = self.element(by).await?;
        self.command(&format!("{element}/click"), json!({})).await.map(drop)
    }

    /// Replaces the text of a field.
    pub(crate) async fn write(&self, by: By<'_>, text: &str) -> Result<(), DriverError> {
        let element = self.element(by).await?;
        self.command(&format!("{element}/clear"), json!({})).await?;
        self.command(&format!("{element}/value"), json!({ "text": text })).await.map(drop)
    }

    /// The visible text of an element.
    pub(crate) async fn text(&self, by: By<'_>) -> Result<String, DriverError> {
        let url = format!("{}/{}/text", self.base, self.element(by).await?);
        let text = send(&self.client, Method::GET, &url, None).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The result of the body of a function in the page; a promise is awaited.
    pub(crate) async fn run(&self, script: &str) -> Result<Value, DriverError> {
        self.command("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Shows the page in the light or the dark theme.
    pub(crate) async fn set_theme(&self, theme: &str) -> Result<(), DriverError> {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        let command = json!({ "cmd": "Emulation.setEmulatedMedia",
                              "params": { "features": features } });
        self.command("goog/cdp/execute", command).await.map(drop)
    }

    pub(crate) async fn quit(self) -> Result<(), DriverError> {
        send(&self.client, Method::DELETE, &self.base, None).await.map(drop)
    }
}

async fn send(
    client: &Client,
    method: Method,
    url: &str,
    body: Option<&Value>,
) -> Result<Value, DriverError> {
    let mut request = client.request(method, url).timeout(PATIENCE);
    if let Some(body) = body {
        request = request.json(body);
    }
    let mut answer: Value = request.send().await?.json().await?;
    let value = answer["value"].take();
    if value["error"].is_string() { Err(DriverError::Refused(value)) } else { Ok(value) }
}

/// Tries until it works: a program may be starting, a page drawing.
pub(crate) async fn until<T>(goal: &str, attempt: impl AsyncFn() -> Result<T, DriverError>) -> T {
    let mut last = None;
    let works = timeout(PATIENCE, async {
        loop {
            match attempt().await {
                Ok(value) => return value,
                Err(error) => last = Some(error),
            }
            sleep(PAUSE).await;
        }
    });
    let value = works.await;
    value.unwrap_or_else(|_| panic!("{goal} cannot be used: {last:?}"))
}
