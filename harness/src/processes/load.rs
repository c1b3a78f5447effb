//! Load: groups of clients play scripts one after the other, all groups at once, or sales begin at
//! a fixed rate, until the time is over. One history has the operations of all.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use adapters::system::SystemClock;
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use ports::clock::Clock as _;

use super::gateway::Gateway;
use super::latency::Latencies;
use crate::history::History;
use crate::script::{Action, Round, Script, Then};
use crate::subject::any::AnyClients;
use crate::subject::{AnyOperation, AnySubject};
use crate::time_scale::TimeScale;
use crate::trace::{Trace, route};
use crate::world::{answer_record, request_record};

/// The number of different scripts that are played, again and again.
const SCRIPTS: u64 = 64;

/// The pause where a script waits for quiescence, which there is none of under load.
const BREATH: Duration = Duration::from_millis(100);

/// The pauses after which a client sends an operation again that it got no answer to, or an
/// answer that says it may succeed later: 503, or 404 for what another service has just created.
const AGAIN: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1_000),
    Duration::from_millis(2_000),
];

/// The pause after a round of which no operation could be sent.
const IDLE: Duration = Duration::from_millis(50);

/// The moment at which operations were due, and the beginning of the load.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: Instant,
    began: Instant,
}

/// The work of the clients so far.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// The number of requests sent.
    pub requests: u64,
    /// The replies: `2xx`, `4xx`, `503`, `5xx` or `none`, and how many.
    pub replies: BTreeMap<&'static str, u64>,
    /// The milestones of the subject, and how many.
    pub milestones: BTreeMap<&'static str, u64>,
}

/// The clients of a run and what they play.
pub(super) struct Load<'a> {
    subject: &'a AnySubject,
    gateway: &'a Gateway,
    trace: &'a Trace,
    time: &'a TimeScale,
    scripts: Vec<Script>,
    /// The number of groups.
    groups: usize,
    state: RefCell<State>,
}

struct State {
    clients: Box<dyn AnyClients>,
    history: History,
    counts: Counts,
    latencies: Latencies,
    plays: u64,
    rounds: usize,
}

/// The scripts of a run, and how many groups of clients play them.
pub(super) struct Scripts {
    scripts: Vec<Script>,
    groups: usize,
}

impl Scripts {
    /// The scripts of this seed, for at least one group and about this many clients in all.
    pub(super) fn draw(draws: impl Fn(u64) -> Script, seed: u64, clients: usize) -> Self {
        let first = seed.wrapping_mul(SCRIPTS);
        let scripts: Vec<Script> = (0..SCRIPTS).map(|n| draws(first.wrapping_add(n))).collect();
        let largest = scripts.iter().map(|script| script.clients.len()).max().unwrap_or(1);
        Self { scripts, groups: (clients / largest.max(1)).max(1) }
    }

    /// This script, for one group.
    pub(super) fn one(script: Script) -> Self {
        Self { scripts: vec![script], groups: 1 }
    }

    /// The names of the clients of all groups.
    pub(super) fn clients(&self) -> Vec<String> {
        let all = (0..self.groups).flat_map(|group| {
            let names = self.scripts.iter().flat_map(|script| &script.clients);
            names.map(move |name| in_group(name, group))
        });
        let mut all: Vec<String> = all.collect();
        all.sort();
        all.dedup();
        all
    }
}

/// The name of a client in a group.
fn in_group(name: &str, group: usize) -> String {
    if group == 0 { name.to_owned() } else { format!("{name} {}", group + 1) }
}

