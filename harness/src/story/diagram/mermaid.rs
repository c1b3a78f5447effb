//! A diagram in Mermaid's language.

use super::paper::{Column, Line, Sequence};

impl Sequence {
    /// The diagram in Mermaid's language.
    pub fn mermaid(&self) -> String {
        let mut text = "sequenceDiagram\n".to_owned();
        for (at, Column { is_person, name }) in self.parties.iter().enumerate() {
            let kind = if *is_person { "actor" } else { "participant" };
            text += &format!("    {kind} p{at} as {}\n", escaped(name));
        }
        let ends = match self.parties.len() {
            0 => return text,
            1 => "p0".to_owned(),
            parties => format!("p0,p{}", parties - 1),
        };
        for line in &self.lines {
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
