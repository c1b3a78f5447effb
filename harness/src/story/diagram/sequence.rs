//! A sequence diagram without a notation: participants from left to right, lines from top to
//! bottom.
//!
//! It knows participants and text, and no records. `mermaid` and `svg` render it.

use std::collections::BTreeSet;

use crate::trace::InstanceId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Participant {
    Client(String),
    Instance(InstanceId),
    Bus,
    /// The external services.
    External,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrow {
    Message,
    Reply,
    /// A message that does not arrive.
    LostMessage,
    /// A reply that does not arrive.
    LostReply,
}

impl Arrow {
    pub(super) fn is_reply(self) -> bool {
        matches!(self, Self::Reply | Self::LostReply)
    }

    pub(super) fn is_lost(self) -> bool {
        matches!(self, Self::LostMessage | Self::LostReply)
    }
}

/// A line; participants are indices.
#[derive(Debug, Clone)]
pub(super) enum Line {
    Arrow {
        from: usize,
        arrow: Arrow,
        to: usize,
        text: String,
    },
    /// A note over one participant, with the correlation that it belongs to.
    Note {
        over: usize,
        correlation: Option<String>,
        lines: Vec<String>,
    },
    /// A note over all participants.
    Divider(String),
}

impl Line {
    fn participants_mut(&mut self) -> impl Iterator<Item = &mut usize> {
        let (one, other) = match self {
            Self::Arrow { from, to, .. } => (Some(from), Some(to)),
            Self::Note { over, .. } => (Some(over), None),
            Self::Divider(_) => (None, None),
        };
        one.into_iter().chain(other)
    }
}

/// Collects the lines of a diagram.
#[derive(Default)]
pub(super) struct Builder {
    participants: Vec<Participant>,
    lines: Vec<Line>,
}

impl Builder {
    fn index(&mut self, participant: &Participant) -> usize {
        let known = self.participants.iter().position(|known| known == participant);
        known.unwrap_or_else(|| {
            self.participants.push(participant.clone());
            self.participants.len() - 1
        })
    }

    pub(super) fn arrow(
        &mut self,
        from: &Participant,
        arrow: Arrow,
        to: &Participant,
        text: String,
    ) {
        let (from, to) = (self.index(from), self.index(to));
        self.lines.push(Line::Arrow { from, arrow, to, text });
    }

    /// Adds a note; consecutive notes of one correlation become one, under the first heading.
    pub(super) fn note(
        &mut self,
        over: &Participant,
        correlation: Option<String>,
        heading: Option<String>,
        text: Vec<String>,
    ) {
        let over = self.index(over);
        if let Some(Line::Note { over: last, correlation: of, lines }) = self.lines.last_mut()
            && *last == over
            && *of == correlation
        {
            lines.extend(text);
        } else {
            let lines = heading.into_iter().chain(text).collect();
            self.lines.push(Line::Note { over, correlation, lines });
        }
    }

    pub(super) fn divider(&mut self, text: String) {
        self.lines.push(Line::Divider(text));
    }

    /// The finished diagram. The middle of a diagram with more lines than `limit` is left out,
    /// and so is a participant that has no line.
    pub(super) fn finish(self, limit: usize) -> Sequence {
        let Self { participants, mut lines } = self;
        let omitted = lines.len().saturating_sub(limit.max(2));
        if omitted > 0 {
            let from = limit.max(2) / 2;
            let gap = Line::Divider(format!("… {omitted} lines omitted …"));
            lines.splice(from..from + omitted, [gap]);
        }
        let used: BTreeSet<usize> =
            lines.iter_mut().flat_map(Line::participants_mut).map(|at| *at).collect();
        let mut order: Vec<usize> = used.into_iter().collect();
        order.sort_by_key(|&at| column(&participants[at]));
        for at in lines.iter_mut().flat_map(Line::participants_mut) {
            *at = order.iter().position(|used| used == at).expect("every line was looked at");
        }
        let shown: Vec<&Participant> = order.iter().map(|&at| &participants[at]).collect();
        let lanes = shown.iter().map(|participant| lane(participant, &shown)).collect();
        Sequence { lanes, lines }
    }
}

/// Clients stand at the left, then instances as they started, the bus, and external services.
fn column(participant: &Participant) -> (u32, u32) {
    match participant {
        Participant::Client(_) => (0, 0),
        Participant::Instance(id) => (1, id.instance),
        Participant::Bus => (2, 0),
        Participant::External => (3, 0),
    }
}

fn lane(participant: &Participant, all: &[&Participant]) -> Lane {
    let name = match participant {
        Participant::Client(name) => name.clone(),
        Participant::Instance(id) if is_only_instance(*id, all) => id.service.to_owned(),
        Participant::Instance(id) => id.to_string(),
        Participant::Bus => "bus".to_owned(),
        Participant::External => "external".to_owned(),
    };
    Lane { is_client: matches!(participant, Participant::Client(_)), name }
}

fn is_only_instance(id: InstanceId, all: &[&Participant]) -> bool {
    let same = |p: &&&Participant| matches!(p, Participant::Instance(i) if i.service == id.service);
    all.iter().filter(same).count() == 1
}

/// A finished sequence diagram.
#[derive(Debug, Clone)]
pub struct Sequence {
    pub(super) lanes: Vec<Lane>,
    pub(super) lines: Vec<Line>,
}

/// The lane of one participant.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) is_client: bool,
    pub(super) name: String,
}
