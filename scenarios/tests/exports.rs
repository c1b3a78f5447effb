//! Exports of the trace of a run with faults: what OpenTelemetry and Perfetto need to show it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness::export::{otlp, perfetto};
use harness::regressions::Regression;
use harness::run;
use harness::subject::AnySubject;
use harness::trace::{Record, RecordKind};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use scenarios::Ticketing;
use serde_json::Value;

/// The traces of the kept runs, each of which has faults.
fn traces() -> Vec<Vec<Record>> {
    let subject = AnySubject::new(Ticketing);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let all = Regression::all(&subject, &folder).expect("regressions can be read");
    let trace = |kept: &Regression| {
        let run = run::run_watched(&subject, &kept.with_bug()).expect("it can be run");
        run.trace.to_vec()
    };
    all.iter().take(6).map(|(_, kept)| trace(kept)).collect()
}

/// The spans as a reader of the protocol sees them.
fn spans(document: &Value) -> Vec<Span> {
    let read: TracesData = serde_json::from_value(document.clone()).expect("it is OTLP");
    let scopes = read.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

#[test]
fn every_span_has_a_well_formed_id_a_parent_that_exists_and_no_negative_time() {
    let (mut spans_with_events, mut failed, mut deliveries_of_publishes) = (0, 0, 0);
    for records in traces() {
        let document = otlp::document(&records);
        assert_eq!(document.to_string(), otlp::document(&records).to_string());
        let spans = spans(&document);
        let known: BTreeMap<_, _> = spans.iter().map(|span| (&span.span_id, span)).collect();
        assert_eq!(known.len(), spans.len(), "ids are unique");
        for span in &spans {
            assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{span:?}");
            assert!(span.trace_id.iter().any(|byte| *byte != 0), "{span:?}");
            assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
            for event in &span.events {
                let times = span.start_time_unix_nano..=span.end_time_unix_nano;
                assert!(times.contains(&event.time_unix_nano), "{span:?}");
            }
            spans_with_events += usize::from(!span.events.is_empty());
            failed += usize::from(span.status.as_ref().is_some_and(|status| status.code == 2));
            if span.parent_span_id.is_empty() {
                continue;
            }
            let parent = known[&span.parent_span_id];
            assert_eq!(parent.trace_id, span.trace_id, "{span:?}");
            assert!(parent.start_time_unix_nano <= span.start_time_unix_nano, "{span:?}");
            let is_message = (parent.kind, span.kind) == (4, 5);
            deliveries_of_publishes += usize::from(is_message);
        }
        let count = |is: fn(&RecordKind) -> bool| records.iter().filter(|r| is(&r.kind)).count();
        let of_kind = |kind| spans.iter().filter(|span| span.kind == kind).count();
        assert_eq!(of_kind(2), count(|kind| matches!(kind, RecordKind::Request { .. })));
        assert_eq!(of_kind(5), count(|kind| matches!(kind, RecordKind::Deliver { .. })));
        let events = spans.iter().flat_map(|span| &span.events);
        let faults = events.filter(|event| event.name == "fault").count();
        assert_eq!(faults, count(|kind| matches!(kind, RecordKind::Fault { .. })));
    }
    assert!(spans_with_events > 0 && failed > 0 && deliveries_of_publishes > 10);
}

#[test]
fn a_delivery_is_in_the_trace_of_the_request_that_caused_it() {
    let followed = traces().iter().any(|records| {
        let spans = spans(&otlp::document(records));
        let requests: BTreeSet<_> =
            spans.iter().filter(|span| span.kind == 2).map(|span| &span.trace_id).collect();
        spans.iter().any(|span| span.kind == 5 && requests.contains(&span.trace_id))
    });
    assert!(followed);
}

#[test]
fn trace_events_nest_on_their_threads_and_arrows_lead_from_publish_to_delivery() {
    let mut arrows = 0;
    for records in traces() {
        let document = perfetto::document(&records);
        assert_eq!(document.to_string(), perfetto::document(&records).to_string());
        let events = document["traceEvents"].as_array().expect("it is a list");
        let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
        let place = |event: &Value| (event["pid"].as_u64(), event["tid"].as_u64());
        let named: BTreeSet<_> =
            of("M").filter(|e| e["name"] == "thread_name").map(place).collect();
        let mut open: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for event in of("X") {
            assert!(named.contains(&place(event)), "{event}");
            let start = event["ts"].as_f64().expect("it is a number");
            let end = start + event["dur"].as_f64().expect("it is a number");
            assert!(start >= 0.0 && end >= start, "{event}");
            let open = open.entry(place(event)).or_default();
            while open.last().is_some_and(|outer| *outer <= start) {
                open.pop();
            }
            // Nanoseconds are the digits after the point.
            assert!(open.last().is_none_or(|outer| end <= *outer + 0.000_5), "{event}");
            open.push(end);
        }
        let starts: BTreeMap<_, _> =
            of("s").map(|e| (e["id"].as_u64(), e["ts"].as_f64())).collect();
        for arrow in of("f") {
            assert!(starts[&arrow["id"].as_u64()] <= arrow["ts"].as_f64(), "{arrow}");
            arrows += 1;
        }
    }
    assert!(arrows > 10);
}
