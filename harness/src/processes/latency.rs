//! Latencies of the operations of a load, by route and kind of reply, and second by second.
//!
//! A latency begins when the operation was due, not when it was sent: a client that waits for a
//! slow reply would otherwise leave out the requests that it could not send meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The longest latency that is told apart, in microseconds.
const LONGEST: u64 = 120_000_000;

/// The decimal digits of a latency that are kept.
const DIGITS: u8 = 3;

/// The latencies so far.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    of_routes: BTreeMap<(String, &'static str), Histogram<u64>>,
    of_seconds: BTreeMap<u64, Histogram<u64>>,
}

/// The latencies of one route and kind of reply, in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Method and path, without ids.
    pub route: String,
    /// `2xx`, `4xx`, `503`, `5xx` or `none`.
    pub replies: String,
    /// The number of operations.
    pub count: u64,
    /// Half of them took at most this long.
    pub p50: u64,
    /// 95 of 100 took at most this long.
    pub p95: u64,
    /// 99 of 100 took at most this long.
    pub p99: u64,
    /// 999 of 1,000 took at most this long.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

/// One second of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Second {
    /// Seconds since the beginning.
    pub at: u64,
    /// The number of operations that were due in it.
    pub count: u64,
    /// Half of them took at most this long, in microseconds.
    pub p50: u64,
    /// 99 of 100 took at most this long, in microseconds.
    pub p99: u64,
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are those of a histogram")
}

impl Latencies {
    /// Adds an operation that was due this long after the beginning.
    pub(super) fn add(
        &mut self,
        route: String,
        replies: &'static str,
        due: Duration,
        latency: Duration,
    ) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.of_routes.entry((route, replies)).or_insert_with(empty).saturating_record(micros);
        self.of_seconds.entry(due.as_secs()).or_insert_with(empty).saturating_record(micros);
    }

    /// A row for each route and kind of reply.
    pub fn rows(&self) -> Vec<Row> {
        let row = |((route, replies), all): (&(String, &'static str), &Histogram<u64>)| Row {
            route: route.clone(),
            replies: (*replies).to_owned(),
            count: all.len(),
            p50: all.value_at_quantile(0.5),
            p95: all.value_at_quantile(0.95),
            p99: all.value_at_quantile(0.99),
            p999: all.value_at_quantile(0.999),
            max: all.max(),
        };
        self.of_routes.iter().map(row).collect()
    }

    /// Every second in which an operation was due.
    pub fn seconds(&self) -> Vec<Second> {
        let second = |(&at, all): (&u64, &Histogram<u64>)| Second {
            at,
            count: all.len(),
            p50: all.value_at_quantile(0.5),
            p99: all.value_at_quantile(0.99),
        };
        self.of_seconds.iter().map(second).collect()
    }

    /// The latency of each of these quantiles, in microseconds, for every route and kind of reply.
    pub fn quantiles(&self, quantiles: &[f64]) -> Vec<(String, Vec<(f64, u64)>)> {
        let of = |((route, replies), all): (&(String, &'static str), &Histogram<u64>)| {
            let points = quantiles.iter().map(|&at| (at, all.value_at_quantile(at))).collect();
            (format!("{route} {replies}"), points)
        };
        self.of_routes.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_counts_for_its_route_its_reply_and_the_second_in_which_it_was_due() {
        let mut latencies = Latencies::default();
        for n in 1..=100 {
            let due = Duration::from_millis(n * 30);
            latencies.add("POST /loans".to_owned(), "2xx", due, Duration::from_millis(n));
        }
        latencies.add("POST /loans".to_owned(), "4xx", Duration::ZERO, Duration::from_secs(600));
        let rows = latencies.rows();
        assert_eq!(rows.len(), 2);
        let close = |is: u64, to: u64| is.abs_diff(to) * 1_000 <= to;
        assert!(close(rows[0].p50, 50_000) && close(rows[0].p99, 99_000), "{:?}", rows[0]);
        assert_eq!((rows[0].count, rows[1].count), (100, 1));
        assert!(close(rows[1].max, LONGEST), "a longer one counts as the longest: {:?}", rows[1]);
        let seconds: Vec<_> = latencies.seconds().iter().map(|one| (one.at, one.count)).collect();
        assert_eq!(seconds, [(0, 34), (1, 33), (2, 33), (3, 1)]);
    }
}
