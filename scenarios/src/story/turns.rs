//! Decisions in words: which call went first although another had waited longer.

use std::collections::BTreeMap;

use harness::trace::{Record, RecordKind};
use sim::call::{Call, Operation, Port};
use sim::kernel::Reordering;

use super::fault::event_name;
use super::names::Names;
use crate::simulate::Run;

/// The decisions of a run that were not the polite one: number and sentence.
pub(super) fn sentences(run: &Run, names: &Names) -> Vec<(u32, String)> {
    let teller = Teller::new(names, &run.trace);
    run.turned.iter().map(|turned| (turned.number, teller.sentence(turned))).collect()
}

/// Says what the calls of one run are.
struct Teller<'a> {
    names: &'a Names,
    records: &'a [Record],
    services: BTreeMap<u32, &'static str>,
}

impl<'a> Teller<'a> {
    /// For the run with this record.
    fn new(names: &'a Names, records: &'a [Record]) -> Self {
        let instances = records.iter().filter_map(|record| record.who);
        let services = instances.map(|who| (who.instance, who.service)).collect();
        Self { names, records, services }
    }

    /// `orders reads orders for Cleo before it inserts into orders for Ben`.
    fn sentence(&self, turned: &Reordering) -> String {
        let waited = self.deed(&turned.waited, None);
        let Some(went) = &turned.went else {
            return format!("time passes before {} {waited}", self.service(&turned.waited));
        };
        let service = self.service(went);
        let other = self.service(&turned.waited);
        let other = if service == other { "it".to_owned() } else { other };
        format!("{service} {} before {other} {waited}", self.deed(went, Some(turned.mark)))
    }

    fn service(&self, call: &Call) -> String {
        let known = self.services.get(&call.instance);
        known.map_or_else(|| "the outsider".to_owned(), |service| (*service).to_owned())
    }

    /// What a call does and for whom; `mark` is how many records there were when it went on.
    fn deed(&self, call: &Call, mark: Option<usize>) -> String {
        let target = call.target.as_str();
        let event = || event(target);
        let deed = match (call.port, call.operation) {
            (Port::Store, operation) => {
                let collection = target.split('/').nth(1).unwrap_or(target);
                match operation {
                    Operation::Get | Operation::Find => format!("reads {collection}"),
                    Operation::Insert => format!("inserts into {collection}"),
                    Operation::Update => format!("writes to {collection}"),
                    _ => format!("opens {collection}"),
                }
            }
            (Port::Bus, Operation::Publish) => format!("publishes {}", event()),
            (Port::Bus, Operation::Next) => format!("hears {}", event()),
            (Port::Bus, Operation::Ack) => format!("acknowledges {}", event()),
            (Port::Bus, Operation::Nak) => format!("asks for {} again", event()),
            (Port::Bus, Operation::InProgress) => format!("asks for more time for {}", event()),
            (Port::Bus, Operation::Subscribe) => format!("opens its consumer of {}", event()),
            (Port::Bus, _) => "opens the bus".to_owned(),
            (Port::Http, Operation::Request) => {
                let person = mark.and_then(|mark| self.requester(call, mark));
                let whose = person.map_or("a".to_owned(), |person| format!("{person}'s"));
                return format!("begins {whose} request {}", route(target));
            }
            (Port::Http, _) => "asks the provider".to_owned(),
        };
        match self.names.behind(call.causal_chain, call.instance) {
            Some(person) => format!("{deed} for {person}"),
            None => deed,
        }
    }

    /// Whose request it was that an instance began to handle at this point: the first new
    /// origin there.
    fn requester(&self, call: &Call, mark: usize) -> Option<&str> {
        let here = |record: &&Record| record.who.is_some_and(|who| who.instance == call.instance);
        let origin = |record: &'a Record| record.origin.as_ref().map(|origin| &origin.correlation);
        let (before, after) = self.records.split_at(mark.min(self.records.len()));
        let is_new = |correlation: &&String| {
            !before.iter().filter(here).filter_map(origin).any(|known| known == *correlation)
        };
        let mut begun = after.iter().filter(here).filter(|record| is_work(&record.what));
        begun.find_map(origin).filter(is_new).and_then(|correlation| self.names.cause(correlation))
    }
}

fn is_work(what: &RecordKind) -> bool {
    matches!(
        what,
        RecordKind::Read { .. } | RecordKind::Write { .. } | RecordKind::ExternalService { .. }
    )
}

/// A request without the id in its path.
fn route(line: &str) -> String {
    let parts: Vec<&str> = line.split('/').take(3).collect();
    parts.join("/")
}

/// The event of a subject or a consumer, by name.
fn event(target: &str) -> String {
    if let Some(name) = event_name(target) {
        return name.to_owned();
    }
    // Consumers are called after their service and the event.
    let all = contracts::catalogue::all();
    let of = all.iter().find(|entry| target.ends_with(entry.name));
    of.map_or_else(|| target.to_owned(), |entry| entry.name.to_owned())
}
