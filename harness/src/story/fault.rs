//! Faults as sentences. A story describes a fault by its sentence, and a step of a scenario reads
//! the same sentence.
//!
//! A sentence names the call by its ordinal, counted from where the fault was planned, and
//! events by their declared names. [`Sentences::of`] and [`Sentences::rule`] are inverse.

use std::time::Duration;

use cucumber::codegen::Regex;
use platform::catalogue::Entry;

use crate::duration;
use crate::faults::{Effect, FaultRule, Operation, Port};

/// Why a sentence is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAFault {
    /// It has no known form.
    #[error("no fault sentence matches: {0}")]
    Unknown(String),
    /// It names an event that is not declared.
    #[error("the subject declares no event {0}")]
    UnknownEvent(String),
}

/// The words for one effect at one operation, with its variable parts in braces.
#[derive(Debug)]
struct Form {
    operation: Operation,
    effect: Effect,
    words: String,
    pattern: Regex,
}

const ZERO: Duration = Duration::ZERO;

const OPERATIONS: [Operation; 8] = [
    Operation::Open,
    Operation::Read,
    Operation::Write,
    Operation::Publish,
    Operation::Deliver,
    Operation::Ack,
    Operation::Nak,
    Operation::Send,
];

const EFFECTS: [Effect; 14] = [
    Effect::Fail,
    Effect::FailAfter,
    Effect::Vanish,
    Effect::Delay(ZERO),
    Effect::LoseAck,
    Effect::Redeliver,
    Effect::CrashBefore,
    Effect::CrashAfter,
    Effect::Partition(ZERO),
    Effect::Outage(ZERO),
    Effect::Jump(ZERO),
    Effect::LoseTail(0),
    Effect::NewerFormat,
    Effect::OlderFormat,
];

/// A call, as a noun.
fn call(operation: Operation) -> &'static str {
    match operation {
        Operation::Open => "the {nth} opening of {target} by {service}",
        Operation::Read => "the {nth} read of {target} by {service}",
        Operation::Write => "the {nth} write of {service} to {target}",
        Operation::Publish => "the {nth} publish of {target}{by}",
        Operation::Deliver => "the {nth} {target} to {service}",
        Operation::Ack => "the acknowledgement of the {nth} {target} at {service}",
        Operation::Nak => "the {nth} nak of {target} by {service}",
        Operation::Send => "the {nth} request of {service} to {target}",
    }
}

/// A call, as an action of the service.
fn action(operation: Operation) -> &'static str {
    match operation {
        Operation::Open => "its {nth} opening of {target}",
        Operation::Read => "its {nth} read of {target}",
        Operation::Write => "its {nth} write to {target}",
        Operation::Publish => "publishing the {nth} {target}",
        Operation::Deliver => "receiving the {nth} {target}",
        Operation::Ack => "acknowledging the {nth} {target}",
        Operation::Nak => "its {nth} nak of {target}",
        Operation::Send => "its {nth} request to {target}",
    }
}

fn words(operation: Operation, effect: Effect) -> String {
    use Operation as O;
    let (call, action) = (call(operation), action(operation));
    match (effect, operation) {
        (Effect::Fail, O::Deliver) => {
            "the connection of {service} breaks when the {nth} {target} arrives".to_owned()
        }
        (Effect::Fail, _) => format!("{call} fails"),
        (Effect::FailAfter, O::Send) => format!("the response to {call} is lost"),
        (Effect::FailAfter, _) => format!("{call} succeeds but reports failure"),
        (Effect::Vanish, _) => format!("{call} is lost on the way"),
        (Effect::Delay(_), O::Deliver | O::Ack) => format!("{call} arrives {{time}} late"),
        (Effect::Delay(_), _) => format!("{call} takes {{time}} longer"),
        (Effect::LoseAck, O::Ack) => format!("{call} is lost"),
        (Effect::LoseAck, _) => format!("{call} loses its acknowledgement"),
        (Effect::Redeliver, O::Ack) => "the {nth} {target} to {service} is delivered twice".into(),
        (Effect::Redeliver, _) => format!("{call} happens once more"),
        (Effect::CrashBefore, _) => format!("{{service}} crashes right before {action}"),
        (Effect::CrashAfter, _) => format!("{{service}} crashes right after {action}"),
        (Effect::Partition(_), _) => {
            let cut = match operation.port() {
                Port::Store => "the database of {service} is unreachable",
                Port::Bus => "the connection of {service} to the bus is cut",
                Port::Http => "{service} cannot reach {external}",
            };
            format!("{cut} for {{time}} from {action} on")
        }
        (Effect::Outage(_), _) => {
            let cut = match operation.port() {
                Port::Store => "all databases are unreachable",
                Port::Bus => "the bus is unreachable",
                Port::Http => "{external} is unreachable",
            };
            format!("{cut} for {{time}} from {call} on")
        }
        (Effect::Jump(_), _) => format!("the clock jumps {{time}} ahead at {call}"),
        (Effect::NewerFormat, _) => format!("{call} has the format of a newer release"),
        (Effect::OlderFormat, _) => format!("{call} has the format of an older release"),
        (Effect::LoseTail(_), _) => format!("the broker restarts without its {{tail}} at {call}"),
    }
}

