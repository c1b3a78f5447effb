//! A trace as JSON lines: one record per line, fields in a fixed order, so that two runs can be
//! compared byte for byte.

use std::io::{self, Write};

use bson::Document;
use ports::bus::Stream;
use serde_json::{Value, json};

use crate::trace::{Record, RecordKind, UPDATE_MANY};

/// Writes the records, one per line. Bodies of requests and answers are left out.
///
/// # Errors
///
/// When `to` does.
pub fn write(records: &[Record], to: &mut impl Write) -> io::Result<()> {
    for (number, record) in records.iter().enumerate() {
        serde_json::to_writer(&mut *to, &line(number, record))?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// The records as text, as [`write()`] writes them.
pub fn text(records: &[Record]) -> String {
    let mut lines = Vec::new();
    write(records, &mut lines).expect("writing to memory cannot fail");
    String::from_utf8(lines).expect("JSON is UTF-8")
}

/// One record as JSON.
pub(crate) fn line(number: usize, record: &Record) -> Value {
    let mut line = json!({
        "n": number,
        "at": record.at.to_string(),
        "instance": record.instance.map(|instance| instance.to_string()),
        "correlation": record.origin.as_ref().map(|origin| &origin.correlation),
        "cause": record.origin.as_ref().map(|origin| &origin.cause),
    });
    let (port, operation, detail) = parts(&record.kind);
    let fields = line.as_object_mut().expect("the line is an object");
    fields.insert("port".to_owned(), port.into());
    fields.insert("operation".to_owned(), operation.into());
    if let Value::Object(detail) = detail {
        fields.extend(detail);
    }
    line
}

/// The port, the operation and the other fields of a record.
fn parts(kind: &RecordKind) -> (&'static str, &'static str, Value) {
    match kind {
        RecordKind::Request { number, line, by, to, .. } => {
            let to = to.map(|to| to.to_string());
            ("ingress", "request", json!({ "request": number, "line": line, "by": by, "to": to }))
        }
        RecordKind::Answer { number, status, .. } => {
            ("ingress", "answer", json!({ "request": number, "status": status }))
        }
        RecordKind::Write { operation, collection, input, outcome, .. } => {
            let outcome = match outcome {
                Ok(Some(document)) => json!({ "document": extended(document) }),
                Ok(None) if *operation == UPDATE_MANY => json!("done"),
                Ok(None) => json!("no match"),
                Err(error) => json!({ "error": error.to_string() }),
            };
            let input = extended(input);
            let detail = json!({ "collection": collection, "input": input, "outcome": outcome });
            ("store", operation, detail)
        }
        RecordKind::Read { operation, collection, input, outcome, .. } => {
            let outcome = match outcome {
                Ok(found) => json!({ "found": found }),
                Err(error) => json!({ "error": error }),
            };
            let input = extended(input);
            let detail = json!({ "collection": collection, "input": input, "outcome": outcome });
            ("store", operation, detail)
        }
        RecordKind::Publish { stream, message, outcome } => {
            let outcome = match outcome {
                Ok(published) => {
                    json!({ "sequence": published.sequence, "duplicate": published.duplicate })
                }
                Err(error) => json!({ "error": error.to_string() }),
            };
            let payload = String::from_utf8_lossy(&message.payload);
            let detail = json!({
                "stream": stream_name(*stream),
                "subject": message.subject,
                "id": message.id,
                "headers": message.headers,
                "payload": payload,
                "outcome": outcome,
            });
            ("bus", "publish", detail)
        }
        RecordKind::Remove { stream, sequence, removed } => (
            "bus",
            "remove",
            json!({ "stream": stream_name(*stream), "sequence": sequence, "removed": removed }),
        ),
        RecordKind::Subscribe { consumer } => ("bus", "subscribe", json!({ "consumer": consumer })),
        RecordKind::Deliver { consumer, id, subject, attempt } => (
            "bus",
            "deliver",
            json!({ "consumer": consumer, "subject": subject, "id": id, "attempt": attempt }),
        ),
        RecordKind::Reply { operation, consumer, id, heard } => {
            ("bus", operation, json!({ "consumer": consumer, "id": id, "heard": heard }))
        }
        RecordKind::External { line, outcome } => {
            let outcome = match outcome {
                Ok(status) => json!({ "status": status }),
                Err(error) => json!({ "error": error }),
            };
            ("http", "send", json!({ "line": line, "outcome": outcome }))
        }
        RecordKind::Fault { operation, target, effect } => (
            "fault",
            "inject",
            json!({ "operation": operation, "target": target, "effect": effect }),
        ),
        RecordKind::Start => ("instance", "start", Value::Null),
        RecordKind::Crash => ("instance", "crash", Value::Null),
        RecordKind::Panic { message } => ("instance", "panic", json!({ "message": message })),
        RecordKind::Expire { service, collection, document } => (
            "store",
            "expire",
            json!({ "service": service, "collection": collection, "document": document }),
        ),
        RecordKind::Forget { service } => ("scenario", "forget", json!({ "service": service })),
        RecordKind::Step { text } => ("scenario", "step", json!({ "text": text })),
    }
}

fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Events => "events",
        Stream::DeadLetters => "dead letters",
    }
}

/// A document as extended JSON.
pub(crate) fn extended(document: &Document) -> Value {
    serde_json::to_value(document).expect("every document is valid extended JSON")
}
