//! A banned user's request is refused by every service instance once the ban has reached it.

use std::collections::BTreeMap;

use contracts::user::BAN_CONSUMER;
use contracts::{UserBanned, UserUnbanned};
use harness::trace::{InstanceId, RecordKind};
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
    let mut reading: BTreeMap<InstanceId, BTreeMap<&str, Word>> = BTreeMap::new();
    let mut known: BTreeMap<InstanceId, BTreeMap<&str, Word>> = BTreeMap::new();
    let mut to_refuse: BTreeMap<u64, (InstanceId, &str)> = BTreeMap::new();
    let mut broken = Vec::new();
    for record in evidence.trace.iter() {
        match &record.kind {
            RecordKind::Publish { message, .. } => {
                if let Some((user, word)) = words.get(message.id.as_str()) {
                    learn(&mut published, user, *word);
                }
            }
            // An instance reads back what was said before it listens, and then starts.
            RecordKind::Subscribe { consumer } if is_of_bans(consumer) => {
                reading.extend(record.instance.map(|who| (who, published.clone())));
            }
            RecordKind::Start => {
                if let Some(who) = record.instance
                    && let Some(words) = reading.remove(&who)
                {
                    let known = known.entry(who).or_default();
                    words.into_iter().for_each(|(user, word)| learn(known, user, word));
                }
            }
            RecordKind::Reply { operation: "ack", consumer, id, .. } if is_of_bans(consumer) => {
                if let (Some(who), Some((user, word))) = (record.instance, words.get(id.as_str())) {
                    learn(known.entry(who).or_default(), user, *word);
                }
            }
            // The end of a ban may count from here on, for requests under way too.
            RecordKind::Deliver { id, .. } => {
                if let (Some(who), Some((user, word @ (_, false)))) =
                    (record.instance, words.get(id.as_str()))
                {
                    learn(known.entry(who).or_default(), user, *word);
                    to_refuse.retain(|_, asked| *asked != (who, user.as_str()));
                }
            }
            RecordKind::Request { number, line, by: Some(user), to: Some(to), .. }
                if !is_open(line) =>
            {
                let word = known.get(to).and_then(|known| known.get(user.as_str()));
                if word.is_some_and(|(_, banned)| *banned) {
                    to_refuse.insert(*number, (*to, user));
                }
            }
            RecordKind::Answer { number, status: Some(200..=299), .. } => {
                if let Some((who, _)) = to_refuse.get(number) {
                    broken.push(format!("{who} carried out request {number} of a banned user"));
                }
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
fn words<'e>(evidence: &'e Evidence<'_>) -> BTreeMap<&'e str, (String, Word)> {
    let mut words = BTreeMap::new();
    for record in evidence.trace.iter() {
        let RecordKind::Publish { message, outcome: Ok(_), .. } = &record.kind else { continue };
        let word = match message.subject.as_str() {
            UserBanned::SUBJECT => serde_json::from_slice::<UserBanned>(&message.payload)
                .map(|event| (event.0.id, (event.0.version, true))),
            UserUnbanned::SUBJECT => serde_json::from_slice::<UserUnbanned>(&message.payload)
                .map(|event| (event.0.id, (event.0.version, false))),
            _ => continue,
        };
        words.extend(word.ok().map(|word| (message.id.as_str(), word)));
    }
    words
}

/// Whether instances receive bans by this consumer.
fn is_of_bans(consumer: &str) -> bool {
    consumer.split_once('-').is_some_and(|(_, name)| name == BAN_CONSUMER)
}

fn is_open(line: &str) -> bool {
    let rest = OPEN.iter().find_map(|open| line.strip_prefix(open));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}
