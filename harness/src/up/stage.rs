//! The stage: a simulated world on a thread of its own, its clock, and the commands to it.
//!
//! Real time decides only how much virtual time passes. Requests and commands are carried out
//! one after the other, between two pieces of virtual time.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use ports::Timestamp;
use serde_json::{Value, json};
use sim::scheduler::Fifo;
use tokio::sync::oneshot;

use super::command::{Command, Refused, rule};
use super::feed::Feed;
use crate::console::view::Viewer;
use crate::faults::Port;
use crate::report::trace::extended;
use crate::settings::Settings;
use crate::simulated::Simulated;
use crate::simulated::requests::Underway;
use crate::subject::AnySubject;
use crate::system::System;
use crate::time_scale::TimeScale;
use crate::world::{Inspect, Operate, Reply};

/// The real time between two pieces of virtual time.
const TICK: Duration = Duration::from_millis(25);

/// The real time between two looks at the clock that are shown.
const CLOCK_SHOWN: Duration = Duration::from_millis(250);

/// The most real time that one piece stands for: a machine that slept does not catch up.
const LONGEST: Duration = Duration::from_secs(1);

/// The reply to a request and its virtual time; `None` where no service serves its path.
type Answer = Option<(Reply, Timestamp)>;

enum Ask {
    Command(Command, oneshot::Sender<Result<(), Refused>>),
    Request(Box<http::Request<Bytes>>, oneshot::Sender<Answer>),
    Documents(oneshot::Sender<Value>),
}

/// The world, as the routes reach it.
#[derive(Clone)]
pub(super) struct Stage(Sender<Ask>);

impl Stage {
    /// Starts a world of this subject, which ends with the last clone of the stage.
    pub(super) fn open(subject: &AnySubject, seed: u64, feed: Arc<Feed>) -> io::Result<Self> {
        let (asks, asked) = channel();
        let subject = subject.clone();
        let run = move || Playing::new(subject, seed, feed).run(&asked);
        thread::Builder::new().name("simulation".to_owned()).spawn(run)?;
        Ok(Self(asks))
    }

    /// Carries out a command.
    pub(super) async fn command(&self, command: Command) -> Result<(), Refused> {
        self.ask(|answer| Ask::Command(command, answer)).await.ok_or(Refused::Ended)?
    }

    /// Sends a request to the services.
    pub(super) async fn request(&self, request: http::Request<Bytes>) -> Answer {
        let ended = || Reply::Unanswered("the simulation has ended".to_owned());
        let answer = self.ask(|answer| Ask::Request(Box::new(request), answer)).await;
        answer.unwrap_or_else(|| Some((ended(), Timestamp::UNIX_EPOCH)))
    }

    /// The documents of all services.
    pub(super) async fn documents(&self) -> Option<Value> {
        self.ask(Ask::Documents).await
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.0.send(ask(sender)).ok()?;
        answer.await.ok()
    }
}

/// The world while it plays.
struct Playing {
    subject: AnySubject,
    system: System,
    world: Simulated,
    viewer: Viewer,
    feed: Arc<Feed>,
    underway: Vec<(Underway, oneshot::Sender<Answer>)>,
    cuts: BTreeSet<(String, Port)>,
    is_playing: bool,
    speed: u32,
    /// The number of records that are in the feed.
    shown: usize,
    /// The state in the feed without its time, and the real time since when it is there.
    state: (Value, Instant),
}

impl Playing {
    fn new(subject: AnySubject, seed: u64, feed: Arc<Feed>) -> Self {
        let (system, _) = subject.open(&TimeScale::simulated(), &Settings::default());
        let mut world = Simulated::start(system.clone(), seed, Box::new(Fifo));
        world.revive();
        Self {
            viewer: Viewer::new(&subject),
            subject,
            system,
            world,
            feed,
            underway: Vec::new(),
            cuts: BTreeSet::new(),
            is_playing: true,
            speed: 1,
            shown: 0,
            state: (Value::Null, Instant::now()),
        }
    }

