//! The counters of an instance, and their rendering as Prometheus text.
//!
//! Counting is a few atomic operations: no allocation, no contended lock, no clock but the
//! port. Everything slower happens when the text is rendered. There are no globals: an instance
//! owns its counters, and they end with it.

mod streams;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use parking_lot::{Mutex, RwLock};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::activity::Activity;
use crate::outcome::DeliveryOutcome;
use ports::bus::StreamState;

/// The media type of the text that [`render`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the latency buckets, in seconds. The clock has a resolution of one
/// millisecond.
const LATENCIES: [f64; 13] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// A number that only grows: of abandoned work, for instance. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Counts one more.
    pub fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Returns the count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The figures of one relay. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct RelayMetrics(Arc<RelayFigures>);

#[derive(Debug, Default)]
struct RelayFigures {
    published: Counter,
    waiting: AtomicU64,
    oldest: AtomicI64,
}

impl RelayMetrics {
    /// Counts one published event.
    pub(crate) fn published(&self) {
        self.0.published.increment();
    }

    /// Records the outbox as a step found it: the number of documents with unpublished events,
    /// at most one batch, and the time of the oldest event in seconds since the epoch, zero
    /// for none.
    pub(crate) fn found(&self, waiting: usize, oldest: i64) {
        self.0.waiting.store(waiting as u64, Relaxed);
        self.0.oldest.store(oldest, Relaxed);
    }

    /// Returns the number of events published.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.published.get()
    }
}

/// Returns the name of a method for a label. A client can invent any number of methods, and
/// each label is a series for ever.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The deliveries of one consumer, by outcome.
#[derive(Debug)]
pub(crate) struct DeliveryCounters {
    consumer: String,
    acknowledged: AtomicU64,
    retried: AtomicU64,
    dead_lettered: AtomicU64,
    unanswered: AtomicU64,
    gaps: AtomicU64,
}

impl DeliveryCounters {
    /// Counts an opening that found a gap.
    pub(crate) fn found_gap(&self) {
        self.gaps.fetch_add(1, Relaxed);
    }

