//! A diagram as an SVG picture that needs nothing else: no script, no font, no style sheet.
//!
//! It draws in the colour of the text around it, so that a page may be light or dark.

use super::paper::{Column, Line, Sequence};

/// How wide a character of text is thought to be, in pixels.
const CHARACTER: f64 = 6.4;
/// The height of a line of text.
const ROW: f64 = 16.0;
/// What lies between a party and the next one at least.
const GAP: f64 = 96.0;
/// What lies between things and the edge.
const MARGIN: f64 = 12.0;
/// The size of a party's box above its line.
const HEAD: f64 = 28.0;

/// Text that is wider than this is broken into lines.
const WIDEST: usize = 44;

impl Sequence {
    /// The diagram as an `<svg>` element.
    pub fn svg(&self) -> String {
        let columns = self.columns();
        let mut page = Page { columns, body: String::new(), y: MARGIN + HEAD + ROW };
        self.lines.iter().for_each(|line| page.line(line));
        page.picture(&self.parties)
    }

    /// Where each party's line is, so that what is said between two of them has room.
    fn columns(&self) -> Vec<f64> {
        let width = |at: usize| text_width(&self.parties[at].name) / 2.0 + MARGIN;
        let count = self.parties.len();
        let mut gaps: Vec<f64> =
            (1..count).map(|at| GAP.max(width(at - 1) + width(at) + MARGIN)).collect();
        let (mut left, mut right) = (GAP / 2.0, GAP / 2.0);
        for line in &self.lines {
            match line {
                Line::Arrow { from, to, text, .. } => {
                    let needed = widest(text) + 2.0 * MARGIN;
                    let (first, last) = (*from.min(to), *from.max(to));
                    let there: f64 = gaps[first..last].iter().sum();
                    match last.checked_sub(first) {
                        None | Some(0) => right = right.max(needed),
                        Some(steps) if there < needed => {
                            let more = (needed - there) / steps as f64;
                            gaps[first..last].iter_mut().for_each(|gap| *gap += more);
                        }
                        Some(_) => {}
                    }
                }
                Line::Note { over, lines, .. } => {
                    let half = note_width(lines) / 2.0;
                    if *over == 0 {
                        left = left.max(half);
                    }
                    if *over + 1 == count {
                        right = right.max(half);
                    }
                }
                Line::Chapter(_) => {}
            }
        }
        let mut at = left + MARGIN;
        let mut columns = vec![at; count.min(1)];
        for gap in gaps {
            at += gap;
            columns.push(at);
        }
        // One more than there are parties: the right edge.
        columns.push(at + right + MARGIN);
        columns
    }
}

struct Page {
    columns: Vec<f64>,
    body: String,
    /// The top of what comes next.
    y: f64,
}

impl Page {
    fn line(&mut self, line: &Line) {
        match line {
            Line::Arrow { from, arrow, to, text } => self.arrow(*from, arrow, *to, text),
            Line::Note { over, lines, .. } => {
                let (x, width) = (self.columns[*over], note_width(lines));
                self.note(x - width / 2.0, width, lines, 0.07);
            }
            Line::Chapter(text) => {
                let edge = self.columns.last().copied().unwrap_or_default();
                self.note(MARGIN, edge - 2.0 * MARGIN, std::slice::from_ref(text), 0.14);
            }
        }
    }

    fn arrow(&mut self, from: usize, arrow: &str, to: usize, text: &str) {
        let (x1, mut x2) = (self.columns[from], self.columns[to]);
        let lines = broken(text);
        if from == to {
            x2 = x1 + GAP / 2.0;
        }
        for line in &lines {
            let middle = if from == to { x1 + MARGIN } else { f64::midpoint(x1, x2) };
            let anchor = if from == to { "start" } else { "middle" };
            self.text(middle, self.y + 11.0, anchor, line);
            self.y += ROW;
        }
        let (y, side) = (self.y, if x2 > x1 { -1.0 } else { 1.0 });
        let dashes = if arrow.starts_with("--") { r#" stroke-dasharray="4 3""# } else { "" };
        self.body += &format!(r#"<path d="M{x1:.0} {y:.0}H{x2:.0}"{dashes}/>"#);
        let (tip, back) = (x2, x2 + side * 7.0);
        let (up, down) = (y - 4.0, y + 4.0);
        self.body += &if arrow.ends_with('x') {
            format!(
                r#"<path d="M{back:.0} {up:.0}L{tip:.0} {down:.0}M{back:.0} {down:.0}L{tip:.0} {up:.0}"/>"#
            )
        } else {
            format!(r#"<path d="M{back:.0} {up:.0}L{tip:.0} {y:.0}L{back:.0} {down:.0}"/>"#)
        };
        self.y += 10.0;
    }

    fn note(&mut self, x: f64, width: f64, lines: &[String], shade: f64) {
        let lines: Vec<String> = lines.iter().flat_map(|line| broken(line)).collect();
        let height = lines.len() as f64 * ROW + 8.0;
        let y = self.y;
        // Opaque, or the lines behind would run through the text.
        self.body += &format!(
            r#"<rect x="{x:.0}" y="{y:.0}" width="{width:.0}" height="{height:.0}" rx="3" fill="Canvas"/><rect x="{x:.0}" y="{y:.0}" width="{width:.0}" height="{height:.0}" rx="3" fill="currentColor" fill-opacity="{shade}"/>"#
        );
        for (number, line) in lines.iter().enumerate() {
            let down = y + 15.0 + number as f64 * ROW;
            self.text(x + width / 2.0, down, "middle", line);
        }
        self.y += height + 10.0;
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = escaped(text);
        self.body += &format!(
            r#"<text x="{x:.0}" y="{y:.0}" text-anchor="{anchor}" fill="currentColor" stroke="none">{text}</text>"#
        );
    }

    fn picture(mut self, parties: &[Column]) -> String {
        let (lines, bottom) = (std::mem::take(&mut self.body), self.y + MARGIN);
        for (at, Column { is_person, name }) in parties.iter().enumerate() {
            let (x, width) = (self.columns[at], text_width(name) + 2.0 * MARGIN);
            let (left, round) = (x - width / 2.0, if *is_person { 14 } else { 3 });
            let top = MARGIN + HEAD;
            self.body += &format!(
                r#"<path d="M{x:.0} {top:.0}V{bottom:.0}" stroke-opacity="0.3"/><rect x="{left:.0}" y="{MARGIN}" width="{width:.0}" height="{HEAD}" rx="{round}"/>"#
            );
            self.text(x, MARGIN + 18.0, "middle", name);
        }
        let (width, height) = (self.columns.last().copied().unwrap_or_default(), bottom + MARGIN);
        let heads = self.body;
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="sans-serif" font-size="12" fill="none" stroke="currentColor">{heads}{lines}</svg>"#
        )
    }
}

fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

fn widest(text: &str) -> f64 {
    broken(text).iter().map(|line| text_width(line)).fold(0.0, f64::max)
}

fn note_width(lines: &[String]) -> f64 {
    lines.iter().map(|line| widest(line)).fold(0.0, f64::max) + 2.0 * MARGIN
}

/// Text in lines that are not too wide, broken between words.
fn broken(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always one");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > WIDEST {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