    fn run(mut self, asked: &Receiver<Ask>) {
        let mut last = Instant::now();
        self.show();
        loop {
            // A world that pauses has nothing to do until it is asked.
            let ask = match self.is_playing {
                true => asked.recv_timeout(TICK),
                false => asked.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match ask {
                Ok(ask) => self.carry_out(ask),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            asked.try_iter().for_each(|ask| self.carry_out(ask));
            let now = Instant::now();
            if self.is_playing {
                self.world.elapse(now.duration_since(last).min(LONGEST) * self.speed);
            }
            // Time in which the world computes is not its own.
            last = Instant::now();
            self.reply();
            self.show();
        }
    }

    fn carry_out(&mut self, ask: Ask) {
        // Whoever asked may be gone by now.
        match ask {
            Ask::Command(command, answer) => _ = answer.send(self.command(command)),
            Ask::Request(request, answer) if self.system.serves(request.uri().path()).is_none() => {
                _ = answer.send(None);
            }
            Ask::Request(request, answer) => {
                let underway = self.world.submit(*request);
                self.underway.push((underway, answer));
            }
            Ask::Documents(answer) => _ = answer.send(self.documents()),
        }
    }

    fn command(&mut self, command: Command) -> Result<(), Refused> {
        command.check(&self.subject)?;
        match command {
            Command::Play => self.is_playing = true,
            Command::Pause => self.is_playing = false,
            Command::Step => {
                self.is_playing = false;
                if !self.world.step() {
                    return Err(Refused::Nothing);
                }
            }
            Command::Speed { factor } => self.speed = factor,
            Command::Skip { seconds } => self.world.elapse(Duration::from_secs(seconds)),
            Command::Crash { service } => _ = ready(self.world.crash(&service)),
            Command::Start { service } => ready(self.world.start(&service))?,
            Command::Restart { service } => ready(self.world.restart(&service))?,
            Command::Cut { service, port } => {
                self.world.faults().cut(Some(&service), port);
                self.cuts.insert((service, port));
            }
            Command::Inject { sentence } => {
                self.world.faults().add(rule(&self.subject, &sentence)?);
            }
            Command::Heal => {
                self.world.faults().heal();
                self.cuts.clear();
            }
        }
        Ok(())
    }

    /// Replies to the requests that are done.
    fn reply(&mut self) {
        let waiting = std::mem::take(&mut self.underway);
        for (underway, answer) in waiting {
            match self.world.take_reply(&underway) {
                Some(reply) => _ = answer.send(Some((reply, self.world.now()))),
                None => self.underway.push((underway, answer)),
            }
        }
    }

    /// Puts into the feed what is new.
    fn show(&mut self) {
        let records = self.world.trace().records();
        let new = records.iter().enumerate().skip(self.shown);
        let views = new.map(|(number, record)| self.viewer.view(number, record)).collect();
        self.shown = records.len();
        // The trace would copy its records while they are held here.
        drop(records);
        self.feed.records(views);
        let state = self.state();
        let is_due = self.is_playing && self.state.1.elapsed() >= CLOCK_SHOWN;
        if state != self.state.0 || is_due {
            let mut shown = state.clone();
            shown["now"] = json!(self.world.now().to_string());
            self.feed.state(&shown);
            self.state = (state, Instant::now());
        }
    }

    fn state(&self) -> Value {
        let names = self.system.services.iter().map(|spec| spec.name);
        let services = names.map(|name| (name.to_owned(), json!(self.world.instances(name))));
        let planned = self.world.faults().not_injected();
        let sentences = self.subject.sentences();
        let planned = planned.iter().map(|rule| match rule.skip {
            0 => sentences.at_the("next", rule),
            _ => sentences.of(rule),
        });
        let planned: Vec<String> = planned.collect();
        let cuts = self.cuts.iter();
        let cuts: Vec<Value> =
            cuts.map(|(service, port)| json!({ "service": service, "port": port })).collect();
        json!({
            "playing": self.is_playing,
            "speed": self.speed,
            "services": services.collect::<serde_json::Map<_, _>>(),
            "planned": planned,
            "cuts": cuts,
            "pending": self.world.pending(),
            "deadLetters": self.world.dead_letter_count(),
        })
    }

    fn documents(&mut self) -> Value {
        let mut all = Vec::new();
        for (service, collection) in self.world.collections() {
            let documents = ready(self.world.documents(service, &collection)).unwrap_or_default();
            let documents: Vec<Value> = documents.iter().map(extended).collect();
            let documents = json!({
                "service": service,
                "collection": collection,
                "documents": documents,
            });
            all.push(documents);
        }
        json!({ "collections": all })
    }
}

/// The outcome of a future of a simulated world.
fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a simulated world waits for nothing")
}
