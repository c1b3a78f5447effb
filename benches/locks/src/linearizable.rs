//! The replies to buyers are linearizable: the calls on a ticket can be put in one order in which
//! each holder had it alone, at the price that was listed.

use std::collections::BTreeMap;

use harness::linearizability::{Call, Model, check as order};
use harness::prelude::*;

use crate::LEASE;
use crate::clients::{Buyers, Operation};
use crate::desk::Hold;

/// A call on a ticket, with its reply. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    /// The hold of this number was given. The reply came at `replied`.
    Held { hold: usize, ends: Ends, replied: i64 },
    /// The claim of this number has no known outcome.
    MayHold { hold: usize, ends: Ends },
    /// A claim that was asked at this time was refused.
    Refused { asked: i64 },
    /// The hold of this number was released.
    Released { hold: usize },
}

/// The earliest and the latest end of a lease; `None` for a hold that lasts until its release.
type Ends = Option<(i64, i64)>;

/// The number of the hold that has the ticket, and the end of its lease.
type Holder = Option<(usize, Ends)>;

/// The model of one ticket.
struct Ticket;

impl Model for Ticket {
    type Operation = Event;
    type State = Holder;

    fn begin(&self) -> Holder {
        None
    }

    fn apply(&self, holder: &Holder, event: &Event) -> Option<Holder> {
        // The moment of a decision is not known, only the span of its call.
        let may_be_free_at = |latest: i64| match holder {
            None => true,
            Some((_, ends)) => ends.is_some_and(|(earliest, _)| earliest <= latest),
        };
        match event {
            Event::Held { hold, ends, replied } => {
                may_be_free_at(*replied).then_some(Some((*hold, *ends)))
            }
            Event::MayHold { hold, ends } => {
                may_be_free_at(i64::MAX).then_some(Some((*hold, *ends)))
            }
            Event::Refused { asked } => {
                let may_be_held =
                    |(_, ends): &(usize, Ends)| ends.is_none_or(|(_, latest)| latest > *asked);
                holder.as_ref().is_some_and(may_be_held).then_some(*holder)
            }
            Event::Released { hold } => match holder {
                Some((holding, _)) if holding == hold => Some(None),
                _ => Some(*holder),
            },
        }
    }
}

pub(crate) fn check<S>(evidence: &Evidence<'_, S>) -> Vec<String>
where
    S: Subject<Operation = Operation, Clients = Buyers>,
{
    let mut calls: BTreeMap<&str, Vec<Call<Event>>> = BTreeMap::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut prices: BTreeMap<&str, i64> = BTreeMap::new();
    let mut broken = Vec::new();
    for (number, call) in evidence.history().enumerate() {
        let ((asked, invoked), (replied, returned)) = (call.invoked(), call.returned());
        let (asked, replied) = (asked.as_millisecond(), replied.as_millisecond());
        let (ticket, event) = match call.operation {
            Operation::List { ticket, price, .. } => {
                prices.insert(ticket, *price);
                continue;
            }
            Operation::Hold { ticket, .. } => match call.status() {
                Some(201) => {
                    let given: Result<Hold, _> = serde_json::from_value(call.body().clone());
                    let Ok(hold) = given else {
                        broken.push(format!("the reply to a claim on {ticket} shows no hold"));
                        continue;
                    };
                    if prices.get(ticket.as_str()) != Some(&hold.price) {
                        broken.push(format!("{ticket} was held at {} cents", hold.price));
                    }
                    numbers.insert(hold.hold, number);
                    let ends = hold.until.map(|until| (until, until));
                    (ticket, Event::Held { hold: number, ends, replied })
                }
                Some(400) => (ticket, Event::Refused { asked }),
                _ => {
                    let lease = i64::try_from(LEASE.as_millis()).expect("a lease is short");
                    let ends = evidence.clients.is_lease.then_some((asked + lease, i64::MAX));
                    (ticket, Event::MayHold { hold: number, ends })
                }
            },
            Operation::Release { ticket, .. } => {
                let hold = call.context.as_ref().and_then(|hold| numbers.get(hold));
                match hold {
                    Some(hold) => (ticket, Event::Released { hold: *hold }),
                    None => continue,
                }
            }
        };
        let is_known = match event {
            Event::MayHold { .. } => false,
            Event::Released { .. } => call.status() == Some(204),
            Event::Held { .. } | Event::Refused { .. } => true,
        };
        let responded = is_known.then_some(returned);
        calls.entry(ticket).or_default().push(Call { operation: event, invoked, responded });
    }
    for (ticket, calls) in &calls {
        if let Err(conflict) = order(&Ticket, calls) {
            let said = match calls[conflict.shown_by].operation {
                Event::Held { .. } => "was held",
                Event::MayHold { .. } => "may have been held",
                Event::Refused { .. } => "was refused",
                Event::Released { .. } => "was released",
            };
            let holder = conflict.state.map_or("it was free", |_| "another buyer held it");
            broken.push(format!("{ticket} {said} although {holder}"));
        }
    }
    broken
}
