//! Lines of a diagram as they are put down.
//!
//! It knows parties and text, and no records.

use crate::trace::InstanceId;

/// Somebody in a diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Party {
    Client(String),
    Instance(InstanceId),
    Bus,
    ExternalService,
}

#[derive(Debug, Clone)]
pub(super) enum Line {
    Arrow {
        from: usize,
        /// As in Mermaid: two dashes for an answer, an x for what does not arrive.
        arrow: &'static str,
        to: usize,
        text: String,
    },
    /// Over one party; what follows from the same origin is one note.
    Note { over: usize, origin: Option<String>, lines: Vec<String> },
    /// Over all.
    Chapter(String),
}

/// The lines of a diagram.
#[derive(Default)]
pub(super) struct Paper {
    parties: Vec<Party>,
    lines: Vec<Line>,
}

impl Paper {
    fn party(&mut self, party: &Party) -> usize {
        let known = self.parties.iter().position(|known| known == party);
        known.unwrap_or_else(|| {
            self.parties.push(party.clone());
            self.parties.len() - 1
        })
    }

    pub(super) fn arrow(&mut self, from: &Party, arrow: &'static str, to: &Party, text: &str) {
        let (from, to) = (self.party(from), self.party(to));
        self.lines.push(Line::Arrow { from, arrow, to, text: text.to_owned() });
    }

    pub(super) fn note(
        &mut self,
        over: &Party,
        origin: Option<String>,
        heading: Option<String>,
        text: Vec<String>,
    ) {
        let over = self.party(over);
        if let Some(Line::Note { over: last, origin: of, lines }) = self.lines.last_mut()
            && *last == over
            && *of == origin
        {
            lines.extend(text);
        } else {
            let lines = heading.into_iter().chain(text).collect();
            self.lines.push(Line::Note { over, origin, lines });
        }
    }

    pub(super) fn chapter(&mut self, text: String) {
        self.lines.push(Line::Chapter(text));
    }

    /// What was put down, in at most this many lines; the middle of a longer one is left out.
    pub(super) fn finish(self, limit: usize) -> Sequence {
        let Self { parties, mut lines } = self;
        let left_out = lines.len().saturating_sub(limit.max(2));
        if left_out > 0 {
            let from = limit.max(2) / 2;
            let gap = Line::Chapter(format!("… {left_out} lines are left out …"));
            lines.splice(from..from + left_out, [gap]);
        }
        // Clients stand at the left; the bus, and what is outside, at the right.
        let place = |at: &usize| match &parties[*at] {
            Party::Client(_) => (0, 0),
            Party::Instance(who) => (1, who.instance),
            Party::Bus => (2, 0),
            Party::ExternalService => (3, 0),
        };
        let mut shown: Vec<usize> = (0..parties.len()).collect();
        shown.sort_by_key(place);
        let mut column = vec![0; parties.len()];
        shown.iter().enumerate().for_each(|(to, &from)| column[from] = to);
        let lines = lines.into_iter().map(|line| match line {
            Line::Arrow { from, arrow, to, text } => {
                Line::Arrow { from: column[from], arrow, to: column[to], text }
            }
            Line::Note { over, origin, lines } => Line::Note { over: column[over], origin, lines },
            chapter @ Line::Chapter(_) => chapter,
        });
        let lines = lines.collect();
        let party = |at: usize| match &parties[at] {
            Party::Client(name) => (true, name.clone()),
            Party::Instance(who) if is_only(&parties, *who) => (false, who.service.to_owned()),
            Party::Instance(who) => (false, who.to_string()),
            Party::Bus => (false, "bus".to_owned()),
            Party::ExternalService => (false, "outside".to_owned()),
        };
        let parties = shown.into_iter().map(party);
        let parties = parties.map(|(is_person, name)| Column { is_person, name }).collect();
        Sequence { parties, lines }
    }
}

/// Whether no other instance of its service is in the diagram.
fn is_only(parties: &[Party], who: InstanceId) -> bool {
    let of = |party: &&Party| matches!(party, Party::Instance(w) if w.service == who.service);
    parties.iter().filter(of).count() == 1
}

/// A sequence diagram, as yet in no language: parties from left to right, lines from top to
/// bottom.
#[derive(Debug, Clone)]
pub struct Sequence {
    pub(super) parties: Vec<Column>,
    pub(super) lines: Vec<Line>,
}

/// A party of a finished diagram.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) is_person: bool,
    pub(super) name: String,
}
