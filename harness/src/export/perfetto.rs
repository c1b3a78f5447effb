//! The spans of a run as Chrome trace events, which Perfetto and `chrome://tracing` show.
//!
//! A service is a process and an instance a thread. Spans of a thread must nest, so work that
//! overlaps other work of the instance is on further threads of it. Times begin with the run.

use std::collections::BTreeMap;

use ports::Timestamp;
use serde_json::{Map, Value, json};

use super::spans::{self, Span, SpanKind};
use crate::instance::InstanceId;
use crate::trace::Record;

/// The most threads of one instance.
const LANES: usize = 1_000;

/// The records of a run as a JSON object of trace events.
pub fn document(records: &[Record]) -> Value {
    let mut spans = spans::of(records);
    // Within a thread, the outer one of two spans comes first.
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.id));
    let mut threads = Threads::default();
    let begin = spans.first().map_or(Timestamp::UNIX_EPOCH, |span| span.start);
    let mut events = Vec::new();
    let mut places = BTreeMap::new();
    for span in &spans {
        let (process, thread) = threads.place(span, &mut events);
        places.insert(span.id, (process, thread, span));
        let at = |time: Timestamp| micros(begin, time);
        let attributes =
            span.attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut details: Map<String, Value> = attributes.collect();
        details.extend(span.error.iter().map(|why| ("error".to_owned(), json!(why))));
        events.push(json!({
            "ph": "X", "name": span.name, "cat": category(span.kind), "pid": process,
            "tid": thread, "ts": at(span.start), "dur": micros(span.start, span.end),
            "args": details,
        }));
        events.extend(span.events.iter().map(|event| {
            json!({
                "ph": "i", "s": "t", "name": event.name, "cat": "event", "pid": process,
                "tid": thread, "ts": at(event.at), "args": { "text": event.text },
            })
        }));
    }
    for span in spans.iter().filter(|span| span.kind == SpanKind::Consumer) {
        let publish = span.parent.and_then(|parent| places.get(&parent));
        let Some((from, from_thread, publish)) = publish else { continue };
        if publish.kind != SpanKind::Producer {
            continue;
        }
        let (to, to_thread, _) = places[&span.id];
        let flow = |phase: &str, process, thread, at: Timestamp| {
            json!({
                "ph": phase, "bp": "e", "id": span.id, "name": "message", "cat": "message",
                "pid": process, "tid": thread, "ts": micros(begin, at),
            })
        };
        events.push(flow("s", *from, *from_thread, publish.start));
        events.push(flow("f", to, to_thread, span.start));
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}

fn category(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "instance",
        SpanKind::Server => "request",
        SpanKind::Client => "call",
        SpanKind::Producer => "publish",
        SpanKind::Consumer => "delivery",
    }
}

/// The microseconds between two times, exact to the nanosecond.
fn micros(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_nanosecond() - from.as_nanosecond()) as f64 / 1_000.0
}

/// The processes and threads in use.
#[derive(Default)]
struct Threads {
    processes: Vec<&'static str>,
    /// The ends of the open spans on each thread of each instance, the outer ones first.
    lanes: BTreeMap<Option<InstanceId>, Vec<Vec<Timestamp>>>,
}

impl Threads {
    /// The process and the thread of the next span. New ones are named by events.
    fn place(&mut self, span: &Span, events: &mut Vec<Value>) -> (usize, usize) {
        let service = span.service();
        let known = self.processes.iter().position(|known| *known == service);
        let process = known.unwrap_or_else(|| {
            self.processes.push(service);
            let process = self.processes.len() - 1;
            events.push(named("process_name", process + 1, 0, service));
            process
        }) + 1;
        let lanes = self.lanes.entry(span.instance).or_default();
        let fits = |open: &mut Vec<Timestamp>| {
            while open.last().is_some_and(|end| *end <= span.start && *end < span.end) {
                open.pop();
            }
            open.last().is_none_or(|end| *end >= span.end)
        };
        let lane = lanes.iter_mut().position(fits).unwrap_or(lanes.len());
        let first = span.instance.map_or(0, |instance| instance.instance as usize) * LANES;
        if lane == lanes.len() {
            lanes.push(Vec::new());
            events.push(named("thread_name", process, first + lane + 1, &span.worker()));
        }
        lanes[lane].push(span.end);
        (process, first + lane + 1)
    }
}

fn named(what: &str, process: usize, thread: usize, name: &str) -> Value {
    json!({
        "ph": "M", "name": what, "pid": process, "tid": thread, "ts": 0, "args": { "name": name },
    })
}
