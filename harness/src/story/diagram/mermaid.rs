//! A sequence diagram in Mermaid's notation.

use super::labels::gap;
use super::sequence::{Arrow, Lane, Line, Sequence};

impl Sequence {
    /// The diagram in Mermaid's notation.
    pub fn mermaid(&self) -> String {
        let mut text = "sequenceDiagram\n".to_owned();
        for (at, Lane { is_client, name }) in self.lanes.iter().enumerate() {
            let kind = if *is_client { "actor" } else { "participant" };
            text += &format!("    {kind} p{at} as {}\n", escaped(name));
        }
        let all = match self.lanes.len() {
            0 => return text,
            1 => "p0".to_owned(),
            lanes => format!("p0,p{}", lanes - 1),
        };
        // Mermaid ends the newest activation of a lane first, and draws those that have ended.
        let mut bars: Vec<(usize, usize)> = Vec::new();
        for line in &self.lines {
            text += &match line {
                Line::Arrow { from, arrow, to, text, .. } => {
                    format!("    p{from}{}p{to}: {}\n", token(*arrow), escaped(text))
                }
                Line::Note { over, lines, .. } => {
                    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
                    format!("    Note over p{over}: {}\n", lines.join("<br/>"))
                }
                Line::Divider { text, .. } => format!("    Note over {all}: {}\n", escaped(text)),
                Line::Gap(lines) => format!("    Note over {all}: {}\n", gap(*lines)),
                Line::Hold { number, over, text, .. } => {
                    bars.push((*number, *over));
                    let text = escaped(text);
                    format!("    Note right of p{over}: {text}\n    activate p{over}\n")
                }
                Line::Release { number } => {
                    let at = bars.iter().position(|(held, _)| held == number);
                    at.map_or_else(String::new, |at| deactivated(bars.remove(at)))
                }
            };
        }
        text.extend(bars.into_iter().map(deactivated));
        text
    }
}

fn deactivated((_, over): (usize, usize)) -> String {
    format!("    deactivate p{over}\n")
}

fn token(arrow: Arrow) -> &'static str {
    match arrow {
        Arrow::Message => "->>",
        Arrow::Reply => "-->>",
        Arrow::LostMessage => "-x",
        Arrow::LostReply => "--x",
    }
}

/// Text without the characters that mean something in Mermaid's notation.
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
