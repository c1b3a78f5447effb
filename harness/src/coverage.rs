//! Fault-point coverage: the places where a fault can be injected, and those where one was,
//! over many runs.
//!
//! A [`Point`] is either an event at one of its consumers (was it redelivered there, overtaken,
//! acknowledged late, hit by a crash) or a call of a service on a port (was each kind of fault
//! injected into it). The caller lists the possible points; the reached ones are read from the
//! faults in a run's trace.
//!
//! It names no event and no service, and it judges no run.

mod point;
pub mod possible;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use point::{Mark, Point};
pub use reading::{Hears, read};

/// The possible fault points of a system, and how often each was reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Serialized", from = "Serialized")]
pub struct Coverage {
    possible: BTreeSet<Point>,
    reached: BTreeMap<Point, u64>,
}

impl Coverage {
    /// A coverage of these points, none of them reached yet.
    ///
    /// ```
    /// use harness::coverage::{Coverage, Point};
    ///
    /// let mut coverage = Coverage::of(Point::of_event("book.returned", "loans"));
    /// coverage.add(Point::of_event("book.returned", "loans").take(2));
    /// assert_eq!((coverage.reached(), coverage.possible()), (2, 7));
    /// assert_eq!(coverage.missing().count(), 5);
    /// ```
    pub fn of(possible: impl IntoIterator<Item = Point>) -> Self {
        Self { possible: possible.into_iter().collect(), reached: BTreeMap::new() }
    }

    /// Counts the points that one run reached, as found by [`read`].
    pub fn add(&mut self, reached: impl IntoIterator<Item = Point>) {
        for point in reached {
            *self.reached.entry(point).or_default() += 1;
        }
    }

    /// Adds the possible points and the counts of another coverage.
    pub fn merge(&mut self, other: Self) {
        self.possible.extend(other.possible);
        for (point, times) in other.reached {
            *self.reached.entry(point).or_default() += times;
        }
    }

    /// Number of times a point was reached.
    pub fn times(&self, point: &Point) -> u64 {
        self.reached.get(point).copied().unwrap_or_default()
    }

    /// Number of possible points that were reached.
    pub fn reached(&self) -> usize {
        self.possible.iter().filter(|point| self.times(point) > 0).count()
    }

    /// Number of possible points.
    pub fn possible(&self) -> usize {
        self.possible.len()
    }

    /// The possible points that were never reached.
    pub fn missing(&self) -> impl Iterator<Item = &Point> {
        self.possible.iter().filter(|point| self.times(point) == 0)
    }

    /// Percentage of the possible points that was reached; 100 where no point is possible.
    pub fn percent(&self) -> f64 {
        let count = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
        match self.possible() {
            0 => 100.0,
            possible => 100.0 * count(self.reached()) / count(possible),
        }
    }

    /// The possible points, each with its count.
    pub fn points(&self) -> impl Iterator<Item = (&Point, u64)> {
        self.possible.iter().map(|point| (point, self.times(point)))
    }
}

/// The serialized form: JSON has no maps with structured keys.
#[derive(Serialize, Deserialize)]
struct Serialized {
    percent: f64,
    points: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    point: Point,
    times: u64,
    /// Reached although it is not among the possible points.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unforeseen: bool,
}

impl From<Coverage> for Serialized {
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

impl From<Serialized> for Coverage {
    fn from(Serialized { points, .. }: Serialized) -> Self {
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
