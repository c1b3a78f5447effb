//! The calls on ports that a purchase, a cancellation and an expiry cost: counted in simulation,
//! where no machine and no load changes them, and compared with `calls/baseline.txt`.
//!
//! One call more or less fails, and names the call. `REHEARSAL_RECORD=1` records the counts as they
//! are, so that the difference is read in a review.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use std::{env, fs};

use contracts::Cents;
use harness::script::{Round, Script, Then};
use harness::session::Session;
use harness::settings::{CLEAR_AFTER, Settings, Value};
use harness::subject::AnySubject;
use harness::trace::{Record, RecordKind, Trace};
use platform::run::Policy;
use scenarios::Ticketing;
use scenarios::operation::{Card, Operation};
use scenarios::system::HOLD_WINDOW;

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/calls/baseline.txt");

/// The most operations of the store that a purchase may cost.
const MOST: usize = 22;

const SELLER: &str = "Anna";
const BUYER: &str = "Ben";
const TICKET: &str = "Opera";

/// The hold window. No multiple of the sweep, so that no idle poll falls into the moment of the
/// expiry.
const WINDOW: u32 = 100;

/// The part of a run that is counted: its name, what happens before it, and what happens in it.
type Part = (&'static str, Vec<Round<Operation>>, Vec<Round<Operation>>);

/// All pending work is done and no time passes. Then the next round begins.
const AT_ONCE: Then = Then::Pass(0);

fn list(then: Then) -> Round<Operation> {
    Round::one(Operation::list(SELLER, TICKET, Cents(2000)), then)
}

fn reserve(then: Then) -> Round<Operation> {
    Round::one(Operation::reserve(BUYER, TICKET), then)
}

fn parts() -> Vec<Part> {
    let pay = Round::one(Operation::pay(BUYER, TICKET, Card::Good), Then::Quiesce);
    let cancel = Round::one(Operation::cancel(BUYER, TICKET), Then::Quiesce);
    let reserved = || vec![list(Then::Quiesce), reserve(Then::Quiesce)];
    let expired = [Round::pause(Then::Pass(1)), Round::pause(Then::Quiesce)];
    vec![
        ("a purchase", Vec::new(), vec![list(AT_ONCE), reserve(AT_ONCE), pay]),
        ("a cancellation", reserved(), vec![cancel]),
        (
            "an expiry",
            [reserved(), vec![Round::pause(Then::Meet(WINDOW - 1))]].concat(),
            expired.to_vec(),
        ),
        (
            "idle polling in five minutes, one sweep",
            vec![Round::pause(Then::Pass(5))],
            vec![Round::pause(Then::Pass(300))],
        ),
    ]
}

#[test]
fn a_purchase_costs_the_calls_of_the_baseline() {
    let counted = parts().into_iter().map(|part| (part.0, count(part)));
    let counted: Vec<(&str, BTreeMap<String, usize>)> = counted.collect();
    let text = render(&counted);
    if env::var_os("REHEARSAL_RECORD").is_some() {
        fs::write(BASELINE, &text).expect("the baseline is writable");
    }
    let baseline = fs::read_to_string(BASELINE).expect("there is a baseline");
    let differences = differences(&baseline, &text);
    assert!(
        differences.is_empty(),
        "the calls differ from scenarios/tests/calls/baseline.txt:\n{}\n\
         A call more is a call that every purchase pays for: remove it. If the new counts are \
         meant, record them with `REHEARSAL_RECORD=1 cargo test -p scenarios --test calls`, and \
         commit the file.",
        differences.join("\n")
    );
    let of_store = of_store(&counted[0].1);
    assert!(of_store <= MOST, "a purchase costs {of_store} operations of the store, not {MOST}");
}

#[test]
fn a_difference_names_the_call() {
    let old = "# a purchase: 3 of the store\n  orders: get tickets 1\n  orders: insert orders 2\n";
    let new = "# a purchase: 4 of the store\n  orders: get tickets 2\n  orders: find orders 2\n";
    assert_eq!(
        differences(old, new),
        [
            "a purchase: orders: find orders: 2 instead of 0",
            "a purchase: orders: get tickets: 2 instead of 1",
            "a purchase: orders: insert orders: 0 instead of 2",
        ]
    );
    assert_eq!(differences(old, old), [""; 0]);
}

/// `docs/retention.md` calculates with these figures.
#[test]
fn a_purchase_leaves_the_bytes_of_the_documentation() {
    let (mut messages, mut documents) = (BTreeMap::new(), BTreeMap::new());
    for record in &records(parts().remove(0)) {
        match &record.kind {
            RecordKind::Publish { message, .. } => {
                messages.insert(message.id.clone(), message.stored_size("ticketing.".len()));
            }
            RecordKind::Write { collection, outcome: Ok(Some(document)), .. } => {
                let mut document = document.clone();
                // The relay empties it.
                document.insert("outbox", bson::Array::new());
                let id = document.get_str("_id").expect("every document has one").to_owned();
                let size = document.to_vec().expect("it was stored").len();
                let service = record.instance.map(|instance| instance.service);
                documents.insert((service, collection.clone(), id), size);
            }
            _ => {}
        }
    }
    let bytes = (messages.values().sum::<u64>(), documents.values().sum::<usize>());
    let sentence = format!(
        "{} events of {} bytes and {} documents of {} bytes",
        messages.len(),
        bytes.0,
        documents.len(),
        bytes.1
    );
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/retention.md");
    let page = fs::read_to_string(page).expect("the page is readable");
    assert!(page.contains(&sentence), "docs/retention.md lacks: {sentence}");
}

/// The calls of one part of a run, by name.
fn count(part: Part) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for name in records(part).iter().filter_map(name) {
        *calls.entry(name).or_default() += 1;
    }
    calls
}

