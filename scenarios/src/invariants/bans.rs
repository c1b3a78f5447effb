//! A banned user's request is refused by every service instance once the ban has reached it.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{UserBanned, UserUnbanned};
use harness::trace::{What, Who};
use platform::event::Event;

use super::Evidence;

/// What anybody may ask without a session.
const OPEN: [&str; 6] = [
    "GET /api/tickets",
    "GET /api/users/currentuser",
    "POST /api/users/signup",
    "POST /api/users/signin",
    "POST /api/users/signout",
    "GET /healthz",
];

/// The newest word on a user: its version, and whether it is a ban.
type Word = (i64, bool);

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let words = words(evidence);
    let mut published: BTreeMap<&str, Word> = BTreeMap::new();
    let mut known: BTreeMap<Who, BTreeMap<&str, Word>> = BTreeMap::new();
    let mut refused_from: BTreeSet<u64> = BTreeSet::new();
    let mut broken = Vec::new();
    for record in evidence.trace.iter() {
        match &record.what {
            What::Publish { message, .. } => {
                if let Some((user, word)) = words.get(message.id.as_str()) {
                    learn(&mut published, user, *word);
                }
            }
            // An instance reads back what was said before it started.
            What::Start => {
                known.extend(record.who.map(|who| (who, published.clone())));
            }
            What::Reply { operation: "ack", consumer, id, .. }
                if consumer.ends_with("-UserBans") =>
            {
                if let (Some(who), Some((user, word))) = (record.who, words.get(id.as_str())) {
                    learn(known.entry(who).or_default(), user, *word);
                }
            }
            What::Request { number, line, by: Some(user), to: Some(to) } if !is_open(line) => {
                let word = known.get(to).and_then(|known| known.get(user.as_str()));
                if word.is_some_and(|(_, banned)| *banned) {
                    refused_from.insert(*number);
                }
            }
            What::Answer { number, status: Some(200..=299) } if refused_from.contains(number) => {
                broken.push(format!("request {number} of a banned user was carried out"));
            }
            _ => {}
        }
    }
    broken
}

fn learn<'a>(known: &mut BTreeMap<&'a str, Word>, user: &'a str, word: Word) {
    let newest = known.entry(user).or_insert(word);
    *newest = (*newest).max(word);
}

/// Bans and their ends, by the id of the message.
fn words(evidence: &Evidence) -> BTreeMap<&str, (String, Word)> {
    let mut words = BTreeMap::new();
    for record in evidence.trace.iter() {
        let What::Publish { message, outcome: Ok(_), .. } = &record.what else { continue };
        let word = match message.subject.as_str() {
            UserBanned::SUBJECT => serde_json::from_slice::<UserBanned>(&message.payload)
                .map(|event| (event.id, (event.version, true))),
            UserUnbanned::SUBJECT => serde_json::from_slice::<UserUnbanned>(&message.payload)
                .map(|event| (event.id, (event.version, false))),
            _ => continue,
        };
        words.extend(word.ok().map(|word| (message.id.as_str(), word)));
    }
    words
}

fn is_open(line: &str) -> bool {
    OPEN.iter().any(|open| {
        line == *open
            || line.starts_with(&format!("{open}/"))
            || line.starts_with(&format!("{open}?"))
    })
}
