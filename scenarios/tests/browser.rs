//! The storefront and the console in a browser, on the simulated system: a purchase, a hold that
//! ends, a fault that is seen. Ignored, with a word, where the driver of chromium is missing.

use std::fmt::Debug;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use harness::subject::AnySubject;
use harness::up::Up;
use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::Ticketing;
use thirtyfour::prelude::*;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// The driver of chromium.
const DRIVER: &str = "chromedriver";

/// Real time after which something that should appear has not appeared.
const PATIENCE: Duration = Duration::from_secs(30);

/// Real time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

fn main() {
    let is_missing = std::process::Command::new(DRIVER)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err();
    if is_missing {
        eprintln!("{DRIVER} is missing, so the tests in a browser are ignored");
    }
    let trials = vec![
        Trial::test("a_ticket_is_listed_bought_and_paid", || run(purchase())),
        Trial::test("a_hold_ends_when_the_console_skips_fifteen_minutes", || run(expiry())),
        Trial::test("a_lost_acknowledgement_is_seen_in_the_timeline", || run(redelivery())),
    ];
    let trials = trials.into_iter().map(|trial| trial.with_ignored_flag(is_missing)).collect();
    // Each trial has a browser of its own, and a small machine has room for one.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(trial: impl Future<Output = WebDriverResult<()>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new()?;
    Ok(runtime.block_on(trial)?)
}

/// A simulated system, the driver, and the address of both.
struct Stage {
    system: SocketAddr,
    driver: SocketAddr,
    _process: Child,
}

