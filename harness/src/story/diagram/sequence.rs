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

/// The subject of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// The work of the system.
    Plain,
    /// An injected fault, or what follows from one directly.
    Fault,
    /// The end of an instance.
    Crash,
    /// The violation.
    Wrong,
}

/// A line; participants are indices.
#[derive(Debug, Clone)]
pub(super) enum Line {
    Arrow {
        from: usize,
        arrow: Arrow,
        to: usize,
        tone: Tone,
        text: String,
    },
    /// A note over one participant, with the correlation that it belongs to.
    Note {
        over: usize,
        correlation: Option<String>,
        tone: Tone,
        lines: Vec<String>,
    },
    /// A note over all participants.
    Divider {
        tone: Tone,
        text: String,
    },
    /// So many lines are left out.
    Gap(usize),
    /// A hold begins: a bar over one participant, as wide as a line of text.
    Hold {
        number: usize,
        over: usize,
        tone: Tone,
        text: String,
    },
    /// The hold of this number ends.
    Release {
        number: usize,
    },
}

impl Line {
    fn participants_mut(&mut self) -> impl Iterator<Item = &mut usize> {
        let (one, other) = match self {
            Self::Arrow { from, to, .. } => (Some(from), Some(to)),
            Self::Note { over, .. } | Self::Hold { over, .. } => (Some(over), None),
            Self::Divider { .. } | Self::Gap(_) | Self::Release { .. } => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// The number of the hold that begins or ends here.
    fn bar(&self) -> Option<usize> {
        match self {
            Self::Hold { number, .. } | Self::Release { number } => Some(*number),
            _ => None,
        }
    }
}

/// Collects the lines of a diagram.
#[derive(Default)]
pub(super) struct Builder {
    participants: Vec<Participant>,
    lines: Vec<Line>,
    /// The name of the external services.
    external: String,
    /// Whether lines are counted and not kept.
    pub(super) is_muted: bool,
    /// The number of lines since the last one that was kept.
    muted: usize,
    /// The number of holds so far, and those that are drawn.
    holds: usize,
    drawn: BTreeSet<usize>,
}

impl Builder {
    /// A builder that calls the external services by this name.
    pub(super) fn new(external: &str) -> Self {
        Self { external: external.to_owned(), ..Self::default() }
    }

    fn index(&mut self, participant: &Participant) -> usize {
        let known = self.participants.iter().position(|known| known == participant);
        known.unwrap_or_else(|| {
            self.participants.push(participant.clone());
            self.participants.len() - 1
        })
    }

    /// Whether the next line is kept; a gap stands for the ones before that were not.
    fn keeps(&mut self) -> bool {
        if self.is_muted {
            self.muted += 1;
            return false;
        }
        if self.muted > 0 {
            self.lines.push(Line::Gap(std::mem::take(&mut self.muted)));
        }
        true
    }

    pub(super) fn arrow(
        &mut self,
        from: &Participant,
        arrow: Arrow,
        to: &Participant,
        tone: Tone,
        text: String,
    ) {
        if self.keeps() {
            let (from, to) = (self.index(from), self.index(to));
            self.lines.push(Line::Arrow { from, arrow, to, tone, text });
        }
    }

    /// Adds a note; consecutive notes of one correlation become one, under the first heading.
    pub(super) fn note(
        &mut self,
        over: &Participant,
        correlation: Option<String>,
        tone: Tone,
        heading: Option<String>,
        text: Vec<String>,
    ) {
        if !self.keeps() {
            return;
        }
        let over = self.index(over);
        if let Some(Line::Note { over: last, correlation: of, tone: before, lines }) =
            self.lines.iter_mut().rev().find(|line| line.bar().is_none())
            && (*last, *before) == (over, tone)
            && *of == correlation
        {
            lines.extend(text);
        } else {
            let lines = heading.into_iter().chain(text).collect();
            self.lines.push(Line::Note { over, correlation, tone, lines });
        }
    }

    pub(super) fn divider(&mut self, tone: Tone, text: String) {
        if self.keeps() {
            self.lines.push(Line::Divider { tone, text });
        }
    }

    /// Begins a hold. Returns its number. It is drawn if the line of its begin or of its end is
    /// kept, or by [`Self::keep`].
    pub(super) fn hold(&mut self, over: &Participant, tone: Tone, text: String) -> usize {
        let (number, over) = (self.holds, self.index(over));
        self.holds += 1;
        self.lines.push(Line::Hold { number, over, tone, text });
        if !self.is_muted {
            self.keep(number);
        }
        number
    }

    /// Ends a hold.
    pub(super) fn release(&mut self, number: usize) {
        self.lines.push(Line::Release { number });
        if !self.is_muted {
            self.keep(number);
        }
    }

    /// Draws a hold, even if neither its begin nor its end has a line.
    pub(super) fn keep(&mut self, number: usize) {
        self.drawn.insert(number);
    }

    /// The finished diagram. The middle of a diagram with more lines than `limit` is left out,
    /// and so is a participant that has no line.
    pub(super) fn finish(self, limit: usize) -> Sequence {
        let Self { participants, mut lines, muted, external, drawn, .. } = self;
        lines.retain(|line| line.bar().is_none_or(|number| drawn.contains(&number)));
        lines.extend((muted > 0).then_some(Line::Gap(muted)));
        shorten(&mut lines, limit.max(2));
        let used: BTreeSet<usize> =
            lines.iter_mut().flat_map(Line::participants_mut).map(|at| *at).collect();
        let mut order: Vec<usize> = used.into_iter().collect();
        order.sort_by_key(|&at| column(&participants[at]));
        for at in lines.iter_mut().flat_map(Line::participants_mut) {
            *at = order.iter().position(|used| used == at).expect("every line was looked at");
        }
        let shown: Vec<&Participant> = order.iter().map(|&at| &participants[at]).collect();
        let lanes = shown.iter().map(|participant| lane(participant, &shown, &external)).collect();
        Sequence { lanes, lines }
    }
}

/// Leaves out the middle of more lines than this. Where a hold begins or ends is no line, and stays
/// unless it does both there.
fn shorten(lines: &mut Vec<Line>, limit: usize) {
    let count = lines.iter().filter(|line| line.bar().is_none()).count();
    let omitted = count.saturating_sub(limit);
    if omitted == 0 {
        return;
    }
    let mut at = 0;
    let (mut begun, mut over) = (BTreeSet::new(), BTreeSet::new());
    let mut short = Vec::new();
    for line in lines.drain(..) {
        let is_inside = (limit / 2 + 1..=limit / 2 + omitted).contains(&at);
        match &line {
            Line::Hold { number, .. } if is_inside => drop(begun.insert(*number)),
            Line::Release { number } if is_inside && begun.contains(number) => {
                over.insert(*number);
            }
            Line::Hold { .. } | Line::Release { .. } => {}
            _ => {
                at += 1;
                if at == limit / 2 + 1 {
                    short.push(Line::Gap(omitted));
                }
                if (limit / 2 + 1..=limit / 2 + omitted).contains(&at) {
                    continue;
                }
            }
        }
        short.push(line);
    }
    short.retain(|line| line.bar().is_none_or(|number| !over.contains(&number)));
    *lines = short;
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

fn lane(participant: &Participant, all: &[&Participant], external: &str) -> Lane {
    let name = match participant {
        Participant::Client(name) => name.clone(),
        Participant::Instance(id) if is_only_instance(*id, all) => id.service.to_owned(),
        Participant::Instance(id) => id.to_string(),
        Participant::Bus => "bus".to_owned(),
        Participant::External => external.to_owned(),
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
