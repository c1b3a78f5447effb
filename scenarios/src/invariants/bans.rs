//! Every instance that has received a ban rejects the banned user.

use std::collections::BTreeMap;

use contracts::user::ACCESS_CONSUMER;
use contracts::{UserBanned, UserUnbanned};
use harness::trace::{InstanceId, RecordKind};
use platform::event::Event;

use super::Evidence;

/// The requests that need no session.
const OPEN: [&str; 6] = [
    "GET /api/tickets",
    "GET /api/users/currentuser",
    "POST /api/users/signup",
    "POST /api/users/signin",
    "POST /api/users/signout",
    "GET /healthz",
];

/// The newest ban state of a user: its version, and whether the user is banned.
type BanState = (i64, bool);

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let states = states(evidence);
    let mut published: BTreeMap<&str, BanState> = BTreeMap::new();
    let mut reading: BTreeMap<InstanceId, BTreeMap<&str, BanState>> = BTreeMap::new();
    let mut known: BTreeMap<InstanceId, BTreeMap<&str, BanState>> = BTreeMap::new();
    let mut to_refuse: BTreeMap<u64, (InstanceId, &str)> = BTreeMap::new();
    let mut broken = Vec::new();
    for record in evidence.trace.iter() {
        match &record.kind {
            RecordKind::Publish { message, .. } => {
                if let Some((user, state)) = states.get(message.id.as_str()) {
                    learn(&mut published, user, *state);
                }
            }
            // An instance reads existing bans after it subscribes and before it starts.
            RecordKind::Subscribe { consumer } if is_of_bans(consumer) => {
                reading.extend(record.instance.map(|who| (who, published.clone())));
            }
            RecordKind::Start => {
                if let Some(who) = record.instance
                    && let Some(states) = reading.remove(&who)
                {
                    let known = known.entry(who).or_default();
                    states.into_iter().for_each(|(user, state)| learn(known, user, state));
                }
            }
            RecordKind::Reply { operation: "ack", consumer, id, .. } if is_of_bans(consumer) => {
                if let (Some(who), Some((user, state))) = (record.instance, states.get(id.as_str()))
                {
                    learn(known.entry(who).or_default(), user, *state);
                }
            }
            // The lifted ban may take effect from here on, also for pending requests.
            RecordKind::Deliver { id, .. } => {
                if let (Some(who), Some((user, state @ (_, false)))) =
                    (record.instance, states.get(id.as_str()))
                {
                    learn(known.entry(who).or_default(), user, *state);
                    to_refuse.retain(|_, asked| *asked != (who, user.as_str()));
                }
            }
            RecordKind::Request { number, line, by: Some(user), to: Some(to), .. }
                if !is_open(line) =>
            {
                let state = known.get(to).and_then(|known| known.get(user.as_str()));
                if state.is_some_and(|(_, banned)| *banned) {
                    to_refuse.insert(*number, (*to, user));
                }
            }
            RecordKind::Answer { number, status: Some(200..=299), .. } => {
                if let Some((who, _)) = to_refuse.get(number) {
                    broken.push(format!("{who} accepted request {number} of a banned user"));
                }
            }
            _ => {}
        }
    }
    broken
}

fn learn<'a>(known: &mut BTreeMap<&'a str, BanState>, user: &'a str, state: BanState) {
    let newest = known.entry(user).or_insert(state);
    *newest = (*newest).max(state);
}

/// Bans and lifted bans, by message id.
fn states<'e>(evidence: &'e Evidence<'_>) -> BTreeMap<&'e str, (String, BanState)> {
    let mut states = BTreeMap::new();
    for record in evidence.trace.iter() {
        let RecordKind::Publish { message, outcome: Ok(_), .. } = &record.kind else { continue };
        let state = match message.subject.as_str() {
            UserBanned::SUBJECT => serde_json::from_slice::<UserBanned>(&message.payload)
                .map(|event| (event.0.id, (event.0.version, true))),
            UserUnbanned::SUBJECT => serde_json::from_slice::<UserUnbanned>(&message.payload)
                .map(|event| (event.0.id, (event.0.version, false))),
            _ => continue,
        };
        states.extend(state.ok().map(|state| (message.id.as_str(), state)));
    }
    states
}

/// Whether this is the consumer through which instances receive bans.
fn is_of_bans(consumer: &str) -> bool {
    consumer.split_once('-').is_some_and(|(_, name)| name == ACCESS_CONSUMER)
}

fn is_open(line: &str) -> bool {
    let rest = OPEN.iter().find_map(|open| line.strip_prefix(open));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}
