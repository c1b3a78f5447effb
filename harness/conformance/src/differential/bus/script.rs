//! A script: calls on the bus by several instances, each at its time.
//!
//! Subjects, ids, names and settings are few, so that the calls meet. No duration is a multiple
//! of a slot, so that what happens by itself rarely meets a call.

use std::fmt;
use std::time::Duration;

use ports::bus::{Consumer, Group, Start, Stream};
use rand::{Rng, RngExt};

/// The time between two calls is a multiple of this.
pub(super) const SLOT: Duration = Duration::from_millis(120);
/// A call may be this late without an effect on the outcome.
pub(super) const TOLERANCE: Duration = Duration::from_millis(30);
/// The number of instances.
pub(super) const INSTANCES: usize = 3;
/// The number of places that hold a subscription each.
const PLACES: usize = 3;

const SUBJECTS: [&str; 3] = ["a.b", "a.c", "x.y"];
const NAMES: [&str; 3] = ["g", "g", "h"];
const ACK_WAITS: [u64; 2] = [330, 530];
const DELAYS: [u64; 5] = [0, 0, 1, 170, 410];

/// Calls in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script(pub(super) Vec<Call>);

/// A call, and the number of slots before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) slots: u32,
    pub(super) what: What,
}

/// A call. A delivery is named by its number among those received so far, modulo their count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Publish { instance: usize, subject: &'static str, id: &'static str },
    Open { place: usize, instance: usize, consumer: Consumer },
    Close { place: usize },
    Next { place: usize, limit: Duration },
    Ack { delivery: usize },
    Nak { delivery: usize, delay: Duration },
    Progress { delivery: usize },
    Pending { instance: usize },
    Remove { instance: usize, sequence: u64 },
    DeleteConsumer { name: &'static str },
    DeleteStreams,
    Ensure { instance: usize },
}

impl Script {
    /// Draws a script.
    pub(super) fn generate(rng: &mut impl Rng) -> Self {
        let mut calls = Vec::new();
        for place in 0..rng.random_range(1..=2) {
            calls.push(Call { slots: 1, what: open(rng, place) });
        }
        // Most scripts begin with something to deliver.
        if rng.random_bool(0.6) {
            for _ in 0..rng.random_range(1..=3) {
                calls.push(Call { slots: 1, what: publish(rng) });
                let limit = Duration::from_millis(50);
                calls.push(Call { slots: 1, what: What::Next { place: 0, limit } });
            }
        }
        for _ in 0..rng.random_range(5..=15) {
            let slots = if rng.random_bool(0.75) { 1 } else { rng.random_range(2..=5) };
            calls.push(Call { slots, what: what(rng) });
        }
        if rng.random_bool(0.3) {
            remove_messages(rng, &mut calls);
        }
        Self(calls)
    }

    /// The script without some of its calls; what follows keeps its time.
    pub(super) fn without(&self, from: usize, count: usize, close_gap: bool) -> Self {
        let mut calls = self.0.clone();
        let slots: u32 = calls.drain(from..from + count).map(|call| call.slots).sum();
        if let Some(next) = calls.get_mut(from).filter(|_| !close_gap) {
            next.slots += slots;
        }
        Self(calls)
    }
}

/// Replaces some calls by removals. The filters of a consumer stay the same: the simulation refuses
/// to remove a message in flight that a consumer's filter has excluded since.
fn remove_messages(rng: &mut impl Rng, calls: &mut [Call]) {
    for call in calls {
        if let What::Open { consumer, .. } = &mut call.what {
            let subjects = if consumer.name == "g" { &[] } else { &SUBJECTS[..1] };
            consumer.subjects = subjects.iter().map(|&subject: &&str| subject.to_owned()).collect();
        } else if rng.random_bool(0.25) {
            let instance = rng.random_range(0..INSTANCES);
            call.what = What::Remove { instance, sequence: rng.random_range(1..=4) };
        }
    }
}

