//! Bans and ends of sessions, and the instances that have heard of them.

use std::collections::BTreeMap;

use contracts::user::ACCESS_CONSUMER;
use contracts::{UserBanned, UserSignedOut, UserUnbanned, UserUpdated};
use harness::trace::{InstanceId, RecordKind};
use platform::event::Event;
use ports::bus::Message;
use serde::de::DeserializeOwned;

use super::exchange::Exchange;
use crate::invariants::evidence::Evidence;
use crate::model::session::Token;

/// What an event says about a user.
enum Content {
    /// A ban or its end: the version, and whether it bans.
    Ban(i64, bool),
    /// The end of this session.
    Session(String),
    /// The end of all sessions of an earlier generation.
    Generation(i64),
}

/// An event about the access of a user.
struct Heard {
    user: String,
    content: Content,
    /// The first record at which an instance may have heard of it.
    from: usize,
    /// The instances that have heard of it for certain, each from this record on.
    by: Vec<(InstanceId, usize)>,
}

/// Whether a session has ended for an instance, during a request to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    No,
    Possibly,
    Certainly,
}

/// The events about the access of users in a run.
#[derive(Default)]
pub(super) struct Access(Vec<Heard>);

impl Access {
    pub(super) fn read(evidence: &Evidence<'_>) -> Self {
        let (mut events, mut by_id) = (Vec::<Heard>::new(), BTreeMap::<&str, usize>::new());
        let mut delivered: BTreeMap<&str, usize> = BTreeMap::new();
        let mut published: Vec<usize> = Vec::new();
        let mut reading: BTreeMap<InstanceId, usize> = BTreeMap::new();
        for (mark, record) in evidence.trace.iter().enumerate() {
            match &record.kind {
                RecordKind::Publish { message, outcome, .. } => {
                    let Some(event) = read(message) else { continue };
                    let at = *by_id.entry(&message.id).or_insert_with(|| {
                        // On real servers, a delivery may be recorded before its publish.
                        let from = delivered.get(&*message.id).copied().unwrap_or(mark);
                        events.push(Heard { from, ..event });
                        events.len() - 1
                    });
                    if outcome.is_ok() {
                        published.push(at);
                    }
                }
                RecordKind::Deliver { consumer, id, .. } if is_of_access(consumer) => {
                    delivered.entry(id).or_insert(mark);
                }
                RecordKind::Subscribe { consumer } if is_of_access(consumer) => {
                    reading.extend(record.instance.map(|instance| (instance, published.len())));
                }
                // An instance reads the events of its replay before it starts.
                RecordKind::Start if evidence.exact => {
                    let instance = record.instance;
                    let Some(instance) = instance else { continue };
                    let known = reading.remove(&instance).unwrap_or_default();
                    for &at in &published[..known] {
                        events[at].by.push((instance, mark));
                    }
                }
                RecordKind::Reply { operation: "ack", consumer, id, .. }
                    if is_of_access(consumer) =>
                {
                    if let (Some(&at), Some(instance)) = (by_id.get(&**id), record.instance) {
                        events[at].by.push((instance, mark));
                    }
                }
                _ => {}
            }
        }
        Self(events)
    }

    /// Whether a ban may make the session of this user count as none: the instance may have heard
    /// of it, and has not heard for certain that it is lifted.
    pub(super) fn may_be_banned(&self, exchange: &Exchange<'_>, user: &str) -> bool {
        let Some(instance) = exchange.to else { return false };
        let bans = || {
            self.0.iter().filter(|event| event.user == user).filter_map(|event| {
                let Content::Ban(version, is_ban) = event.content else { return None };
                Some((event, version, is_ban))
            })
        };
        let known = bans().filter(|(event, ..)| event.is_known(instance, exchange));
        let known = known.map(|(_, version, _)| version).max().unwrap_or(-1);
        let mut may = bans().filter(|(event, version, is_ban)| {
            *is_ban && *version >= known && event.from < exchange.returned.mark
        });
        may.next().is_some()
    }

    /// Whether the session of this token has ended for the instance that was asked.
    pub(super) fn ended(&self, exchange: &Exchange<'_>, token: &Token) -> Ended {
        let Some(instance) = exchange.to else { return Ended::No };
        let ends = self.0.iter().filter(|event| event.user == token.caller.id);
        let ends = ends.filter(|event| match &event.content {
            Content::Ban(..) => false,
            Content::Session(session) => *session == token.session,
            Content::Generation(generation) => token.generation < *generation,
        });
        let mut ended = Ended::No;
        for event in ends {
            if event.is_known(instance, exchange) {
                return Ended::Certainly;
            }
            if event.from < exchange.returned.mark {
                ended = Ended::Possibly;
            }
        }
        ended
    }
}

impl Heard {
    /// Whether the instance had heard of it before it got the request.
    fn is_known(&self, instance: InstanceId, exchange: &Exchange<'_>) -> bool {
        self.by.iter().any(|(who, mark)| *who == instance && *mark < exchange.invoked.mark)
    }
}

fn read(message: &Message) -> Option<Heard> {
    fn payload<T: DeserializeOwned>(message: &Message) -> Option<T> {
        serde_json::from_slice(&message.payload).ok()
    }
    let (user, content) = match message.subject.as_str() {
        UserBanned::SUBJECT => {
            let UserBanned(ban) = payload(message)?;
            (ban.id, Content::Ban(ban.version, true))
        }
        UserUnbanned::SUBJECT => {
            let UserUnbanned(ban) = payload(message)?;
            (ban.id, Content::Ban(ban.version, false))
        }
        UserSignedOut::SUBJECT => {
            let UserSignedOut(end) = payload(message)?;
            (end.id, Content::Session(end.session))
        }
        UserUpdated::SUBJECT => {
            let UserUpdated(user) = payload(message)?;
            (user.id, Content::Generation(user.generation))
        }
        _ => return None,
    };
    Some(Heard { user, content, from: 0, by: Vec::new() })
}

/// Whether this is the consumer through which instances hear of the access of users.
fn is_of_access(consumer: &str) -> bool {
    consumer.split_once('-').is_some_and(|(_, name)| name == ACCESS_CONSUMER)
}
