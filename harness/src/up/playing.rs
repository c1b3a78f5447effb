//! A world while it plays: carries out what is asked, one after the other, and shows what happens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ports::bus::Stream;
use ports::clock::after;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::ask::Ask;
use super::command::{Command, Refused, rule};
use super::feed::Feed;
use super::journal::{Entry, Journal, Request, Sent};
use super::live::{Live, Outage, Pace};
use crate::console::view::Viewer;
use crate::faults::Port;
use crate::report::trace::extended;
use crate::subject::AnySubject;
use crate::trace::{Record, RecordKind};
use crate::world::{Inspect as _, World};

/// The real time between two looks at the clock that are shown.
const CLOCK_SHOWN: Duration = Duration::from_millis(250);

/// The virtual time in which the last request that is played again is answered, before others come.
const LAST_REPLAYED: Duration = Duration::from_secs(1);

/// The time for which the end of a world waits for its servers.
const END_LIMIT: Duration = Duration::from_secs(5);

/// A world while it plays.
pub(super) struct Playing {
    subject: AnySubject,
    live: Box<dyn Live>,
    viewer: Viewer,
    feed: Arc<Feed>,
    cuts: BTreeSet<(String, Port)>,
    dead_letters: usize,
    journal: Option<Journal>,
    /// The number of requests and commands that were played again at the start.
    replayed: usize,
    /// The state in the feed without its time, and the real time since when it is there.
    state: (Value, Instant),
}

impl Playing {
    /// A world that goes on, shown in this feed, after what is in the journal has been played
    /// again.
    pub(super) async fn new(
        subject: AnySubject,
        mut live: Box<dyn Live>,
        feed: Arc<Feed>,
        journal: Option<(Journal, Vec<Entry>)>,
    ) -> Self {
        // A world on servers may begin with some.
        let dead_letters = live.world().dead_letters().await.map_or(0, |letters| letters.len());
        let (journal, entries) = journal.unzip();
        let mut playing = Self {
            viewer: Viewer::new(&subject),
            subject,
            live,
            feed,
            cuts: BTreeSet::new(),
            dead_letters,
            journal,
            replayed: 0,
            state: (Value::Null, Instant::now()),
        };
        let entries = entries.unwrap_or_default();
        let last = entries.last().map(|entry| (after(entry.at, LAST_REPLAYED), entry.number + 1));
        for entry in entries {
            playing.replay(entry).await;
            playing.show();
        }
        if let (Some((at, number)), Some(world)) = (last, playing.live.replayable()) {
            world.catch_up(at, number);
        }
        playing
    }

    async fn replay(&mut self, Entry { at, number, sent }: Entry) {
        let Some(world) = self.live.replayable() else { return };
        world.catch_up(at, number);
        self.replayed += 1;
        match sent {
            // It was refused then, too.
            Sent::Command(command) => _ = self.command(command).await,
            Sent::Request(request) => match request.read() {
                Some(request) => self.live.submit(request, oneshot::channel().0),
                None => tracing::warn!("a request of the journal is none"),
            },
        }
    }

    /// Keeps what is sent now, for the next program.
    fn note(&mut self, sent: impl FnOnce() -> Option<Sent>) {
        if let Some(journal) = &mut self.journal
            && let Some(world) = self.live.replayable()
            && let Some(sent) = sent()
        {
            let (at, number) = (world.now(), world.requests() + 1);
            journal.add(&Entry { at, number, sent });
        }
    }

    /// Plays until nobody can ask any more.
    ///
    /// # Errors
    ///
    /// When the world cannot go on.
    pub(super) async fn run(mut self, mut asked: UnboundedReceiver<Ask>) -> Result<(), Outage> {
        self.show();
        loop {
            tokio::select! {
                biased;
                ask = asked.recv() => match ask {
                    Some(ask) => self.carry_out(ask).await,
                    None => return Ok(()),
                },
                () = self.live.wait() => {}
            }
            while let Ok(ask) = asked.try_recv() {
                self.carry_out(ask).await;
            }
            self.live.go_on().await?;
            self.show();
        }
    }

    fn world(&mut self) -> &mut dyn World {
        self.live.world()
    }