/// The parts, as patterns with their names.
const PARTS: [(&str, &str); 6] = [
    ("{nth}", r"(?P<nth>next|\d+(?:st|nd|rd|th))"),
    ("{service}", r"(?P<service>\w+|any service)"),
    ("{by}", r"(?: by (?P<service>\w+|any service))?"),
    ("{tail}", r"(?:newest message|(?P<tail>\d+) newest messages)"),
    ("{target}", r"(?P<target>[\w.-]+)"),
    ("{times}", r"(?:, (?P<times>\d+) times in a row)?"),
];

fn pattern(operation: Operation, words: &str) -> Regex {
    let time = format!("(?P<time>{})", duration::PATTERN);
    let mut pattern = format!("^{words}{{times}}$").replace("{time}", &time);
    for (part, stands_for) in PARTS {
        let path = part == "{target}" && operation == Operation::Send;
        let stands_for = if path { r"(?P<target>/\S*|anything)" } else { stands_for };
        pattern = pattern.replace(part, stands_for);
    }
    Regex::new(&pattern).expect("the forms are well formed")
}

/// The sentences about the faults of one subject.
#[derive(Debug)]
pub struct Sentences {
    forms: Vec<Form>,
    /// Name, subject and publisher of every declared event.
    events: Vec<(&'static str, &'static str, &'static str)>,
}

impl Sentences {
    /// The sentences about faults at these events and this external service.
    pub fn new(declared: &[Entry], external: &str) -> Self {
        let all = OPERATIONS.into_iter().flat_map(|o| EFFECTS.into_iter().map(move |e| (o, e)));
        let form = |(operation, effect)| {
            let words = words(operation, effect).replace("{external}", external);
            Form { operation, effect, pattern: pattern(operation, &words), words }
        };
        let event = |entry: &Entry| (entry.name, entry.subject, entry.from);
        Self { forms: all.map(form).collect(), events: declared.iter().map(event).collect() }
    }

    /// In how many ways a sentence can be read.
    pub fn ways_to_read(&self, sentence: &str) -> usize {
        self.patterns().filter(|pattern| pattern.is_match(sentence)).count()
    }

    /// The patterns of all sentences.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Regex> {
        self.forms.iter().map(|form| &form.pattern)
    }

    /// The forms of all sentences, with their parts in braces.
    pub fn forms(&self) -> impl Iterator<Item = String> {
        self.forms.iter().map(|form| form.words.replace("{by}", "( by {service})"))
    }

    /// A fault as a sentence.
    pub fn of(&self, rule: &FaultRule) -> String {
        self.at_the(&ordinal(rule.skip + 1), rule)
    }

