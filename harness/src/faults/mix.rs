//! Random faults: the kinds of fault that a run may inject, and the rate of each.
//!
//! Every run draws its own rates (swarm testing, Groce et al., ISSTA 2012), because runs
//! dominated by one kind of fault find bugs that uniformly mixed runs miss. It decides on
//! one call at a time and keeps no record; [`Faults`](super::Faults) does.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::rule::{Effect, Operation};

/// A kind of fault, as users name it on the command line and in reports.
///
/// Exhaustive on purpose: code that words a kind must cover all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A delivery is delayed, possibly past a newer one.
    Late,
    /// A message is redelivered although it was handled.
    Duplicate,
    /// An acknowledgement is lost: the bus redelivers after the ack wait.
    LostAck,
    /// An acknowledgement arrives after the ack wait: the bus has redelivered by then.
    LateAck,
    /// The connection to the bus breaks when a delivery arrives.
    Disconnect,
    /// A publish fails without effect.
    PublishFails,
    /// A publish reports failure with its outcome unknown.
    PublishAmbiguous,
    /// A read or a write fails without effect.
    StoreFails,
    /// A write reports failure with its outcome unknown.
    StoreAmbiguous,
    /// A read or a write is slow.
    StoreSlow,
    /// A request to an external service fails without effect.
    OutsideFails,
    /// A request to an external service fails with its outcome unknown: the request or its
    /// response got lost.
    OutsideAmbiguous,
    /// A request to an external service is slow, possibly beyond its timeout.
    OutsideSlow,
    /// An instance crashes before or after a call.
    Crash,
    /// One service cannot reach one port for a while.
    Partition,
    /// No service can reach the store, the bus or external services for a while.
    Outage,
    /// The clock jumps ahead.
    Jump,
    /// A delivered payload has the format of a newer release, as during a rolling upgrade: with
    /// fields that this release does not know.
    NewerFormat,
    /// A delivered payload has the format of an older release: without optional fields.
    OlderFormat,
    /// The broker restarts without its unsynced tail: messages that it had accepted.
    Tail,
}

impl FaultKind {
    /// The kinds that a system must tolerate on a broker that syncs before it accepts: every
    /// kind but [`FaultKind::Tail`].
    pub const ALL: &[Self] = &[
        Self::Late,
        Self::Duplicate,
        Self::LostAck,
        Self::LateAck,
        Self::Disconnect,
        Self::PublishFails,
        Self::PublishAmbiguous,
        Self::StoreFails,
        Self::StoreAmbiguous,
        Self::StoreSlow,
        Self::OutsideFails,
        Self::OutsideAmbiguous,
        Self::OutsideSlow,
        Self::Crash,
        Self::Partition,
        Self::Outage,
        Self::Jump,
        Self::NewerFormat,
        Self::OlderFormat,
    ];