    async fn carry_out(&mut self, ask: Ask) {
        // Whoever asked may be gone by now.
        match ask {
            Ask::Command(command, done) => match command.clock() {
                Some(clock) => match clock.check() {
                    Ok(()) => self.live.command(clock, done),
                    Err(refused) => _ = done.send(Err(refused)),
                },
                None => {
                    self.note(|| Some(Sent::Command(command.clone())));
                    _ = done.send(self.command(command).await);
                }
            },
            Ask::Request(request, reply) => {
                self.note(|| Request::of(&request).map(Sent::Request));
                self.live.submit(*request, reply);
            }
            Ask::Documents(answer) => _ = answer.send(self.documents().await),
            Ask::End(done) => {
                // Servers that are gone have nothing left to release.
                _ = tokio::time::timeout(END_LIMIT, self.world().end()).await;
                _ = done.send(());
            }
        }
    }

    async fn command(&mut self, command: Command) -> Result<(), Refused> {
        command.check(&self.subject)?;
        match command {
            Command::Play
            | Command::Pause
            | Command::Step
            | Command::Speed { .. }
            | Command::Skip { .. } => {}
            Command::Crash { service } => _ = self.world().crash(&service).await,
            Command::Start { service } => self.world().start(&service).await?,
            Command::Restart { service } => self.world().restart(&service).await?,
            Command::Cut { service, port } => {
                self.world().faults().cut(Some(&service), port);
                self.cuts.insert((service, port));
            }
            Command::Inject { sentence } => {
                let rule = rule(&self.subject, &sentence)?;
                self.live.check(&rule)?;
                self.world().faults().add(rule);
            }
            Command::Heal => {
                self.world().faults().heal();
                self.cuts.clear();
            }
        }
        Ok(())
    }

    /// Puts into the feed what is new.
    fn show(&mut self) {
        let records: Vec<_> = self.world().trace().take().collect();
        for (_, record) in &records {
            self.count(record);
        }
        let views = records.iter().map(|(number, record)| self.viewer.view(*number, record));
        let views = views.collect();
        self.feed.records(views);
        let pace = self.live.pace();
        let is_due = pace.playing && self.state.1.elapsed() >= CLOCK_SHOWN;
        let state = self.state(pace);
        if state != self.state.0 || is_due {
            let mut shown = state.clone();
            shown["now"] = json!(self.world().now().to_string());
            self.feed.state(&shown);
            self.state = (state, Instant::now());
        }
    }

    /// Counts the dead letters.
    fn count(&mut self, record: &Record) {
        match &record.kind {
            RecordKind::Publish { stream: Stream::DeadLetters, outcome: Ok(published), .. }
                if !published.duplicate =>
            {
                self.dead_letters += 1;
            }
            RecordKind::Remove { stream: Stream::DeadLetters, removed: true, .. } => {
                self.dead_letters = self.dead_letters.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn state(&mut self, pace: Pace) -> Value {
        let Self { subject, live, cuts, dead_letters, replayed, .. } = self;
        let world = live.world();
        let names = subject.topology().services.iter().map(|service| service.name);
        let services = names.map(|name| (name.to_owned(), json!(world.instances(name))));
        let sentences = subject.sentences();
        let planned = world.faults().not_injected();
        let planned = planned.iter().map(|rule| match rule.skip {
            0 => sentences.at_the("next", rule),
            _ => sentences.of(rule),
        });
        let planned: Vec<String> = planned.collect();
        let cuts = cuts.iter();
        let cuts: Vec<Value> =
            cuts.map(|(service, port)| json!({ "service": service, "port": port })).collect();
        json!({
            "playing": pace.playing,
            "speed": pace.speed,
            "services": services.collect::<serde_json::Map<_, _>>(),
            "planned": planned,
            "cuts": cuts,
            "pending": pace.pending,
            "deadLetters": dead_letters,
            "replayed": replayed,
        })
    }

    async fn documents(&mut self) -> Value {
        let mut all = Vec::new();
        for (service, collection) in self.world().collections() {
            let found = self.world().documents(service, &collection).await;
            let documents: Vec<Value> = match &found {
                Ok(documents) => documents.iter().map(extended).collect(),
                Err(error) => {
                    tracing::warn!(%error, service, collection, "no documents");
                    Vec::new()
                }
            };
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