fn what(rng: &mut impl Rng) -> What {
    let instance = rng.random_range(0..INSTANCES);
    let place = rng.random_range(0..PLACES);
    // Mostly the latest.
    let delivery = if rng.random_bool(0.5) { usize::MAX } else { rng.random_range(0..64) };
    match rng.random_range(0..100) {
        0..26 => publish(rng),
        26..40 => open(rng, place),
        40..44 => What::Close { place },
        44..68 => What::Next { place, limit: Duration::from_millis(pick(rng, &[50, 190, 440])) },
        68..77 => What::Ack { delivery },
        77..87 => What::Nak { delivery, delay: Duration::from_millis(pick(rng, &DELAYS)) },
        87..90 => What::Progress { delivery },
        90..97 => What::Pending { instance },
        97 => What::DeleteConsumer { name: "g" },
        98 => What::DeleteStreams,
        _ => What::Ensure { instance },
    }
}

fn publish(rng: &mut impl Rng) -> What {
    let instance = rng.random_range(0..INSTANCES);
    let (subject, id) = (pick(rng, &SUBJECTS), pick(rng, &["", "", "", "1", "2"]));
    What::Publish { instance, subject, id }
}

fn open(rng: &mut impl Rng, place: usize) -> What {
    let broadcast = rng.random_bool(0.1);
    let subjects: &[&str] = match rng.random_range(0..6) {
        0 | 1 => &[],
        2 | 3 => &SUBJECTS[..1],
        4 => &SUBJECTS[..2],
        _ => &SUBJECTS[1..2],
    };
    let consumer = Consumer {
        name: if broadcast { "b" } else { pick(rng, &NAMES) }.to_owned(),
        stream: Stream::Events,
        subjects: subjects.iter().map(|&subject| subject.to_owned()).collect(),
        group: if broadcast { Group::Broadcast } else { Group::Durable },
        start: if rng.random_bool(0.8) { Start::All } else { Start::New },
        ack_wait: Duration::from_millis(pick(rng, &ACK_WAITS)),
        max_deliver: pick(rng, &[None, None, Some(1), Some(2), Some(3)]),
        max_in_flight: pick(rng, &[16, 16, 1, 2]),
    };
    What::Open { place, instance: rng.random_range(0..INSTANCES), consumer }
}

fn pick<T: Copy>(rng: &mut impl Rng, from: &[T]) -> T {
    from[rng.random_range(0..from.len())]
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |delivery: usize| match delivery {
            usize::MAX => "the latest delivery".to_owned(),
            other => format!("delivery {other}"),
        };
        match self {
            Self::Publish { instance, subject, id } => {
                write!(f, "instance {instance} publishes {subject} with id {id:?}")
            }
            Self::Open { place, instance, consumer } => {
                let Consumer {
                    name, subjects, start, ack_wait, max_deliver, max_in_flight, ..
                } = consumer;
                write!(f, "instance {instance} opens {name} in place {place}: ")?;
                write!(f, "{subjects:?}, {start:?}, ack wait {ack_wait:?}, ")?;
                write!(f, "deliver {max_deliver:?}, in flight {max_in_flight}")
            }
            Self::Close { place } => write!(f, "place {place} is closed"),
            Self::Next { place, limit } => write!(f, "place {place} waits for {limit:?}"),
            Self::Ack { delivery } => write!(f, "ack of {}", number(*delivery)),
            Self::Nak { delivery, delay } => {
                write!(f, "nak of {} with {delay:?}", number(*delivery))
            }
            Self::Progress { delivery } => write!(f, "{} is in progress", number(*delivery)),
            Self::Pending { instance } => write!(f, "instance {instance} reads the counts"),
            Self::Remove { instance, sequence } => {
                write!(f, "instance {instance} removes message {sequence}")
            }
            Self::DeleteConsumer { name } => write!(f, "{name} is deleted"),
            Self::DeleteStreams => write!(f, "the streams are deleted"),
            Self::Ensure { instance } => write!(f, "instance {instance} ensures the streams"),
        }
    }
}
