//! Which faults a run may meet, and how likely each is at each call.
//!
//! Every run draws rates of its own (swarm testing): a run in which one thing goes wrong all
//! the time finds what a thousand runs with a little of everything miss. What strikes is
//! remembered as a [`FaultRule`](super::Rule) that strikes at that very call, so a run can be had again without
//! any chance, and shrunk.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::rule::{Effect, Operation};

/// A kind of fault, as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A message arrives late, and so perhaps after a newer one.
    Late,
    /// A message is delivered once more although it was handled.
    Duplicate,
    /// An acknowledgement is lost: the message is delivered again after the ack wait.
    LostAck,
    /// An acknowledgement arrives after the ack wait: the message was delivered again.
    LateAck,
    /// A connection to the bus breaks when a message arrives.
    Disconnect,
    /// A publish fails.
    PublishFails,
    /// A publish reports failure: it may have happened or not.
    PublishAmbiguous,
    /// A read or a write fails.
    StoreFails,
    /// A write reports failure: it may have happened or not.
    StoreAmbiguous,
    /// A read or a write takes its time.
    StoreSlow,
    /// A request outside fails.
    OutsideFails,
    /// A request outside is carried out, and its answer is lost; or nobody has heard it.
    OutsideAmbiguous,
    /// A request outside takes its time, perhaps longer than anybody waits.
    OutsideSlow,
    /// An instance crashes before or after a call.
    Crash,
    /// One service cannot reach one port for a while.
    Partition,
    /// No service can reach the database, the broker or the world outside for a while.
    Outage,
    /// The clock jumps ahead.
    Jump,
    /// The broker restarts without its unsynced tail: messages that it had accepted.
    Tail,
}

impl FaultKind {
    /// All kinds that a system on a broker that syncs what it accepts must live with: all but
    /// [`FaultKind::Tail`].
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
    ];

    /// The operations at which it can strike.
    pub fn operations(self) -> &'static [Operation] {
        use Operation as O;
        match self {
            Self::Late | Self::Disconnect => &[O::Deliver],
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

    /// The kind of fault that has this effect on a call of this operation, if any has.
    pub fn of(operation: Operation, effect: Effect) -> Option<Self> {
        use Effect as E;
        use Operation as O;
        Some(match (effect, operation) {
            (E::CrashBefore | E::CrashAfter, _) => Self::Crash,
            (E::Partition(_), _) => Self::Partition,
            (E::Outage(_), _) => Self::Outage,
            (E::Jump(_), _) => Self::Jump,
            (E::LoseTail(_), _) => Self::Tail,
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

    /// How often at most it strikes, of a thousand calls.
    fn worst(self) -> u32 {
        match self {
            Self::Crash | Self::Partition | Self::Outage | Self::Jump => 10,
            Self::Disconnect => 30,
            _ => 150,
        }
    }

    /// What happens this time.
    fn effect(self, rng: &mut ChaCha8Rng) -> Effect {
        let mut pause = |from: u64, to: u64| Duration::from_millis(rng.random_range(from..to));
        match self {
            // Mostly among its like, sometimes past the ack wait.
            Self::Late | Self::StoreSlow => Effect::Delay(if pause(0, 4).as_millis() == 0 {
                pause(1_000, 90_000)
            } else {
                pause(1, 2_000)
            }),
            Self::LateAck => Effect::Delay(pause(30_001, 90_000)),
            Self::OutsideSlow => Effect::Delay(pause(100, 20_000)),
            Self::Partition => Effect::Partition(pause(100, 120_000)),
            Self::Outage => Effect::Outage(pause(100, 120_000)),
            Self::Jump => Effect::Jump(pause(1_000, 20 * 60_000)),
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
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = serde_json::to_value(self).expect("a kind has a name");
        f.write_str(name.as_str().expect("a kind's name is text"))
    }
}

/// There is no such kind of fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault {0:?}; there are: {all}", all = names())]
pub struct UnknownKind(String);

impl FromStr for FaultKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        serde_json::from_value(text.into()).map_err(|_| UnknownKind(text.to_owned()))
    }
}

fn names() -> String {
    let names = FaultKind::ALL.iter().chain(&[FaultKind::Tail]).map(ToString::to_string);
    names.collect::<Vec<_>>().join(", ")
}

/// What strikes in one run, by chance.
#[derive(Debug, Clone)]
pub struct Mix {
    rng: ChaCha8Rng,
    /// Of a thousand calls at which it can strike.
    rates: Vec<(FaultKind, u32)>,
    left: u32,
}

/// What the stream of the dice is called among those of a seed.
const STREAM: u64 = u64::from_be_bytes(*b"faults\0\0");

impl Mix {
    /// The rates of this seed for these kinds; some of them it leaves out.
    pub fn draw(seed: u64, kinds: &[FaultKind]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(STREAM);
        let mut rates = Vec::new();
        for &kind in kinds {
            // Few at once, most runs: where everything fails at once nothing gets far.
            if rng.random_ratio(1, 3) {
                rates.push((kind, rng.random_range(1..=kind.worst())));
            }
        }
        let left = if rates.is_empty() { 0 } else { rng.random_range(1..=12) };
        Self { rng, rates, left }
    }

    /// The kinds that it may choose, and how often of a thousand calls.
    pub fn rates(&self) -> &[(FaultKind, u32)] {
        &self.rates
    }

    /// What strikes a call of this operation, if anything.
    pub(super) fn roll(&mut self, operation: Operation) -> Option<Effect> {
        if self.left == 0 {
            return None;
        }
        for &(kind, rate) in &self.rates {
            if kind.operations().contains(&operation) && self.rng.random_ratio(rate, 1000) {
                self.left -= 1;
                return Some(kind.effect(&mut self.rng));
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
        write!(f, "{}, {} strikes at most", rates.collect::<Vec<_>>().join(", "), self.left)
    }
}
