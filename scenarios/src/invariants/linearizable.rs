//! The replies to buyers of a ticket and the writes of its orders are linearizable against the
//! model of a lock: one order holds it, other buyers are refused, and no buyer is refused while
//! the ticket is free.
//!
//! Writes of orders acquire and release a ticket. Each takes effect between its call and its
//! return, in simulation at its record. A reply was true at some point between request and reply.
//! A request without a reply constrains nothing; its effect is known from the store. A write with
//! an unknown outcome took effect at some later point, or never.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use bson::Document;
use harness::linearizability::{Call, Conflict, Model, check as order};
use harness::trace::RecordKind;
use ports::store::WriteError;
use serde::Deserialize;

use super::Evidence;
use super::evidence::{Records as _, id, text};

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let histories = History::read(evidence).by_ticket();
    let broken = histories.iter().filter_map(|(ticket, calls)| {
        let conflict = order(&Lock::default(), calls).err()?;
        Some(format!("ticket {ticket}: {}", story(calls, &conflict)))
    });
    broken.collect()
}

/// An operation on the lock of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation<'a> {
    /// An order acquires the ticket.
    Take(&'a str),
    /// An order is completed and keeps the ticket for good.
    Keep(&'a str),
    /// An order releases the ticket.
    Release(&'a str),
    /// The request of this number is refused because the ticket is reserved.
    Refused(u64),
    /// The buyer of this order gets the reply that it is cancelled.
    Gone(&'a str),
}

/// The holder of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder<'a> {
    Free,
    Held(&'a str),
    Kept(&'a str),
}

/// The model: a lock whose holders are order ids borrowed from the evidence.
#[derive(Default)]
struct Lock<'a>(PhantomData<&'a str>);

impl<'a> Model for Lock<'a> {
    type Operation = Operation<'a>;
    type State = Holder<'a>;

    fn begin(&self) -> Holder<'a> {
        Holder::Free
    }

    fn apply(&self, holder: &Holder<'a>, operation: &Operation<'a>) -> Option<Holder<'a>> {
        let after = match (*operation, *holder) {
            (Operation::Take(order), Holder::Free) => Holder::Held(order),
            (Operation::Keep(order), Holder::Held(by)) if by == order => Holder::Kept(order),
            (Operation::Release(order), Holder::Held(by)) if by == order => Holder::Free,
            (Operation::Refused(_), Holder::Held(_) | Holder::Kept(_)) => *holder,
            (Operation::Gone(_), Holder::Free) => *holder,
            (Operation::Gone(order), Holder::Held(by) | Holder::Kept(by)) if by != order => *holder,
            _ => return None,
        };
        Some(after)
    }

    fn only_looks(&self, operation: &Operation<'a>) -> bool {
        matches!(operation, Operation::Refused(_) | Operation::Gone(_))
    }
}

/// The interval in which an operation took effect, as indices into the trace. Without an end, it
/// took effect later or never.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: usize,
    to: Option<usize>,
}

/// The operations of one order.
#[derive(Debug, Default)]
struct Life<'a> {
    ticket: &'a str,
    taken: Option<Span>,
    kept: Option<Span>,
    released: Option<Span>,
    /// From the request to the reply that created the order.
    replied: Option<Span>,
}

/// The target of a request.
enum Asked<'a> {
    Ticket(&'a str),
    End(&'a str),
}

/// The operations on all tickets.
#[derive(Default)]
struct History<'a> {
    asked: BTreeMap<u64, (usize, Asked<'a>)>,
    orders: BTreeMap<&'a str, Life<'a>>,
    refused: Vec<(&'a str, Call<Operation<'a>>)>,
    gone: Vec<Call<Operation<'a>>>,
}

#[derive(Deserialize)]
struct Wish<'a> {
    #[serde(rename = "ticketId", borrow)]
    ticket: &'a str,
}

#[derive(Deserialize)]
struct Made<'a> {
    id: &'a str,
}

/// The error message of a refused reservation.
const RESERVED: &[u8] = b"Ticket is already reserved";

