//! Decisions as sentences: the call that ran although another had waited longer.

use std::collections::BTreeMap;

use sim::call::{Call, Operation, Port};
use sim::kernel::Choice;

use super::fault::Sentences;
use crate::run::Run;
use crate::subject::{AnySubject, Names};
use crate::trace::{Record, RecordKind, route};

/// The decisions of a watched run that deviate from FIFO: number and sentence.
pub(crate) fn sentences(subject: &AnySubject, run: &Run, names: &Names) -> Vec<(u32, String)> {
    let wording = Wording::new(subject, run, names);
    run.reorderings().map(|choice| (choice.number, wording.sentence(choice))).collect()
}

/// The delays of a watched run, a sentence each with its place in the record: the decisions while
/// one call waits, and others run, are one delay.
pub(crate) fn delays(run: &Run, sentences: &[(u32, String)]) -> Vec<(usize, String)> {
    let both: Vec<_> = run.reorderings().zip(sentences).collect();
    let delays = both.chunk_by(|(one, _), (next, _)| one.waited().number == next.waited().number);
    let lines = delays.filter_map(|delay| {
        let ((last, (_, sentence)), before) = delay.split_last()?;
        let sentence = match before.iter().filter(|(other, _)| other.went().is_some()).count() {
            0 => sentence.clone(),
            1 => format!("another call runs, and then {sentence}"),
            calls => format!("{calls} other calls run, and then {sentence}"),
        };
        Some((last.mark, sentence))
    });
    lines.collect()
}

/// The words for the calls of one run.
pub(crate) struct Wording<'a> {
    names: &'a Names,
    sentences: &'a Sentences,
    external: &'static str,
    records: &'a [Record],
    services: BTreeMap<u32, &'static str>,
}

impl<'a> Wording<'a> {
    pub(crate) fn new(subject: &'a AnySubject, run: &'a Run, names: &'a Names) -> Self {
        let instances = run.trace.iter().filter_map(|record| record.instance);
        Self {
            names,
            sentences: subject.sentences(),
            external: subject.external().0,
            records: &run.trace,
            services: instances.map(|instance| (instance.instance, instance.service)).collect(),
        }
    }

    /// `loans reads loans for Cleo`: a call that was pending at this mark.
    pub(crate) fn call(&self, call: &Call, mark: usize) -> String {
        format!("{} {}", self.service(call), self.action(call, Some(mark)))
    }

    /// `loans reads loans for Cleo before it inserts into loans for Ben`.
    fn sentence(&self, choice: &Choice) -> String {
        let waited = self.action(choice.waited(), None);
        let Some(went) = choice.went() else {
            return format!("time passes before {} {waited}", self.service(choice.waited()));
        };
        let action = self.action(went, Some(choice.mark));
        let is_instance = went.instance == choice.waited().instance;
        let (service, other) = (self.service(went), self.service(choice.waited()));
        swapped((&service, &action), (&other, &waited), is_instance)
    }

    fn service(&self, call: &Call) -> String {
        let known = self.services.get(&call.instance);
        known.map_or_else(|| "an external client".to_owned(), |service| (*service).to_owned())
    }

    /// A call and the client behind it; `mark` is how many records there were when it ran.
    fn action(&self, call: &Call, mark: Option<usize>) -> String {
        let target = call.target.as_str();
        let event = || self.event(target);
        let action = match (call.port, call.operation) {
            (Port::Store, operation) => {
                let collection = target.split('/').nth(1).unwrap_or(target);
                match operation {
                    Operation::Get | Operation::Find => format!("reads {collection}"),
                    Operation::Insert => format!("inserts into {collection}"),
                    Operation::Update | Operation::UpdateMany => format!("writes to {collection}"),
                    Operation::Ping => "checks its store".to_owned(),
                    _ => format!("opens {collection}"),
                }
            }
            (Port::Bus, Operation::Publish) => format!("publishes {}", event()),
            (Port::Bus, Operation::Next) => format!("receives {}", event()),
            (Port::Bus, Operation::Ack) => format!("acknowledges {}", event()),
            (Port::Bus, Operation::Nak) => format!("rejects {} for redelivery", event()),
            (Port::Bus, Operation::InProgress) => format!("asks for more time for {}", event()),
            (Port::Bus, Operation::Subscribe) => format!("opens its consumer of {}", event()),
            (Port::Bus, Operation::Remove) => "removes a message".to_owned(),
            (Port::Bus, Operation::Pending) => "reads the progress of the consumers".to_owned(),
            (Port::Bus, Operation::Ping) => "checks the bus".to_owned(),
            (Port::Bus, _) => "opens the bus".to_owned(),
            (Port::Http, Operation::Request) => {
                let client = mark.and_then(|mark| self.requester(call, mark));
                let whose = client.map_or("a".to_owned(), |client| format!("{client}'s"));
                return format!("begins {whose} request {}", route(target));
            }
            (Port::Http, _) => format!("sends a request to {}", self.external),
        };
        match self.names.behind(call.causal_chain, call.instance) {
            Some(client) => format!("{action} for {client}"),
            None => action,
        }
    }

    /// The client whose request an instance began to handle at this point: the first new origin
    /// there.
    fn requester(&self, call: &Call, mark: usize) -> Option<&str> {
        let here = |record: &&Record| {
            record.instance.is_some_and(|instance| instance.instance == call.instance)
        };
        let origin = |record: &'a Record| record.origin.as_ref().map(|origin| &origin.correlation);
        let (before, after) = self.records.split_at(mark.min(self.records.len()));
        let is_new = |correlation: &&String| {
            !before.iter().filter(here).filter_map(origin).any(|known| known == *correlation)
        };
        let mut begun = after.iter().filter(here).filter(|record| is_work(&record.kind));
        begun.find_map(origin).filter(is_new).and_then(|correlation| self.names.cause(correlation))
    }

    /// The name of the event of a subject or a consumer.
    fn event(&self, target: &str) -> String {
        let by_subject = self.sentences.event_name(target);
        let name = by_subject.or_else(|| self.sentences.event_of_consumer(target));
        name.unwrap_or(target).to_owned()
    }
}

/// Two calls in the order in which they ran, each as its service and its action.
fn swapped(went: (&str, &str), waited: (&str, &str), is_instance: bool) -> String {
    let (service, action) = went;
    if went == waited && is_instance {
        format!("{service} {action} twice, the later call first")
    } else if went == waited {
        format!("{service} {action} before another instance of it does")
    } else {
        let other = if service == waited.0 { "it" } else { waited.0 };
        format!("{service} {action} before {other} {}", waited.1)
    }
}

fn is_work(kind: &RecordKind) -> bool {
    matches!(kind, RecordKind::Read { .. } | RecordKind::Write { .. } | RecordKind::External { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_same_words_are_told_apart() {
        let write = ("loans", "writes to loans for Ben");
        let told = swapped(write, ("loans", "reads loans for Ben"), true);
        assert_eq!(told, "loans writes to loans for Ben before it reads loans for Ben");
        let told = swapped(write, ("members", "reads members"), false);
        assert_eq!(told, "loans writes to loans for Ben before members reads members");
        let told = swapped(write, write, true);
        assert_eq!(told, "loans writes to loans for Ben twice, the later call first");
        let told = swapped(write, write, false);
        assert_eq!(told, "loans writes to loans for Ben before another instance of it does");
    }
}