    /// A fault as a sentence that names its call by this word instead of the ordinal, such as
    /// `next`; an empty one names just the call.
    pub(crate) fn at_the(&self, nth: &str, rule: &FaultRule) -> String {
        let FaultRule { service, operation, target, times, effect, .. } = rule;
        let same = |form: &&Form| {
            form.operation == *operation
                && std::mem::discriminant(&form.effect) == std::mem::discriminant(effect)
        };
        let form = self.forms.iter().find(same).expect("every effect has words at every operation");
        let sender = target.as_deref().and_then(|target| self.publisher(target));
        let by =
            if service.as_deref() == sender && sender.is_some() { "" } else { " by {service}" };
        let service = service.as_deref().unwrap_or("any service");
        let target = match target.as_deref() {
            Some(target) if is_about_events(*operation) => {
                self.event_name(target).unwrap_or(target)
            }
            Some(target) => target,
            None => "anything",
        };
        let (time, tail) = match *effect {
            Effect::Delay(d) | Effect::Partition(d) | Effect::Outage(d) | Effect::Jump(d) => {
                (duration::words(d), String::new())
            }
            Effect::LoseTail(1) => (String::new(), "newest message".to_owned()),
            Effect::LoseTail(messages) => (String::new(), format!("{messages} newest messages")),
            _ => (String::new(), String::new()),
        };
        let nth = if nth.is_empty() { String::new() } else { format!("{nth} ") };
        let parts = [
            ("{by}", by),
            ("{nth} ", &nth),
            ("{service}", service),
            ("{target}", target),
            ("{time}", &time),
            ("{tail}", &tail),
        ];
        let fill = |words: String, (part, text): &(&str, &str)| words.replace(part, text);
        let sentence = parts.iter().fold(form.words.clone(), fill);
        match times {
            1 => sentence,
            times => format!("{sentence}, {times} times in a row"),
        }
    }

    /// The fault that a sentence describes.
    ///
    /// # Errors
    ///
    /// When it describes none, or names an event that is not declared.
    pub fn rule(&self, sentence: &str) -> Result<FaultRule, NotAFault> {
        let found =
            self.forms.iter().find_map(|form| Some((form, form.pattern.captures(sentence)?)));
        let (form, parts) = found.ok_or_else(|| NotAFault::Unknown(sentence.to_owned()))?;
        let part = |name| parts.name(name).map(|found| found.as_str());
        let unknown = || NotAFault::Unknown(sentence.to_owned());
        let target = match part("target").ok_or_else(unknown)? {
            "anything" => None,
            // The subject of an undeclared event is used literally.
            name if is_about_events(form.operation) && !name.contains('.') => {
                Some(self.subject(name).ok_or_else(|| NotAFault::UnknownEvent(name.to_owned()))?)
            }
            name => Some(name),
        };
        let service = match part("service") {
            Some("any service") => None,
            Some(service) => Some(service),
            None => target.and_then(|target| self.publisher(target)),
        };
        let time = || part("time").and_then(duration::read).ok_or_else(unknown);
        let count = |text: &str| text.parse::<u32>().map_err(|_| unknown());
        let nth = part("nth").ok_or_else(unknown)?.trim_end_matches(char::is_alphabetic);
        let nth = if nth.is_empty() { 1 } else { count(nth)? };
        Ok(FaultRule {
            service: service.map(str::to_owned),
            operation: form.operation,
            target: target.map(str::to_owned),
            skip: nth.checked_sub(1).ok_or_else(unknown)?,
            times: part("times").map_or(Ok(1), count)?,
            effect: match form.effect {
                Effect::Delay(_) => Effect::Delay(time()?),
                Effect::Partition(_) => Effect::Partition(time()?),
                Effect::Outage(_) => Effect::Outage(time()?),
                Effect::Jump(_) => Effect::Jump(time()?),
                Effect::LoseTail(_) => Effect::LoseTail(part("tail").map_or(Ok(1), count)?),
                other => other,
            },
        })
    }

    /// The subject of an event, by its name.
    pub fn subject(&self, name: &str) -> Option<&'static str> {
        self.events.iter().find(|event| event.0 == name).map(|event| event.1)
    }

    /// The name of an event, by its subject.
    pub fn event_name(&self, subject: &str) -> Option<&'static str> {
        self.events.iter().find(|event| event.1 == subject).map(|event| event.0)
    }

    /// The name of the event that a consumer receives: consumers are named after it.
    pub(crate) fn event_of_consumer(&self, consumer: &str) -> Option<&'static str> {
        self.events.iter().map(|event| event.0).find(|name| consumer.ends_with(name))
    }

    fn publisher(&self, subject: &str) -> Option<&'static str> {
        self.events.iter().find(|event| event.1 == subject).map(|event| event.2)
    }
}

fn is_about_events(operation: Operation) -> bool {
    use Operation as O;
    matches!(operation, O::Publish | O::Deliver | O::Ack | O::Nak)
}

/// 1st, 2nd, 3rd, 11th.
fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