    /// The name on the command line and in reports, as it is serialized.
    pub fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Duplicate => "duplicate",
            Self::LostAck => "lost-ack",
            Self::LateAck => "late-ack",
            Self::Disconnect => "disconnect",
            Self::PublishFails => "publish-fails",
            Self::PublishAmbiguous => "publish-ambiguous",
            Self::StoreFails => "store-fails",
            Self::StoreAmbiguous => "store-ambiguous",
            Self::StoreSlow => "store-slow",
            Self::OutsideFails => "outside-fails",
            Self::OutsideAmbiguous => "outside-ambiguous",
            Self::OutsideSlow => "outside-slow",
            Self::Crash => "crash",
            Self::Partition => "partition",
            Self::Outage => "outage",
            Self::Jump => "jump",
            Self::NewerFormat => "newer-format",
            Self::OlderFormat => "older-format",
            Self::Tail => "tail",
        }
    }

    /// The operations that this kind applies to.
    pub fn operations(self) -> &'static [Operation] {
        use Operation as O;
        match self {
            Self::Late | Self::Disconnect | Self::NewerFormat | Self::OlderFormat => &[O::Deliver],
            Self::Duplicate | Self::LostAck | Self::LateAck => &[O::Ack],
            Self::PublishFails | Self::PublishAmbiguous => &[O::Publish],
            Self::StoreFails | Self::StoreSlow => &[O::Read, O::Write],
            Self::StoreAmbiguous => &[O::Write],
            Self::OutsideFails | Self::OutsideAmbiguous | Self::OutsideSlow => &[O::Send],
            Self::Crash => {
                &[O::Open, O::Read, O::Write, O::Publish, O::Deliver, O::Ack, O::Nak, O::Send]
            }
            Self::Partition | Self::Outage => &[O::Read, O::Write, O::Publish, O::Ack, O::Send],
            Self::Jump => &[O::Read, O::Write, O::Publish, O::Ack],
            Self::Tail => &[O::Publish],
        }
    }

    /// The kind of fault with this effect on this operation; `None` where no kind has it.
    pub fn of(operation: Operation, effect: Effect) -> Option<Self> {
        use Effect as E;
        use Operation as O;
        Some(match (effect, operation) {
            (E::CrashBefore | E::CrashAfter, _) => Self::Crash,
            (E::Partition(_), _) => Self::Partition,
            (E::Outage(_), _) => Self::Outage,
            (E::Jump(_), _) => Self::Jump,
            (E::LoseTail(_), _) => Self::Tail,
            (E::NewerFormat, O::Deliver) => Self::NewerFormat,
            (E::OlderFormat, O::Deliver) => Self::OlderFormat,
            (E::LoseAck, _) => Self::LostAck,
            (E::Redeliver, _) => Self::Duplicate,
            (E::Delay(_), O::Deliver) => Self::Late,
            (E::Delay(_), O::Ack) => Self::LateAck,
            (E::Delay(_), O::Read | O::Write) => Self::StoreSlow,
            (E::Delay(_), O::Send) => Self::OutsideSlow,
            (E::Fail, O::Deliver) => Self::Disconnect,
            (E::Fail, O::Publish) => Self::PublishFails,
            (E::Fail, O::Read | O::Write) => Self::StoreFails,
            (E::Fail, O::Send) => Self::OutsideFails,
            (E::FailAfter | E::Vanish, O::Publish) => Self::PublishAmbiguous,
            (E::FailAfter | E::Vanish, O::Write) => Self::StoreAmbiguous,
            (E::FailAfter | E::Vanish, O::Send) => Self::OutsideAmbiguous,
            _ => return None,
        })
    }

    /// True if faults of this kind only change the format of a payload.
    fn is_format(self) -> bool {
        matches!(self, Self::NewerFormat | Self::OlderFormat)
    }

    /// The highest rate that a run draws, per thousand calls.
    fn max_rate(self) -> u32 {
        match self {
            Self::Crash | Self::Partition | Self::Outage | Self::Jump => 10,
            Self::Disconnect => 30,
            // Releases are mixed for as long as an upgrade takes.
            Self::NewerFormat | Self::OlderFormat => 500,
            _ => 150,
        }
    }

    /// Draws an effect of this kind.
    fn draw(self, rng: &mut ChaCha8Rng) -> Effect {
        let mut millis = |from: u64, to: u64| Duration::from_millis(rng.random_range(from..to));
        match self {
            // Mostly long enough to be overtaken, sometimes past the ack wait.
            Self::Late | Self::StoreSlow => Effect::Delay(if millis(0, 4).as_millis() == 0 {
                millis(1_000, 90_000)
            } else {
                millis(1, 2_000)
            }),
            Self::LateAck => Effect::Delay(millis(30_001, 90_000)),
            Self::OutsideSlow => Effect::Delay(millis(100, 20_000)),
            Self::Partition => Effect::Partition(millis(100, 120_000)),
            Self::Outage => Effect::Outage(millis(100, 120_000)),
            Self::Jump => Effect::Jump(millis(1_000, 20 * 60_000)),
            Self::Duplicate => Effect::Redeliver,
            Self::LostAck => Effect::LoseAck,
            Self::Disconnect | Self::PublishFails | Self::StoreFails | Self::OutsideFails => {
                Effect::Fail
            }
            Self::PublishAmbiguous | Self::StoreAmbiguous | Self::OutsideAmbiguous => {
                if rng.random_ratio(2, 3) { Effect::FailAfter } else { Effect::Vanish }
            }
            Self::Crash => {
                if rng.random() {
                    Effect::CrashBefore
                } else {
                    Effect::CrashAfter
                }
            }
            Self::Tail => Effect::LoseTail(rng.random_range(1..4)),
            Self::NewerFormat => Effect::NewerFormat,
            Self::OlderFormat => Effect::OlderFormat,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no kind of fault. The message lists the names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown fault {0:?}; known faults: {all}", all = names())]
pub struct UnknownKind(String);

impl FromStr for FaultKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        every_kind().find(|kind| kind.name() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

fn every_kind() -> impl Iterator<Item = FaultKind> {
    FaultKind::ALL.iter().copied().chain([FaultKind::Tail])
}

fn names() -> String {
    every_kind().map(FaultKind::name).collect::<Vec<_>>().join(", ")
}

/// The random faults of one run: a rate for each kind, and a limit on all of them together.
#[derive(Debug, Clone)]
pub struct Mix {
    rng: ChaCha8Rng,
    /// The source of faults of the format.
    formats: ChaCha8Rng,
    /// Per thousand calls that the kind applies to.
    rates: Vec<(FaultKind, u32)>,
    /// Number of faults that may still be injected; those of the format do not count.
    left: u32,
}

/// The stream of random numbers for faults, among those of a seed.
const STREAM: u64 = u64::from_be_bytes(*b"faults\0\0");

/// The same for faults of the format. They have a stream of their own: the faults of a run that has
/// none are the same with and without these kinds.
const FORMATS: u64 = u64::from_be_bytes(*b"formats\0");

impl Mix {
    /// Draws the rates of this seed for these kinds, and leaves most kinds out.
    pub fn draw(seed: u64, kinds: &[FaultKind]) -> Self {
        let [mut rng, mut formats] = [STREAM, FORMATS].map(|stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            rng
        });
        let mut rates = Vec::new();
        for &kind in kinds {
            let rng = if kind.is_format() { &mut formats } else { &mut rng };
            // Few kinds at once: where everything fails, no run gets far.
            if rng.random_ratio(1, 3) {
                rates.push((kind, rng.random_range(1..=kind.max_rate())));
            }
        }
        let disturbs = rates.iter().any(|(kind, _)| !kind.is_format());
        let left = if disturbs { rng.random_range(1..=12) } else { 0 };
        Self { rng, formats, rates, left }
    }

    /// The kinds that were drawn, each with its rate per thousand calls.
    pub fn rates(&self) -> &[(FaultKind, u32)] {
        &self.rates
    }

    /// Draws the effect on a call of this operation; mostly none.
    pub(super) fn roll(&mut self, operation: Operation) -> Option<Effect> {
        for &(kind, rate) in &self.rates {
            let is_format = kind.is_format();
            if !kind.operations().contains(&operation) || (self.left == 0 && !is_format) {
                continue;
            }
            let rng = if is_format { &mut self.formats } else { &mut self.rng };
            if rng.random_ratio(rate, 1000) {
                self.left -= u32::from(!is_format);
                return Some(kind.draw(rng));
            }
        }
        None
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rates.is_empty() {
            return f.write_str("no faults");
        }
        let rates = self.rates.iter().map(|(kind, rate)| format!("{kind} {rate}‰"));
        write!(f, "{}, at most {} faults", rates.collect::<Vec<_>>().join(", "), self.left)
    }
}
