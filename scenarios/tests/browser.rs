//! The storefront and the console in a browser, on the simulated system: a purchase, a race of two
//! buyers, a hold that ends, a fault that is seen, a failure that is opened, and pages that
//! everybody can use. Ignored, with a word, where the driver of chromium is missing.

#[path = "browser/driver.rs"]
mod driver;
#[path = "up/stand_in.rs"]
mod stand_in;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{env, fs};

use driver::{By, Driver, DriverError, PROGRAM, Session, until};
use harness::case::Token;
use harness::console;
use harness::regressions::Regression;
use harness::run::{self, Run};
use harness::subject::AnySubject;
use harness::up::{Place, Up};
use libtest_mimic::{Arguments, Failed, Trial};
use scenarios::Ticketing;
use serde_json::json;
use stand_in::Sources;

/// The command that replays a token.
const REPLAY: &str = "rehearse replay";

/// The setting that names the file of axe, the library of accessibility rules.
const AXE: &str = "AXE";

fn main() {
    let no_driver = std::process::Command::new(PROGRAM)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err();
    if no_driver {
        eprintln!("{PROGRAM} is missing, so the tests in a browser are ignored");
    }
    let axe = env::var_os(AXE).map(PathBuf::from);
    if axe.is_none() {
        eprintln!("{AXE} names no file, so the test of accessibility is ignored");
    }
    let trials = [
        Trial::test("a_ticket_is_listed_bought_and_paid", || run(purchase())),
        Trial::test("one_of_two_buyers_gets_the_ticket", || run(race())),
        Trial::test("a_hold_ends_when_the_console_skips_fifteen_minutes", || run(expiry())),
        Trial::test("a_lost_acknowledgement_is_seen_in_the_timeline", || run(redelivery())),
        Trial::test("a_failure_is_opened_and_stepped_through", || run(failure())),
        Trial::test("the_console_follows_a_program_that_is_replaced", || run(replacement())),
    ];
    let mut trials: Vec<Trial> =
        trials.into_iter().map(|trial| trial.with_ignored_flag(no_driver)).collect();
    let ignored = no_driver || axe.is_none();
    let axe = axe.unwrap_or_default();
    let pages = Trial::test("axe_finds_nothing_in_any_page", move || run(accessible(&axe)));
    trials.push(pages.with_ignored_flag(ignored));
    // Each trial has a browser of its own, and a small machine has room for one.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(trial: impl Future<Output = Result<(), DriverError>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new()?;
    Ok(runtime.block_on(trial)?)
}

/// A system on a local port, and a driver.
struct Stage {
    system: SocketAddr,
    driver: Driver,
}

/// The failure of a planted bug.
fn failed(subject: &AnySubject) -> Run {
    let kept = "regressions/edit-of-a-held-ticket.json";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(kept);
    let kept = Regression::read(subject, &file).expect("it is a regression");
    run::run_watched(subject, &kept.with_bug()).expect("the harness works")
}

/// A free local port.
fn any() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port is free")
}

impl Stage {
    async fn live() -> Self {
        let place = Place::Simulation { seed: 3, journal: None };
        let up = Up::live(&AnySubject::new(Ticketing), any(), place, REPLAY).await;
        Self::of(up.expect("it starts"))
    }

    /// The page of a failure.
    async fn recorded() -> Self {
        let subject = AnySubject::new(Ticketing);
        let run = failed(&subject);
        let page = console::page(&subject, &run, REPLAY);
        Self::of(Up::recorded(any(), page).expect("the socket works"))
    }

    fn of(up: Up) -> Self {
        let stage = Self::at(up.address());
        tokio::spawn(async move { up.serve(std::future::pending()).await.expect("it goes on") });
        stage
    }

    fn at(system: SocketAddr) -> Self {
        // A process that has a provider already keeps it.
        drop(rustls::crypto::ring::default_provider().install_default());
        Self { system, driver: Driver::start() }
    }

    /// The window of Anna, who has signed up and listed Carmen.
    async fn seller(&self) -> Result<Window, DriverError> {
        let anna = self.window("/").await?;
        anna.sign_up("anna").await;
        anna.sell("Carmen", "20").await;
        Ok(anna)
    }

    /// A window at this path.
    async fn window(&self, path: &str) -> Result<Window, DriverError> {
        let session = self.driver.open().await;
        session.goto(&format!("http://{}{path}", self.system)).await?;
        Ok(Window(session))
    }
}

