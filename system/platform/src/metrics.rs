//! What each instance counts, and the text of it that Prometheus reads.
//!
//! Counting is a few atomic operations: no allocation, no contended lock, no clock but the
//! port. Everything that takes longer happens when somebody reads. There are no globals: an
//! instance owns its numbers, and they go when it goes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::activity::Activity;
use crate::listen::Outcome;

/// The media type of what [`render`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper bounds of the latency buckets, in seconds. The clock counts milliseconds.
const LATENCIES: [f64; 13] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// How many events a relay has published. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Published(Arc<AtomicU64>);

impl Published {
    /// Counts one.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The deliveries of one consumer, by outcome.
#[derive(Debug)]
pub(crate) struct Deliveries {
    consumer: String,
    acknowledged: AtomicU64,
    retried: AtomicU64,
    dead_lettered: AtomicU64,
    unanswered: AtomicU64,
}

impl Deliveries {
    /// Counts one.
    pub(crate) fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Acknowledged => &self.acknowledged,
            Outcome::Retried(_) => &self.retried,
            Outcome::DeadLettered(_) => &self.dead_lettered,
            Outcome::Unanswered { .. } => &self.unanswered,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// The answers to one method with one status on one route.
#[derive(Debug)]
struct Answers {
    method: Method,
    status: StatusCode,
    took: Histogram,
}

/// What one instance of a service counts.
#[derive(Debug)]
pub struct Metrics {
    service: &'static str,
    activity: Arc<Activity>,
    routes: RwLock<BTreeMap<String, Mutex<Vec<Answers>>>>,
    consumers: Vec<Arc<Deliveries>>,
    relays: Vec<Published>,
}

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new(service: &'static str, activity: &Arc<Activity>) -> Self {
        Self {
            service,
            activity: Arc::clone(activity),
            routes: RwLock::default(),
            consumers: Vec::new(),
            relays: Vec::new(),
        }
    }

    /// The counters of a new consumer.
    pub(crate) fn consumer(&mut self, name: &str) -> Arc<Deliveries> {
        let deliveries = Arc::new(Deliveries {
            consumer: name.to_owned(),
            acknowledged: AtomicU64::default(),
            retried: AtomicU64::default(),
            dead_lettered: AtomicU64::default(),
            unanswered: AtomicU64::default(),
        });
        self.consumers.push(Arc::clone(&deliveries));
        deliveries
    }

    /// Adds what a relay counts.
    pub(crate) fn relay(&mut self, published: Published) {
        self.relays.push(published);
    }

    /// Counts one answered request. `route` is the path's pattern, so that ids do not show.
    pub(crate) fn answered(
        &self,
        route: &str,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let routes = self.routes.read().expect("no panic holds this lock");
        if let Some(answers) = routes.get(route) {
            return count(answers, method, status, took);
        }
        drop(routes);
        let mut routes = self.routes.write().expect("no panic holds this lock");
        count(routes.entry(route.to_owned()).or_default(), method, status, took);
    }
}

fn count(answers: &Mutex<Vec<Answers>>, method: &Method, status: StatusCode, took: Duration) {
    let mut answers = answers.lock().expect("no panic holds this lock");
    let same = answers.iter().find(|a| a.status == status && a.method == *method);
    if let Some(same) = same {
        return same.took.observe(took.as_secs_f64());
    }
    let first = Histogram::new(LATENCIES);
    first.observe(took.as_secs_f64());
    answers.push(Answers { method: method.clone(), status, took: first });
}

/// The numbers of these instances as Prometheus's text.
pub fn render(instances: &[Arc<Metrics>]) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Instances(instances.to_vec())));
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes any text");
    text
}

#[derive(Debug)]
struct Instances(Vec<Arc<Metrics>>);

impl Instances {
    fn states(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let help = "Whether the service has started";
        let mut up = encoder.encode_descriptor("service_up", help, None, MetricType::Gauge)?;
        for metrics in &self.0 {
            up.encode_family(&[("service", metrics.service)])?.encode_gauge(&1_i64)?;
        }
        let help = "Background tasks whose last step failed";
        let mut failing =
            encoder.encode_descriptor("tasks_failing", help, None, MetricType::Gauge)?;
        for metrics in &self.0 {
            let tasks = metrics.activity.failing();
            failing.encode_family(&[("service", metrics.service)])?.encode_gauge(&tasks)?;
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let (name, help) = ("http_request_duration", "How long answers took");
        let unit = Some(&Unit::Seconds);
        let mut took = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for metrics in &self.0 {
            for (route, answers) in &*metrics.routes.read().expect("no panic holds this lock") {
                for answer in &*answers.lock().expect("no panic holds this lock") {
                    let labels = [
                        ("service", metrics.service),
                        ("route", route),
                        ("method", answer.method.as_str()),
                        ("status", answer.status.as_str()),
                    ];
                    answer.took.encode(took.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }

    fn messages(&self, encoder: &mut DescriptorEncoder) -> fmt::Result {
        let help = "Deliveries of messages by what became of them";
        let counter = MetricType::Counter;
        let mut deliveries = encoder.encode_descriptor("deliveries", help, None, counter)?;
        for metrics in &self.0 {
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
        let help = "Messages that a consumer gave up on";
        let mut dead = encoder.encode_descriptor("dead_letters", help, None, counter)?;
        for metrics in &self.0 {
            let counts = metrics.consumers.iter().map(|c| c.dead_lettered.load(Relaxed));
            let labels = [("service", metrics.service)];
            ConstCounter::new(counts.sum::<u64>()).encode(dead.encode_family(&labels)?)?;
        }
        let help = "Events that left an outbox";
        let mut published = encoder.encode_descriptor("events_published", help, None, counter)?;
        for metrics in &self.0 {
            let counts = metrics.relays.iter().map(Published::get);
            let labels = [("service", metrics.service)];
            ConstCounter::new(counts.sum::<u64>()).encode(published.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Collector for Instances {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        self.states(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.messages(&mut encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_holds_what_was_counted_of_each_service_under_one_heading() {
        let mut tickets = Metrics::new("tickets", &Arc::default());
        let heard = tickets.consumer("tickets-OrderCreated");
        heard.count(&Outcome::Acknowledged);
        heard.count(&Outcome::DeadLettered("why".to_owned()));
        let published = Published::default();
        tickets.relay(published.clone());
        published.count();
        for _ in 0..2 {
            let took = Duration::from_millis(3);
            tickets.answered("/api/tickets/{id}", &Method::GET, StatusCode::OK, took);
        }
        let text = render(&[Arc::new(tickets), Arc::new(Metrics::new("auth", &Arc::default()))]);
        for line in [
            r#"service_up{service="auth"} 1"#,
            r#"tasks_failing{service="tickets"} 0"#,
            r#"http_request_duration_seconds_count{service="tickets",route="/api/tickets/{id}",method="GET",status="200"} 2"#,
            r#"deliveries_total{service="tickets",consumer="tickets-OrderCreated",outcome="acknowledged"} 1"#,
            r#"dead_letters_total{service="tickets"} 1"#,
            r#"events_published_total{service="tickets"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert_eq!(text.matches("# TYPE deliveries counter").count(), 1, "{text}");
    }
}
