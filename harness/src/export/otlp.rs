//! The spans of a run as OTLP/JSON, which collectors of OpenTelemetry and their viewers read.
//!
//! Ids are hex, numbers of 64 bits are strings, as the JSON encoding of the protocol demands. Times
//! are those of the run: virtual ones in simulation.

use std::collections::BTreeMap;

use ports::Timestamp;
use serde_json::{Value, json};

use super::spans::{self, Span, SpanKind};
use crate::trace::Record;

/// The code of a failed span.
const ERROR: u8 = 2;

/// The records of a run as one `ExportTraceServiceRequest`.
pub fn document(records: &[Record]) -> Value {
    let mut instances: BTreeMap<_, Vec<Span>> = BTreeMap::new();
    for span in spans::of(records) {
        instances.entry(span.instance).or_default().push(span);
    }
    let resources = instances.into_values().map(|spans| {
        let (service, name) = (spans[0].service(), spans[0].worker());
        let spans: Vec<Value> = spans.iter().map(shown).collect();
        json!({
            "resource": {
                "attributes": [
                    attribute("service.name", &json!(service)),
                    attribute("service.instance.id", &json!(name)),
                ],
            },
            "scopeSpans": [{
                "scope": { "name": "rehearsal", "version": env!("CARGO_PKG_VERSION") },
                "spans": spans,
            }],
        })
    });
    json!({ "resourceSpans": resources.collect::<Vec<_>>() })
}

fn shown(span: &Span) -> Value {
    let events = span.events.iter().map(|event| {
        json!({
            "timeUnixNano": nanos(event.at),
            "name": event.name,
            "attributes": [attribute("rehearsal.text", &json!(event.text))],
        })
    });
    let attributes = span.attributes.iter().map(|(name, value)| attribute(name, value));
    let mut shown = json!({
        "traceId": span.trace,
        "spanId": hex(span.id),
        "name": span.name,
        "kind": kind(span.kind),
        "startTimeUnixNano": nanos(span.start),
        "endTimeUnixNano": nanos(span.end),
        "attributes": attributes.collect::<Vec<_>>(),
        "events": events.collect::<Vec<_>>(),
        "status": {},
    });
    if let Some(parent) = span.parent {
        shown["parentSpanId"] = hex(parent).into();
    }
    if let Some(why) = &span.error {
        shown["status"] = json!({ "code": ERROR, "message": why });
    }
    shown
}

fn hex(id: u64) -> String {
    format!("{id:016x}")
}

fn nanos(at: Timestamp) -> String {
    at.as_nanosecond().to_string()
}

fn kind(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn attribute(name: &str, value: &Value) -> Value {
    let value = match value.as_i64() {
        Some(number) => json!({ "intValue": number.to_string() }),
        None => json!({ "stringValue": value.as_str().unwrap_or_default() }),
    };
    json!({ "key": name, "value": value })
}