impl<'a> History<'a> {
    fn read(evidence: &'a Evidence<'_>) -> Self {
        let mut history = Self::default();
        for (now, record) in evidence.trace.iter().enumerate() {
            match &record.kind {
                RecordKind::Request { number, line, body, .. } => {
                    let asked = line.strip_prefix("DELETE /api/orders/").map(Asked::End);
                    let asked = asked.or_else(|| {
                        let wish = line.strip_prefix("POST /api/orders").map(|_| body)?;
                        Some(Asked::Ticket(serde_json::from_slice::<Wish<'_>>(wish).ok()?.ticket))
                    });
                    history.asked.extend(asked.map(|asked| (*number, (now, asked))));
                }
                RecordKind::Answer { number, status: Some(status), body, .. } => {
                    if let Some((from, asked)) = history.asked.remove(number) {
                        history.answered(*number, &asked, *status, body, from, now);
                    }
                }
                RecordKind::Write { collection, began, input, outcome, .. }
                    if record.instance.is_some_and(|who| who.service == orders::NAME)
                        && collection == "orders" =>
                {
                    let from = if evidence.exact { now } else { *began };
                    match outcome {
                        Ok(Some(order)) => history.wrote(order, Span { from, to: Some(now) }),
                        Err(WriteError::Unknown(_)) => history.may_have_written(input, *began),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        // A document without a recorded write was written at some point of the run.
        let end = Some(evidence.trace.len());
        evidence.orders().iter().for_each(|order| history.wrote(order, Span { from: 0, to: end }));
        history
    }

    fn answered(
        &mut self,
        number: u64,
        asked: &Asked<'a>,
        status: u16,
        body: &'a [u8],
        from: usize,
        to: usize,
    ) {
        let call = |operation| Call { operation, invoked: from, responded: Some(to) };
        match (asked, status) {
            (Asked::Ticket(ticket), 201) => {
                if let Ok(Made { id }) = serde_json::from_slice(body) {
                    let life = self.orders.entry(id).or_default();
                    life.replied = Some(Span { from, to: Some(to) });
                    if life.ticket.is_empty() {
                        life.ticket = ticket;
                    }
                }
            }
            (Asked::Ticket(ticket), 400) if body.windows(RESERVED.len()).any(|w| w == RESERVED) => {
                self.refused.push((ticket, call(Operation::Refused(number))));
            }
            (Asked::End(order), 204) => self.gone.push(call(Operation::Gone(order))),
            _ => {}
        }
    }

    fn wrote(&mut self, order: &'a Document, span: Span) {
        let life = self.orders.entry(id(order)).or_default();
        life.ticket = text(order, "ticketId");
        let is_holding = order.get_bool("holding").unwrap_or_default();
        match &mut life.taken {
            Some(Span { to: to @ None, .. }) => *to = span.to,
            Some(_) => {}
            // An order that never held the ticket does not release it.
            None if is_holding => life.taken = Some(span),
            None => return,
        }
        if !is_holding && life.released.is_none() {
            life.released = Some(span);
        }
        if is_holding && text(order, "status") == "complete" && life.kept.is_none() {
            life.kept = Some(span);
        }
    }

    fn may_have_written(&mut self, order: &'a Document, from: usize) {
        if order.get_bool("holding").unwrap_or_default() {
            let life = self.orders.entry(id(order)).or_default();
            life.ticket = text(order, "ticketId");
            life.taken.get_or_insert(Span { from, to: None });
        }
    }

    fn by_ticket(self) -> BTreeMap<&'a str, Vec<Call<Operation<'a>>>> {
        let mut tickets: BTreeMap<&str, Vec<Call<Operation<'_>>>> = BTreeMap::new();
        for (order, life) in &self.orders {
            let calls = tickets.entry(life.ticket).or_default();
            let mut add = |operation, span: Option<Span>| {
                let call = |Span { from, to }| Call { operation, invoked: from, responded: to };
                calls.extend(span.map(call));
            };
            add(Operation::Take(order), life.taken());
            add(Operation::Keep(order), life.kept);
            add(Operation::Release(order), life.released);
        }
        for call in self.gone {
            let Operation::Gone(order) = call.operation else { continue };
            if let Some(life) = self.orders.get(order) {
                tickets.entry(life.ticket).or_default().push(call);
            }
        }
        for (asked, call) in self.refused {
            // The id in a request may be in upper case.
            let known = tickets.keys().find(|ticket| ticket.eq_ignore_ascii_case(asked.trim()));
            let ticket = known.copied().unwrap_or(asked);
            tickets.entry(ticket).or_default().push(call);
        }
        tickets
    }
}

impl Life<'_> {
    /// The interval in which it acquired the ticket: that of its write, within that of the request.
    /// If the two do not overlap, that of the request counts.
    fn taken(&self) -> Option<Span> {
        let (Some(taken), Some(replied)) = (self.taken, self.replied) else {
            return self.replied.or(self.taken);
        };
        let to = taken.to.into_iter().chain(replied.to).min();
        let both = Span { from: taken.from.max(replied.from), to };
        Some(if to.is_some_and(|to| to < both.from) { replied } else { both })
    }
}

/// The conflict in a sentence.
fn story(calls: &[Call<Operation<'_>>], conflict: &Conflict<Holder<'_>>) -> String {
    let holder = match conflict.state {
        Holder::Free => "the ticket was free".to_owned(),
        Holder::Held(order) => format!("order {order} held the ticket"),
        Holder::Kept(order) => format!("order {order} was complete"),
    };
    let what = match calls[conflict.shown_by].operation {
        Operation::Take(order) => format!("order {order} acquired the ticket"),
        Operation::Keep(order) => format!("order {order} was completed"),
        Operation::Release(order) => format!("order {order} released the ticket"),
        Operation::Refused(request) => format!("request {request} was refused"),
        Operation::Gone(order) => format!("the cancellation of order {order} was confirmed"),
    };
    let stuck = conflict.stuck.iter().filter(|&&call| call != conflict.shown_by).count();
    let others = if stuck == 0 { "" } else { ", and other replies conflict as well" };
    format!("not linearizable: {what} although {holder}{others}")
}