    /// Counts one delivery.
    pub(crate) fn count(&self, outcome: &DeliveryOutcome) {
        let counter = match outcome {
            DeliveryOutcome::Acknowledged => &self.acknowledged,
            DeliveryOutcome::Retried(_) => &self.retried,
            DeliveryOutcome::DeadLettered(_) => &self.dead_lettered,
            DeliveryOutcome::Unanswered { .. } => &self.unanswered,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// The latencies of the responses to one method with one status on one route.
#[derive(Debug)]
struct Responses {
    method: &'static str,
    status: StatusCode,
    latency: Histogram,
}

/// The counters of one instance of a service.
#[derive(Debug)]
pub struct Metrics {
    service: &'static str,
    activity: Arc<Activity>,
    routes: RwLock<BTreeMap<String, Mutex<Vec<Responses>>>>,
    consumers: Vec<Arc<DeliveryCounters>>,
    relays: Vec<(&'static str, RelayMetrics)>,
    abandoned: Vec<Counter>,
}

impl Metrics {
    pub(crate) fn new(service: &'static str, activity: &Arc<Activity>) -> Self {
        Self {
            service,
            activity: Arc::clone(activity),
            routes: RwLock::default(),
            consumers: Vec::new(),
            relays: Vec::new(),
            abandoned: Vec::new(),
        }
    }

    /// Adds a consumer and returns its counters.
    pub(crate) fn consumer(&mut self, name: &str) -> Arc<DeliveryCounters> {
        let deliveries = Arc::new(DeliveryCounters {
            consumer: name.to_owned(),
            acknowledged: AtomicU64::default(),
            retried: AtomicU64::default(),
            dead_lettered: AtomicU64::default(),
            unanswered: AtomicU64::default(),
            gaps: AtomicU64::default(),
        });
        self.consumers.push(Arc::clone(&deliveries));
        deliveries
    }

    /// Adds the figures of the relay of a collection.
    pub(crate) fn relay(&mut self, collection: &'static str, figures: RelayMetrics) {
        self.relays.push((collection, figures));
    }

    /// Adds the counter of the work that a task has abandoned.
    pub(crate) fn abandoned(&mut self, abandoned: Counter) {
        self.abandoned.push(abandoned);
    }

    /// Counts one response. `route` is the pattern of the path, so that ids create no series.
    pub(crate) fn responded(
        &self,
        route: &str,
        method: &Method,
        status: StatusCode,
        latency: Duration,
    ) {
        let method = method_label(method);
        let routes = self.routes.read();
        if let Some(responses) = routes.get(route) {
            return observe(responses, method, status, latency);
        }
        drop(routes);
        let mut routes = self.routes.write();
        observe(routes.entry(route.to_owned()).or_default(), method, status, latency);
    }
}

fn observe(
    all: &Mutex<Vec<Responses>>,
    method: &'static str,
    status: StatusCode,
    latency: Duration,
) {
    let mut all = all.lock();
    let same = all.iter().find(|known| known.status == status && known.method == method);
    if let Some(same) = same {
        return same.latency.observe(latency.as_secs_f64());
    }
    let first = Histogram::new(LATENCIES);
    first.observe(latency.as_secs_f64());
    all.push(Responses { method, status, latency: first });
}

/// Renders the counters of these instances, the number of open connections of their process, and
/// the streams as they are, by name, as Prometheus text.
#[must_use]
pub fn render(
    instances: &[Arc<Metrics>],
    connections: usize,
    streams: Vec<(&'static str, StreamState)>,
) -> String {
    let mut registry = Registry::default();
    let instances = instances.to_vec();
    registry.register_collector(Box::new(Process { instances, connections }));
    registry.register_collector(Box::new(streams::Streams(streams)));
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a string does not fail");
    text
}

#[derive(Debug)]
struct Process {
    instances: Vec<Arc<Metrics>>,
    connections: usize,
}

impl Process {
    fn states(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let (name, help) = ("http_connections", "Open connections of clients");
        let mut open = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        open.encode_gauge(&i64::try_from(self.connections).unwrap_or(i64::MAX))?;
        let help = "Whether the service has started";
        let mut up = encoder.encode_descriptor("service_up", help, None, MetricType::Gauge)?;
        for metrics in &self.instances {
            up.encode_family(&[("service", metrics.service)])?.encode_gauge(&1_i64)?;
        }
        let help = "Background tasks whose last step failed";
        let mut failing =
            encoder.encode_descriptor("tasks_failing", help, None, MetricType::Gauge)?;
        for metrics in &self.instances {
            let tasks = metrics.activity.failing();
            failing.encode_family(&[("service", metrics.service)])?.encode_gauge(&tasks)?;
        }
        Ok(())
    }

    fn outboxes(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let help = "Documents with unpublished events, up to one batch";
        let gauge = MetricType::Gauge;
        let mut depth = encoder.encode_descriptor("outbox_documents", help, None, gauge)?;
        self.each_relay(|labels, relay| {
            let waiting = i64::try_from(relay.0.waiting.load(Relaxed)).unwrap_or(i64::MAX);
            depth.encode_family(labels)?.encode_gauge(&waiting)
        })?;
        let help = "Time of the oldest unpublished event since the epoch, 0 for none";
        let unit = Some(&Unit::Seconds);
        let mut oldest = encoder.encode_descriptor("outbox_oldest", help, unit, gauge)?;
        self.each_relay(|labels, relay| {
            oldest.encode_family(labels)?.encode_gauge(&relay.0.oldest.load(Relaxed))
        })
    }

    fn each_relay(
        &self,
        mut encode: impl FnMut(&[(&str, &str); 2], &RelayMetrics) -> fmt::Result,
    ) -> fmt::Result {
        for metrics in &self.instances {
            for (collection, relay) in &metrics.relays {
                encode(&[("service", metrics.service), ("collection", *collection)], relay)?;
            }
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let (name, help) = ("http_request_duration", "Latency of responses");
        let unit = Some(&Unit::Seconds);
        let mut latency = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for metrics in &self.instances {
            for (route, responses) in &*metrics.routes.read() {
                for response in &*responses.lock() {
                    let labels = [
                        ("service", metrics.service),
                        ("route", route),
                        ("method", response.method),
                        ("status", response.status.as_str()),
                    ];
                    response.latency.encode(latency.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }

    fn messages(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let help = "Deliveries by outcome";
        let counter = MetricType::Counter;
        let mut deliveries = encoder.encode_descriptor("deliveries", help, None, counter)?;
        for metrics in &self.instances {
            for consumer in &metrics.consumers {
                let outcomes = [
                    ("acknowledged", &consumer.acknowledged),
                    ("retried", &consumer.retried),
                    ("dead-lettered", &consumer.dead_lettered),
                    ("unanswered", &consumer.unanswered),
                ];
                for (outcome, count) in outcomes {
                    let labels = [
                        ("service", metrics.service),
                        ("consumer", &consumer.consumer),
                        ("outcome", outcome),
                    ];
                    let count = ConstCounter::new(count.load(Relaxed));
                    count.encode(deliveries.encode_family(&labels)?)?;
                }
            }
        }
        let help = "Messages moved to the dead-letter stream";
        let mut dead = encoder.encode_descriptor("dead_letters", help, None, counter)?;
        for metrics in &self.instances {
            let counts = metrics.consumers.iter().map(|c| c.dead_lettered.load(Relaxed));
            let labels = [("service", metrics.service)];
            ConstCounter::new(counts.sum::<u64>()).encode(dead.encode_family(&labels)?)?;
        }
        let help = "Openings of a consumer that found events gone which it had not passed";
        let mut gaps = encoder.encode_descriptor("event_gaps", help, None, counter)?;
        for metrics in &self.instances {
            for consumer in &metrics.consumers {
                let labels = [("service", metrics.service), ("consumer", &consumer.consumer)];
                let count = ConstCounter::new(consumer.gaps.load(Relaxed));
                count.encode(gaps.encode_family(&labels)?)?;
            }
        }
        let help = "Events published from an outbox";
        let mut published = encoder.encode_descriptor("events_published", help, None, counter)?;
        for metrics in &self.instances {
            let counts = metrics.relays.iter().map(|(_, relay)| relay.count());
            let labels = [("service", metrics.service)];
            ConstCounter::new(counts.sum::<u64>()).encode(published.encode_family(&labels)?)?;
        }
        let help = "Work that can never succeed, which an operator must finish";
        let mut abandoned = encoder.encode_descriptor("work_abandoned", help, None, counter)?;
        for metrics in self.instances.iter().filter(|metrics| !metrics.abandoned.is_empty()) {
            let counts = metrics.abandoned.iter().map(Counter::get);
            let labels = [("service", metrics.service)];
            ConstCounter::new(counts.sum::<u64>()).encode(abandoned.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        self.states(&mut encoder)?;
        self.outboxes(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.messages(&mut encoder)
    }
}

#[cfg(test)]
mod tests;
