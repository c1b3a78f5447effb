//! A request and its answer, with the calls that the request itself made.

use std::collections::BTreeMap;
use std::fmt;

use bson::Document;
use harness::evidence::original;
use harness::trace::{InstanceId, Record, RecordKind};
use http::HeaderMap;
use ports::Timestamp;
use ports::store::WriteError;
use serde_json::Value;

use crate::invariants::evidence::Evidence;

/// A point of a run: the time, and the number of records before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    pub(super) mark: usize,
}

/// A write that a request itself made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write<'a> {
    /// The index of its record.
    pub(super) mark: usize,
    /// The document after it.
    pub(super) document: &'a Document,
}

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// The instance that it was routed to.
    pub(super) to: Option<InstanceId>,
    pub(super) invoked: Moment,
    /// The end of the run for a request without an answer.
    pub(super) returned: Moment,
    /// `None` where there is no answer.
    pub(super) status: Option<u16>,
    pub(super) answer_headers: &'a HeaderMap,
    pub(super) answer: &'a [u8],
    /// The answer as JSON; null where it is none.
    pub(super) shown: Value,
    /// The writes that it made, in order.
    pub(super) writes: Vec<Write<'a>>,
    /// Whether a call that it made failed, or was disturbed by a fault.
    pub(super) failed: bool,
    /// Whether the external service did not answer a call of it with an outcome.
    pub(super) unanswered_outside: bool,
}

impl Exchange<'_> {
    /// The answer as text.
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.answer)
    }
}

impl fmt::Display for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.query.is_empty() { "" } else { "?" };
        write!(f, "{} {}{query}{}", self.method, self.path, self.query)
    }
}

/// The exchanges of a run, in the order of the requests.
pub(super) fn read<'a>(evidence: &'a Evidence<'_>) -> Vec<Exchange<'a>> {
    let (mut exchanges, mut known) = (Vec::new(), Known::default());
    let end = Moment { at: evidence.now, mark: evidence.trace.len() };
    for (mark, record) in evidence.trace.iter().enumerate() {
        let moment = Moment { at: record.at, mark };
        match &record.kind {
            RecordKind::Request { number, line, to, headers, body, .. } => {
                known.insert(*number, headers, exchanges.len());
                let (method, uri) = line.split_once(' ').unwrap_or((line, ""));
                let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
                exchanges.push(Exchange {
                    method,
                    path,
                    query,
                    headers,
                    body,
                    to: *to,
                    invoked: moment,
                    returned: end,
                    status: None,
                    answer_headers: headers,
                    answer: &[],
                    shown: Value::Null,
                    writes: Vec::new(),
                    failed: false,
                    unanswered_outside: false,
                });
            }
            RecordKind::Answer { number, status, headers, body } => {
                if let Some(exchange) = known.numbers.get(number).map(|&at| &mut exchanges[at]) {
                    (exchange.returned, exchange.status) = (moment, *status);
                    (exchange.answer_headers, exchange.answer) = (headers, body);
                    exchange.shown = serde_json::from_slice(body).unwrap_or_default();
                }
            }
            _ => {
                if let Some(exchange) = known.of(record).map(|at| &mut exchanges[at]) {
                    note(exchange, mark, &record.kind);
                }
            }
        }
    }
    exchanges
}

/// Notes a call that a request made.
fn note<'a>(exchange: &mut Exchange<'a>, mark: usize, kind: &'a RecordKind) {
    match kind {
        RecordKind::Write { outcome: Ok(Some(document)), .. } => {
            exchange.writes.push(Write { mark, document });
        }
        RecordKind::Write {
            outcome: Err(WriteError::Unavailable(_) | WriteError::Unknown(_)),
            ..
        }
        | RecordKind::Read { outcome: Err(_), .. } => exchange.failed = true,
        RecordKind::Fault { effect, .. } => exchange.failed |= effect.is_disturbance(),
        RecordKind::External { outcome, .. } => {
            let is_outcome = matches!(outcome, Ok(200..=299 | 402));
            exchange.unanswered_outside |= !is_outcome;
        }
        _ => {}
    }
}

/// The exchanges by number and by `traceparent`.
#[derive(Default)]
struct Known<'a> {
    numbers: BTreeMap<u64, usize>,
    traces: BTreeMap<&'a str, usize>,
}

impl<'a> Known<'a> {
    fn insert(&mut self, number: u64, headers: &'a HeaderMap, at: usize) {
        self.numbers.insert(number, at);
        let header = headers.get("traceparent").and_then(|header| header.to_str().ok());
        let trace = header.and_then(|header| header.split('-').nth(1));
        self.traces.extend(trace.map(|trace| (trace, at)));
    }

    /// The request that made this call itself; `None` for what follows from its events.
    fn of(&self, record: &Record) -> Option<usize> {
        let origin = record.origin.as_ref().filter(|_| record.instance.is_some())?;
        let cause = original(&origin.cause);
        let is_event = ports::entropy::is_id(cause.split('-').next().unwrap_or_default());
        self.traces.get(origin.correlation.as_str()).copied().filter(|_| !is_event)
    }
}