struct Window(Session);

impl Window {
    /// Waits until the element has one of these texts somewhere; returns its place.
    async fn shows_one(&self, css: &str, texts: &[&str]) -> usize {
        until(&format!("{css} with {texts:?}"), async || {
            let shown = self.0.text(By::Css(css)).await?;
            let at = texts.iter().position(|text| shown.contains(text));
            at.ok_or_else(|| DriverError::Refused(json!(shown)))
        })
        .await
    }

    async fn shows(&self, css: &str, text: &str) {
        self.shows_one(css, &[text]).await;
    }

    async fn hides(&self, css: &str) {
        let is_hidden = format!("return document.querySelector('{css}').hidden");
        until(css, async || match self.0.run(&is_hidden).await? {
            shown if shown == false => Err(DriverError::Refused(shown)),
            _ => Ok(()),
        })
        .await;
    }

    /// Clicks the button with this name, once it is there.
    async fn press(&self, name: &str) {
        let path = format!(
            "//button[(normalize-space(.)='{name}' and not(@aria-label)) or @aria-label='{name}']"
        );
        until(name, async || self.0.click(By::XPath(&path)).await).await;
    }

    async fn write(&self, id: &str, text: &str) {
        let css = format!("#{id}");
        until(id, async || self.0.write(By::Css(&css), text).await).await;
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

async fn close(windows: impl IntoIterator<Item = Window>) -> Result<(), DriverError> {
    for window in windows {
        window.0.quit().await?;
    }
    Ok(())
}

async fn purchase() -> Result<(), DriverError> {
    let stage = Stage::live().await;
    let anna = stage.window("/").await?;
    anna.sign_up("anna").await;
    anna.write("title", "Carmen").await;
    anna.write("price", "0.10").await;
    anna.press("List the ticket").await;
    until("the mark of a wrong price", async || {
        let mark = "return document.querySelector('#price').getAttribute('aria-invalid')";
        let mark = anna.0.run(mark).await?;
        if mark == "true" { Ok(()) } else { Err(DriverError::Refused(mark)) }
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
    close([anna, ben]).await
}

async fn race() -> Result<(), DriverError> {
    let stage = Stage::live().await;
    let anna = stage.seller().await?;
    let (ben, cleo) = (stage.window("/").await?, stage.window("/").await?);
    ben.sign_up("ben").await;
    cleo.sign_up("cleo").await;
    ben.shows("#sale", "Carmen").await;
    cleo.shows("#sale", "Carmen").await;
    // Both requests wait for the clock, so both are under way at once.
    let console = stage.window("/_/").await?;
    console.press("Pause").await;
    console.shows("#play", "Play").await;
    ben.press("Buy Carmen").await;
    cleo.press("Buy Carmen").await;
    console.press("Play").await;
    let outcomes = ["is held for you", "already reserved"];
    let (of_ben, of_cleo) =
        tokio::join!(ben.shows_one("#status", &outcomes), cleo.shows_one("#status", &outcomes));
    assert_eq!(of_ben + of_cleo, 1, "one of them holds the ticket: {of_ben}, {of_cleo}");
    close([anna, ben, cleo, console]).await
}

async fn expiry() -> Result<(), DriverError> {
    let stage = Stage::live().await;
    let anna = stage.seller().await?;
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
    close([anna, ben, console]).await
}

async fn redelivery() -> Result<(), DriverError> {
    let stage = Stage::live().await;
    let console = stage.window("/_/").await?;
    console.shows("#status", "Connected").await;
    let sentence = "the acknowledgement of the next TicketCreated at orders is lost";
    console.write("sentence", sentence).await;
    console.press("Inject").await;
    console.shows("#planned", sentence).await;
    let anna = stage.seller().await?;
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
    close([anna, console]).await
}

async fn failure() -> Result<(), DriverError> {
    let stage = Stage::recorded().await;
    let page = stage.window("/_/").await?;
    page.shows("#violation", "No edit is accepted while the ticket is held").await;
    page.shows("#records", "PUT /api/tickets").await;
    page.shows("#queued", "All queues are empty").await;
    page.write("search", "OrderCreated").await;
    page.press("Step back").await;
    page.press("Step back").await;
    page.shows("#queued", "OrderCreated to payments: 1 under way").await;
    page.shows("#as-of", "after record").await;
    // The last way of the last decision that had several: it leads elsewhere.
    let last = By::XPath("(//button[starts-with(@aria-label, 'Fork: ')])[last()]");
    until("a fork", async || {
        let forked = page.0.click(last).await;
        if forked.is_err() {
            page.press("Earlier decision").await;
        }
        forked
    })
    .await;
    page.shows("#fork", REPLAY).await;
    let command = page.0.text(By::Css("#fork code")).await?;
    let token = command.strip_prefix(REPLAY).expect("it is a command").trim();
    let token: Token = token.parse().expect("it is a token");
    let subject = AnySubject::new(Ticketing);
    let forked = token.case().and_then(|case| Ok(case.read(&subject)?)).expect("it is a case");
    let kept = failed(&subject);
    let run = run::run_watched(&subject, &forked).expect("it runs");
    let (before, after) = (&kept.choices, &run.choices);
    let parts = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    assert!(parts > 0 && parts < before.len(), "the fork parts from the run at {parts}");
    assert_eq!(before[parts].pending, after[parts].pending, "only the decision differs");
    close([page]).await
}

async fn replacement() -> Result<(), DriverError> {
    let sources = Sources::new().expect("a folder can be made");
    let (supervisor, listener) = (sources.supervisor(), any());
    let stage = Stage::at(listener.local_addr().expect("it is bound"));
    let test = async {
        let anna = stage.seller().await?;
        let console = stage.window("/_/").await?;
        console.shows("#records", "TicketCreated").await;
        sources.write("wrong").expect("it is written");
        console.shows("#building", "Rebuilding").await;
        console.shows("#building", "The build has failed").await;
        console.shows("#errors", "error: lib.rs is wrong").await;
        console.shows("#status", "Connected").await;
        sources.write("right anew").expect("it is written");
        console.shows("#status", "The system has been started anew; 2 requests").await;
        console.hides("#build").await;
        console.shows("#records", "TicketCreated").await;
        anna.sell("Tosca", "12").await;
        close([anna, console]).await
    };
    tokio::select! {
        ended = supervisor.run(&listener, std::future::pending()) => panic!("it ended: {ended:?}"),
        tested = test => tested,
    }
}

/// The rules of WCAG 2.1, levels A and AA, in every page.
async fn accessible(axe: &Path) -> Result<(), DriverError> {
    let axe = fs::read_to_string(axe).expect("AXE names the file of axe");
    let stage = Stage::live().await;
    let (store, console) = (stage.window("/").await?, stage.window("/_/").await?);
    let hurt = "document.querySelector('label[for=email]').remove()";
    let unlabelled = stage.window("/").await?;
    unlabelled.0.run(hurt).await?;
    let found = violations(&axe, &unlabelled).await?;
    assert!(found.iter().any(|found| found.starts_with("label")), "axe looks: {found:?}");
    console.shows("#status", "Connected").await;
    faultless("at the start", &axe, [&store, &console]).await?;
    store.sign_up("anna").await;
    store.sell("Carmen", "20").await;
    console.shows("#records", "TicketCreated").await;
    faultless("in use", &axe, [&store, &console]).await?;
    let recorded = Stage::recorded().await;
    let run = recorded.window("/_/").await?;
    run.shows("#decision", "Decision").await;
    faultless("of a run", &axe, [&run]).await?;
    close([store, console, unlabelled, run]).await
}

/// Asserts that axe finds nothing in these pages, in both themes.
async fn faultless(
    when: &str,
    axe: &str,
    pages: impl IntoIterator<Item = &Window>,
) -> Result<(), DriverError> {
    for page in pages {
        for theme in ["light", "dark"] {
            page.0.set_theme(theme).await?;
            let found = violations(axe, page).await?;
            assert!(found.is_empty(), "{when}, {theme}: {found:#?}");
        }
    }
    Ok(())
}

/// The violations of WCAG 2.1, levels A and AA, in a page.
async fn violations(axe: &str, page: &Window) -> Result<Vec<String>, DriverError> {
    let script = format!(
        "{axe}; return axe.run({{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }})
             .then(({{ violations }}) => violations.map(({{ id, help, nodes }}) =>
                 `${{id}}: ${{help}}: ${{nodes.map(({{ html }}) => html).join(' ')}}`));"
    );
    let found = page.0.run(&script).await?;
    Ok(serde_json::from_value(found).expect("axe lists violations"))
}
