//! Fault-point coverage: where something could have gone wrong, and where it did, over many
//! runs.
//!
//! There are two kinds of [`Point`]. At an event and one that hears it: was it delivered
//! twice there, overtaken, acknowledged late, did a crash meet it. And at a call of a service
//! on a port: did each kind of fault strike it. Which points are possible its user says; which
//! were reached is read from what struck in a run's record.
//!
//! It names no event and no service, and it judges no run.

pub mod possible;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::faults::{FaultKind, Operation};

pub use reading::{Hears, read};

/// What can happen to an event at one that hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It was handled, and delivered once more.
    Duplicate,
    /// It was held back while a later one of its kind was delivered and handled.
    Reorder,
    /// It was handled, and its acknowledgement came after the ack wait.
    LateAck,
    /// It was handled, and its acknowledgement was lost.
    LostAck,
    /// The instance crashed with it before the write that handles it: when it arrived, at a
    /// read, or right before the write.
    CrashBefore,
    /// The instance crashed after that write: right after it, or at the acknowledgement.
    CrashAfter,
    /// Somebody could not know: whether it was published, or whether its acknowledgement was
    /// heard. The former counts for all that hear it.
    Ambiguous,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Reorder,
        Self::LateAck,
        Self::LostAck,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Ambiguous,
    ];
}

/// A place at which something can go wrong, and what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Point {
    /// At an event, where it is heard.
    Event {
        /// Its subject.
        event: String,
        /// The service that hears it.
        consumer: String,
        /// What happens to it.
        mark: Mark,
    },
    /// At a call on a port.
    Call {
        /// The service that calls.
        service: String,
        /// What it does.
        operation: Operation,
        /// On which collection, subject, consumer or path.
        target: String,
        /// What strikes.
        fault: FaultKind,
    },
}

impl Point {
    /// All points of an event at one that hears it.
    pub fn of_event(event: &str, consumer: &str) -> impl Iterator<Item = Self> {
        let (event, consumer) = (event.to_owned(), consumer.to_owned());
        Mark::ALL.into_iter().map(move |mark| Self::Event {
            event: event.clone(),
            consumer: consumer.clone(),
            mark,
        })
    }

    /// All points of a call: one for each of these faults that can strike it.
    pub fn of_call(
        service: &str,
        operation: Operation,
        target: &str,
        faults: &[FaultKind],
    ) -> impl Iterator<Item = Self> {
        let (service, target) = (service.to_owned(), target.to_owned());
        let can = faults.iter().filter(move |fault| fault.operations().contains(&operation));
        can.map(move |&fault| Self::Call {
            service: service.clone(),
            operation,
            target: target.clone(),
            fault,
        })
    }
}

/// Points, and how often each was reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", from = "Written")]
pub struct Coverage {
    possible: BTreeSet<Point>,
    reached: BTreeMap<Point, u64>,
}

impl Coverage {
    /// Nothing reached of these points.
    ///
    /// ```
    /// use harness::coverage::{Coverage, Point};
    ///
    /// let mut coverage = Coverage::of(Point::of_event("ticket.created", "orders"));
    /// coverage.add(Point::of_event("ticket.created", "orders").take(2));
    /// assert_eq!((coverage.reached(), coverage.possible()), (2, 7));
    /// assert_eq!(coverage.missing().count(), 5);
    /// ```
    pub fn of(possible: impl IntoIterator<Item = Point>) -> Self {
        Self { possible: possible.into_iter().collect(), reached: BTreeMap::new() }
    }

    /// Takes in what one run reached, as [`read`] finds it.
    pub fn add(&mut self, reached: impl IntoIterator<Item = Point>) {
        for point in reached {
            *self.reached.entry(point).or_default() += 1;
        }
    }

    /// Takes in what is possible and what was reached elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.possible.extend(other.possible);
        for (point, times) in other.reached {
            *self.reached.entry(point).or_default() += times;
        }
    }

    /// How often a point was reached.
    pub fn times(&self, point: &Point) -> u64 {
        self.reached.get(point).copied().unwrap_or_default()
    }

    /// How many of the possible points were reached.
    pub fn reached(&self) -> usize {
        self.possible.iter().filter(|point| self.times(point) > 0).count()
    }

    /// How many points are possible.
    pub fn possible(&self) -> usize {
        self.possible.len()
    }

    /// The possible points that were never reached.
    pub fn missing(&self) -> impl Iterator<Item = &Point> {
        self.possible.iter().filter(|point| self.times(point) == 0)
    }

    /// How much of what is possible was reached; all of it where nothing is possible.
    pub fn percent(&self) -> f64 {
        let count = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
        match self.possible() {
            0 => 100.0,
            possible => 100.0 * count(self.reached()) / count(possible),
        }
    }

    /// The possible points, each with how often it was reached.
    pub fn points(&self) -> impl Iterator<Item = (&Point, u64)> {
        self.possible.iter().map(|point| (point, self.times(point)))
    }
}

/// A coverage as it is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    percent: f64,
    points: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    point: Point,
    times: u64,
    /// Reached although nobody had it down as possible.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unforeseen: bool,
}

impl From<Coverage> for Written {
    fn from(coverage: Coverage) -> Self {
        let percent = coverage.percent();
        let line = |(point, times): (&Point, u64)| {
            let unforeseen = !coverage.possible.contains(point);
            Line { point: point.clone(), times, unforeseen }
        };
        let more = coverage.reached.iter().filter(|(point, _)| !coverage.possible.contains(point));
        let more = more.map(|(point, times)| (point, *times));
        Self { percent, points: coverage.points().chain(more).map(line).collect() }
    }
}

impl From<Written> for Coverage {
    fn from(Written { points, .. }: Written) -> Self {
        let mut coverage = Self::default();
        for Line { point, times, unforeseen } in points {
            if !unforeseen {
                coverage.possible.insert(point.clone());
            }
            if times > 0 {
                coverage.reached.insert(point, times);
            }
        }
        coverage
    }
}

#[cfg(test)]
mod tests;