impl<'a> Load<'a> {
    pub(super) fn new(
        subject: &'a AnySubject,
        scripts: Scripts,
        clients: Box<dyn AnyClients>,
        (gateway, trace, time): (&'a Gateway, &'a Trace, &'a TimeScale),
    ) -> Self {
        let Scripts { scripts, groups } = scripts;
        let state = RefCell::new(State {
            clients,
            history: History::default(),
            counts: Counts::default(),
            latencies: Latencies::default(),
            plays: 0,
            rounds: 0,
        });
        Self { subject, gateway, trace, time, scripts, groups, state }
    }

    /// Plays until this moment; operations that have begun then return first.
    pub(super) async fn play(&self, until: Instant) {
        join_all((0..self.groups).map(|group| self.play_group(group, until))).await;
    }

    /// The work of the clients so far.
    pub(super) fn counts(&self) -> Counts {
        self.state.borrow().counts.clone()
    }

    /// The clients, their history and their work.
    pub(super) fn into_parts(self) -> (Box<dyn AnyClients>, History, Counts, Latencies) {
        let State { clients, history, counts, latencies, .. } = self.state.into_inner();
        (clients, history, counts, latencies)
    }

    /// Begins a play of the first script this many times a second until this moment, and waits
    /// until all have ended.
    pub(super) async fn rush(&self, rate: f64, until: Instant) {
        let began = Instant::now();
        let mut sales = FuturesUnordered::new();
        for number in 0_u64.. {
            let due = began + Duration::from_secs_f64(number as f64 / rate);
            if due >= until {
                break;
            }
            let arrival = tokio::time::sleep_until(due.into());
            tokio::pin!(arrival);
            loop {
                tokio::select! {
                    biased;
                    () = &mut arrival => break,
                    Some(()) = sales.next() => {}
                }
            }
            sales.push(self.sale(number, due, began));
        }
        while sales.next().await.is_some() {}
    }

    async fn sale(&self, number: u64, arrives: Instant, began: Instant) {
        let mut due = arrives;
        for round in &self.scripts[0].rounds {
            self.act(actions(round, 0, number), Some(Due { at: due, began })).await;
            let pause = if round.then == Then::Go { Duration::ZERO } else { BREATH };
            tokio::time::sleep(pause).await;
            due = Instant::now();
        }
    }

    async fn play_group(&self, group: usize, until: Instant) {
        loop {
            let play = {
                let mut state = self.state.borrow_mut();
                state.plays += 1;
                state.plays
            };
            let at = usize::try_from(play).unwrap_or_default() % self.scripts.len();
            for round in &self.scripts[at].rounds {
                if Instant::now() >= until {
                    return;
                }
                let mut sent = self.act(actions(round, group, play), None).await;
                let is_idle = sent.is_empty();
                for pause in AGAIN {
                    sent.retain(|(_, again)| *again);
                    if sent.is_empty() || Instant::now() + pause >= until {
                        break;
                    }
                    tokio::time::sleep(pause).await;
                    let again = sent.into_iter().map(|(operation, _)| operation);
                    sent = self.act(again.collect(), None).await;
                }
                let pause = match round.then {
                    Then::Go => Duration::ZERO,
                    Then::Quiesce => BREATH,
                    Then::Pass(seconds) | Then::Meet(seconds) => {
                        self.time.of(Duration::from_secs(seconds.into()))
                    }
                };
                tokio::time::sleep(if is_idle { pause.max(IDLE) } else { pause }).await;
            }
        }
    }

    /// Carries out these operations concurrently. Returns those that could be sent, each with
    /// whether to send it again. With `due`, their latencies count.
    async fn act(
        &self,
        operations: Vec<AnyOperation>,
        due: Option<Due>,
    ) -> Vec<(AnyOperation, bool)> {
        let (mut begun, mut requests) = (Vec::new(), Vec::new());
        {
            let state = &mut *self.state.borrow_mut();
            let number = state.rounds;
            state.rounds += 1;
            for operation in operations {
                let Some(request) = state.clients.request(&operation) else { continue };
                let now = SystemClock.now();
                let context = state.clients.context(&operation, now);
                let mark = self.trace.len();
                let at = state.history.begin(Action::Do(operation.clone()), context, number, mark);
                state.history.invoke(at, (now, mark));
                state.counts.requests += 1;
                let number = state.counts.requests;
                self.trace.add(now, None, request_record(&request, number, None));
                let line = format!("{} {}", request.method(), request.uri().path());
                begun.push((at, number, operation, route(&line)));
                let reply = self.gateway.send(request);
                requests.push(async { (reply.await, Instant::now()) });
            }
        }
        let replies = join_all(requests).await;
        let state = &mut *self.state.borrow_mut();
        let returned = SystemClock.now();
        let mut sent = Vec::new();
        for ((at, number, operation, route), (reply, replied)) in begun.into_iter().zip(replies) {
            self.trace.add(returned, None, answer_record(number, &reply));
            state.clients.learn(&operation, &reply, returned);
            let class = match reply.status() {
                None => "none",
                Some(503) => "503",
                Some(500..) => "5xx",
                Some(400..) => "4xx",
                Some(_) => "2xx",
            };
            *state.counts.replies.entry(class).or_default() += 1;
            if let Some(Due { at, began }) = due {
                state.latencies.add(route, class, at - began, replied - at);
            }
            if let Some(milestone) = self.subject.milestone(&operation, &reply) {
                *state.counts.milestones.entry(milestone).or_default() += 1;
            }
            sent.push((operation, matches!(reply.status(), None | Some(404 | 503))));
            state.history.complete(at, (returned, self.trace.len()), reply);
        }
        sent
    }
}

/// The operations of a round, with names of this group and this play.
fn actions(round: &Round, group: usize, play: u64) -> Vec<AnyOperation> {
    let operations = round.actions.iter().filter_map(Action::operation);
    let renamed = operations.map(|operation| {
        operation.renamed(|kind, name| {
            *name = match kind {
                None => in_group(name, group),
                Some(_) => format!("{name} {play}"),
            };
        })
    });
    renamed.collect()
}
