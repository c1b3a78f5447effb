//! One cell of the table: a lock under one load of so many buyers.

use std::fmt;
use std::time::{Duration, Instant};

use adapters::system::SystemEntropy;
use futures::future::{join_all, try_join_all};
use hdrhistogram::Histogram;
use locks::{Claim, Lock, LockError, Outcome};
use ports::Timestamp;
use ports::entropy::Entropy;
use serde::{Deserialize, Serialize};

use crate::counted::Counts;

/// The tickets for each buyer of a spread load.
const TICKETS_EACH: usize = 4;

/// The way in which buyers choose tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// All claim the same new ticket at the same moment, again and again.
    OneTicket,
    /// Each goes on by itself, over four tickets for each buyer; a hold is released at once.
    Spread,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneTicket => "one ticket",
            Self::Spread => "many tickets",
        })
    }
}

/// The figures of a lock under one load. Latencies are in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cell {
    pub(crate) lock: String,
    pub(crate) load: Load,
    pub(crate) buyers: usize,
    /// Decisions a second, on claims that hold and on claims that are refused.
    pub(crate) goodput: f64,
    pub(crate) p50: u64,
    pub(crate) p95: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    /// Calls of the store for each claim; zero where the store port is not used.
    pub(crate) calls: f64,
    /// Writes that changed nothing, for each claim.
    pub(crate) wasted: f64,
    /// Claims that held a ticket that another one held already.
    pub(crate) double_sales: u64,
}

/// The decisions of one measurement.
struct Tally {
    latencies: Histogram<u64>,
    /// The time in which they were made.
    took: Duration,
    double_sales: u64,
}

impl Tally {
    fn new() -> Self {
        let latencies = Histogram::new(3).expect("three digits are possible");
        Self { latencies, took: Duration::ZERO, double_sales: 0 }
    }

    fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).expect("a bench ends");
        self.latencies.record(micros.max(1)).expect("the histogram grows");
    }
}

impl Cell {
    /// Measures for about this long.
    pub(crate) async fn measure(
        name: &str,
        lock: &dyn Lock,
        counts: &Counts,
        load: Load,
        buyers: usize,
        time: Duration,
    ) -> Result<Self, LockError> {
        // A short run first connects all buyers.
        tally(lock, load, buyers, time / 10, counts).await?;
        let (tally, calls, wasted) = tally(lock, load, buyers, time, counts).await?;
        let claims = tally.latencies.len().max(1) as f64;
        let quantile = |quantile| tally.latencies.value_at_quantile(quantile);
        Ok(Self {
            lock: name.to_owned(),
            load,
            buyers,
            goodput: claims / tally.took.as_secs_f64(),
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p999: quantile(0.999),
            calls: calls as f64 / claims,
            wasted: wasted as f64 / claims,
            double_sales: tally.double_sales,
        })
    }
}

/// The decisions of one measurement, with the calls and wasted writes of all claims.
async fn tally(
    lock: &dyn Lock,
    load: Load,
    buyers: usize,
    time: Duration,
    counts: &Counts,
) -> Result<(Tally, u64, u64), LockError> {
    match load {
        Load::OneTicket => one_ticket(lock, buyers, time, counts).await,
        Load::Spread => spread(lock, buyers, time, counts).await,
    }
}

fn id() -> String {
    let entropy: &dyn Entropy = &SystemEntropy;
    entropy.id(Timestamp::UNIX_EPOCH)
}

fn claim(ticket: &str) -> Claim {
    Claim::new(ticket, &id(), "buyer", Timestamp::now())
}

/// Rounds in which all claim a new ticket at the same moment.
async fn one_ticket(
    lock: &dyn Lock,
    buyers: usize,
    time: Duration,
    counts: &Counts,
) -> Result<(Tally, u64, u64), LockError> {
    let (mut tally, mut calls, mut wasted) = (Tally::new(), 0, 0);
    while tally.took < time {
        let ticket = id();
        lock.list(&ticket, 2000).await?;
        counts.take();
        let claims: Vec<Claim> = (0..buyers).map(|_| claim(&ticket)).collect();
        let began = Instant::now();
        let holds = claims.iter().map(async |claim| (lock.hold(claim).await, began.elapsed()));
        let decided = join_all(holds).await;
        tally.took += began.elapsed();
        let mut held = 0_u64;
        for (outcome, latency) in decided {
            held += u64::from(matches!(outcome?, Outcome::Held { .. }));
            tally.record(latency);
        }
        tally.double_sales += held.saturating_sub(1);
        let (more, more_wasted) = counts.take();
        (calls, wasted) = (calls + more, wasted + more_wasted);
    }
    Ok((tally, calls, wasted))
}

/// Buyers that hold and release tickets, each at its own pace. The release is not measured.
async fn spread(
    lock: &dyn Lock,
    buyers: usize,
    time: Duration,
    counts: &Counts,
) -> Result<(Tally, u64, u64), LockError> {
    let tickets: Vec<String> = (0..buyers * TICKETS_EACH).map(|_| id()).collect();
    try_join_all(tickets.iter().map(|ticket| lock.list(ticket, 2000))).await?;
    counts.take();
    let began = Instant::now();
    let buy = async |buyer: usize| {
        let (mut latencies, mut releases) = (Vec::new(), 0_u64);
        let mut turn = buyer;
        while began.elapsed() < time {
            turn = (turn * 31 + 7) % tickets.len();
            let claim = claim(&tickets[turn]);
            let asked = Instant::now();
            let outcome = lock.hold(&claim).await?;
            latencies.push(asked.elapsed());
            if matches!(outcome, Outcome::Held { .. }) {
                lock.release(&claim.ticket, &claim.hold).await?;
                releases += 1;
            }
        }
        Ok::<_, LockError>((latencies, releases))
    };
    let bought = try_join_all((0..buyers).map(buy)).await?;
    let mut tally = Tally::new();
    tally.took = began.elapsed();
    let (calls, wasted) = counts.take();
    let mut releases = 0;
    for (latencies, released) in bought {
        latencies.into_iter().for_each(|latency| tally.record(latency));
        releases += released;
    }
    Ok((tally, calls.saturating_sub(releases), wasted))
}