impl Stage {
    async fn open() -> Self {
        // A process that has a provider already keeps it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let up = Up::live(&AnySubject::new(Ticketing), any, 3).await.expect("a port is free");
        let system = up.address();
        tokio::spawn(async move { up.serve().await.expect("the socket works") });
        let free = TcpListener::bind(any).and_then(|listener| listener.local_addr());
        let driver = free.expect("a port is free");
        let process = Command::new(DRIVER)
            .arg(format!("--port={}", driver.port()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Self { system, driver, _process: process.expect("the driver starts") }
    }

    /// A window at this path.
    async fn window(&self, path: &str) -> WebDriverResult<Window> {
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_headless()?;
        capabilities.set_no_sandbox()?;
        capabilities.set_disable_dev_shm_usage()?;
        let address = format!("http://{}", self.driver);
        let started = timeout(PATIENCE, async {
            loop {
                match WebDriver::new(&address, capabilities.clone()).await {
                    Ok(driver) => return driver,
                    Err(_) => sleep(PAUSE).await,
                }
            }
        });
        let driver = started.await.expect("the driver opens a window");
        driver.goto(format!("http://{}{path}", self.system)).await?;
        Ok(Window(driver))
    }
}

struct Window(WebDriver);

impl Window {
    /// Waits until the element has this text somewhere.
    async fn shows(&self, css: &str, text: &str) {
        let mut last = String::new();
        let appears = timeout(PATIENCE, async {
            loop {
                if let Ok(element) = self.0.find(By::Css(css)).await {
                    last = element.text().await.unwrap_or_default();
                    if last.contains(text) {
                        return;
                    }
                }
                sleep(PAUSE).await;
            }
        });
        let has_appeared = appears.await;
        assert!(has_appeared.is_ok(), "{css} does not show {text:?} but {last:?}");
    }

    /// Clicks the button with this name, once it is there.
    async fn press(&self, name: &str) {
        let name = format!(
            "//button[(normalize-space(.)='{name}' and not(@aria-label)) or @aria-label='{name}']"
        );
        self.until(&name, async || self.0.find(By::XPath(&name)).await?.click().await).await;
    }

    async fn write(&self, id: &str, text: &str) {
        self.until(id, async || {
            let field = self.0.find(By::Id(id)).await?;
            field.clear().await?;
            field.send_keys(text).await
        })
        .await;
    }

    /// Tries until it works: the page may be drawing.
    async fn until<T>(&self, what: impl Debug, attempt: impl AsyncFn() -> WebDriverResult<T>) -> T {
        let works = timeout(PATIENCE, async {
            loop {
                match attempt().await {
                    Ok(value) => return value,
                    Err(_) => sleep(PAUSE).await,
                }
            }
        });
        works.await.unwrap_or_else(|_| panic!("{what:?} cannot be used"))
    }

    async fn sign_up(&self, person: &str) {
        self.write("email", &format!("{person}@example.com")).await;
        self.write("password", "secret-1").await;
        self.press("Sign up").await;
        self.shows("#who", person).await;
    }

    async fn sell(&self, title: &str, price: &str) {
        self.write("title", title).await;
        self.write("price", price).await;
        self.press("List the ticket").await;
        self.shows("#status", "is for sale").await;
    }
}

async fn purchase() -> WebDriverResult<()> {
    let stage = Stage::open().await;
    let anna = stage.window("/").await?;
    anna.sign_up("anna").await;
    anna.write("title", "Carmen").await;
    anna.write("price", "0.10").await;
    anna.press("List the ticket").await;
    anna.until("the refusal", async || {
        let field = anna.0.find(By::Id("price")).await?;
        let is_marked = field.attr("aria-invalid").await?.as_deref() == Some("true");
        if is_marked { Ok(()) } else { anna.0.find(By::Id("nothing")).await.map(drop) }
    })
    .await;
    anna.sell("Carmen", "20").await;
    anna.sell("Tosca", "12").await;
    let ben = stage.window("/").await?;
    ben.sign_up("ben").await;
    ben.press("Buy Carmen").await;
    ben.shows("#orders", "Held for you for").await;
    ben.press("Pay for Carmen").await;
    ben.shows("#orders", "Paid: the ticket is yours").await;
    anna.shows("#mine", "Reserved or sold").await;
    ben.press("Buy Tosca").await;
    ben.press("Pay for Tosca with a card that is declined").await;
    ben.shows("#status", "declined").await;
    ben.shows("#orders", "Cancelled").await;
    ben.shows("#sale", "Tosca").await;
    anna.0.quit().await?;
    ben.0.quit().await
}

async fn expiry() -> WebDriverResult<()> {
    let stage = Stage::open().await;
    let anna = stage.window("/").await?;
    anna.sign_up("anna").await;
    anna.sell("Carmen", "20").await;
    let ben = stage.window("/").await?;
    ben.sign_up("ben").await;
    ben.press("Buy Carmen").await;
    ben.shows("#orders", "Held for you for").await;
    let console = stage.window("/_/").await?;
    console.shows("#status", "Connected").await;
    console.press("Skip fifteen minutes").await;
    ben.shows("#orders", "Cancelled").await;
    ben.shows("#sale", "Carmen").await;
    console.shows("#holdings", "order of Ben").await;
    for window in [anna, ben, console] {
        window.0.quit().await?;
    }
    Ok(())
}

async fn redelivery() -> WebDriverResult<()> {
    let stage = Stage::open().await;
    let console = stage.window("/_/").await?;
    console.shows("#status", "Connected").await;
    let sentence = "the acknowledgement of the next TicketCreated at orders is lost";
    console.write("sentence", sentence).await;
    console.press("Inject").await;
    console.shows("#planned", sentence).await;
    let anna = stage.window("/").await?;
    anna.sign_up("anna").await;
    anna.sell("Carmen", "20").await;
    console.press("Skip a minute").await;
    console.shows("#records", "TicketCreated, attempt 2").await;
    console.write("search", "TicketCreated").await;
    console.press("Step back").await;
    console.press("Step back").await;
    console.shows("#count", "stopped at one").await;
    console.shows("#record", "\"consumer\": \"orders-TicketCreated\"").await;
    console.press("Live").await;
    console.write("sentence", "everything is fine").await;
    console.press("Inject").await;
    console.shows("#refused", "no fault sentence matches").await;
    anna.0.quit().await?;
    console.0.quit().await
}
