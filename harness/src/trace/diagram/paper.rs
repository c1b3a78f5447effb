//! Lines of a diagram as they are put down, and as Mermaid reads them.
//!
//! It knows parties and text, and no records.

use crate::trace::Who;

/// Somebody in a diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Party {
    Client(String),
    Instance(Who),
    Bus,
    Outside,
}

enum Line {
    Arrow {
        from: usize,
        arrow: &'static str,
        to: usize,
        text: String,
    },
    /// Over one party; what follows from the same origin is one note.
    Note {
        over: usize,
        origin: Option<String>,
        lines: Vec<String>,
    },
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

    /// The diagram, of at most this many lines; the middle of a longer one is left out.
    pub(super) fn text(self, limit: usize) -> String {
        let Self { parties, mut lines } = self;
        let left_out = lines.len().saturating_sub(limit.max(2));
        if left_out > 0 {
            let from = limit.max(2) / 2;
            let gap = Line::Chapter(format!("… {left_out} lines are left out …"));
            lines.splice(from..from + left_out, [gap]);
        }
        let mut text = "sequenceDiagram\n".to_owned();
        // Clients stand at the left; the bus, and what is outside, at the right.
        let place = |at: &usize| match &parties[*at] {
            Party::Client(_) => (0, 0),
            Party::Instance(who) => (1, who.instance),
            Party::Bus => (2, 0),
            Party::Outside => (3, 0),
        };
        let mut shown: Vec<usize> = (0..parties.len()).collect();
        shown.sort_by_key(place);
        for &at in &shown {
            let (kind, name) = match &parties[at] {
                Party::Client(name) => ("actor", name.clone()),
                Party::Instance(who) if is_only(&parties, *who) => {
                    ("participant", who.service.to_owned())
                }
                Party::Instance(who) => ("participant", who.to_string()),
                Party::Bus => ("participant", "bus".to_owned()),
                Party::Outside => ("participant", "outside".to_owned()),
            };
            text += &format!("    {kind} p{at} as {}\n", escaped(&name));
        }
        let ends = match (shown.first(), shown.last()) {
            (Some(first), Some(last)) if first != last => format!("p{first},p{last}"),
            (Some(first), _) => format!("p{first}"),
            _ => return text,
        };
        for line in &lines {
            text += &match line {
                Line::Arrow { from, arrow, to, text } => {
                    format!("    p{from}{arrow}p{to}: {}\n", escaped(text))
                }
                Line::Note { over, lines, .. } => {
                    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
                    format!("    Note over p{over}: {}\n", lines.join("<br/>"))
                }
                Line::Chapter(text) => format!("    Note over {ends}: {}\n", escaped(text)),
            };
        }
        text
    }
}

/// Whether no other instance of its service is in the diagram.
fn is_only(parties: &[Party], who: Who) -> bool {
    let of = |party: &&Party| matches!(party, Party::Instance(w) if w.service == who.service);
    parties.iter().filter(of).count() == 1
}

/// Text as Mermaid takes it: some characters mean something to it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' => escaped += "#35;",
            ';' => escaped += "#59;",
            '<' => escaped += "#lt;",
            '>' => escaped += "#gt;",
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