/// The records of one part of a run.
fn records((_, before, counted): Part) -> Vec<Record> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it has no I/O");
    runtime.block_on(async {
        let subject = AnySubject::new(Ticketing);
        let mut settings = Settings::default();
        settings.set(&HOLD_WINDOW, Value::Time(Duration::from_secs(WINDOW.into())));
        settings.set(&CLEAR_AFTER, Value::Time(Policy::default().clear_after));
        let trace = Trace::default();
        let session = Session::simulated(&subject, None, &settings, 1, trace);
        let mut session = session.expect("there is no bug to plant");
        let names = [SELLER, BUYER].map(str::to_owned);
        session.prepare(&names).await.expect("clients can sign up");
        let rounds = |rounds| Script::new(names.clone(), rounds).erased().rounds;
        session.play(&rounds(before)).await.expect("nothing is restarted");
        let mark = session.world_ref().trace().len();
        session.play(&rounds(counted)).await.expect("nothing is restarted");
        let records = session.world_ref().trace().records();
        let replies = records.iter().filter_map(|record| match &record.kind {
            RecordKind::Answer { status, .. } => *status,
            _ => None,
        });
        assert!(replies.into_iter().all(|status| status < 300), "a request was refused");
        let of_part = records[mark..].to_vec();
        drop(records);
        session.end().await;
        of_part
    })
}

/// The name of the call in this record: service, operation and target.
fn name(record: &Record) -> Option<String> {
    let call = match &record.kind {
        RecordKind::Write { operation, collection, .. }
        | RecordKind::Read { operation, collection, .. } => format!("{operation} {collection}"),
        RecordKind::Publish { message, .. } => format!("publish {}", message.subject),
        RecordKind::Reply { operation, consumer, .. } => format!("{operation} {consumer}"),
        RecordKind::External { line, .. } => line.clone(),
        _ => return None,
    };
    Some(format!("{}: {call}", record.instance?.service))
}

/// Whether this is a call on the store.
fn is_of_store(name: &str) -> bool {
    let operation = name.split(' ').nth(1).unwrap_or_default();
    ["insert", "get", "find", "update", "update_many"].contains(&operation)
}

fn of_store(calls: &BTreeMap<String, usize>) -> usize {
    calls.iter().filter(|(name, _)| is_of_store(name)).map(|(_, count)| count).sum()
}

fn render(counted: &[(&str, BTreeMap<String, usize>)]) -> String {
    let mut text = String::new();
    for (part, calls) in counted {
        let _ = writeln!(text, "# {part}: {} of the store", of_store(calls));
        let (store, others): (Vec<_>, Vec<_>) =
            calls.iter().partition(|(name, _)| is_of_store(name));
        for (name, count) in store.into_iter().chain(others) {
            let _ = writeln!(text, "  {name} {count}");
        }
    }
    text
}

/// The calls of a text, by the part and the name.
fn read(text: &str) -> BTreeMap<String, usize> {
    let mut part = "";
    let mut calls = BTreeMap::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            part = heading.split(':').next().unwrap_or_default();
        } else if let Some((name, count)) = line.trim().rsplit_once(' ') {
            let count = count.parse().expect("a line of the baseline ends in a count");
            calls.insert(format!("{part}: {name}"), count);
        }
    }
    calls
}

/// One line for each call whose count differs.
fn differences(baseline: &str, counted: &str) -> Vec<String> {
    let (old, new) = (read(baseline), read(counted));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let of = |calls: &BTreeMap<String, usize>, name: &str| calls.get(name).copied().unwrap_or(0);
    let differ = names.into_iter().filter(|name| of(&old, name) != of(&new, name));
    differ.map(|name| format!("{name}: {} instead of {}", of(&new, name), of(&old, name))).collect()
}
