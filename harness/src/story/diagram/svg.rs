//! A sequence diagram as a self-contained SVG: no script, no font, no style sheet.
//!
//! It draws in the colour of the surrounding text, for light and dark pages alike. A page may set
//! the colours of faults and violations by the variables `--paper`, `--warm` and `--bad`.

use super::labels::gap;
use super::sequence::{Arrow, Lane, Line, Sequence, Tone};

/// Estimated width of a character, in pixels.
const CHARACTER_WIDTH: f64 = 6.4;
/// Height of a line of text, in pixels.
const ROW_HEIGHT: f64 = 16.0;
/// Minimum distance between two lanes, in pixels.
const LANE_GAP: f64 = 96.0;
/// Distance of a shape from the next one and from the edge, in pixels.
const MARGIN: f64 = 12.0;
/// Height of the box above a lane, in pixels.
const HEAD_HEIGHT: f64 = 28.0;

/// Width of the bar of a hold, in pixels.
const BAR_WIDTH: f64 = 8.0;
/// Distance of two bars on one lane, from left to left, in pixels.
const BAR_STEP: f64 = 11.0;
/// From the top of a line up to the end or the begin of a bar, in pixels: half way to the line before.
const BETWEEN: f64 = 5.0;

/// Maximum length of a line of text, in characters.
const MAX_TEXT: usize = 44;

/// Maximum length of a line of text over all lanes, in characters.
const MAX_WIDE: usize = 90;

impl Tone {
    /// The colour as a style; empty for that of the text.
    fn style(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Fault => r#" style="color:var(--warm,#b26a00)""#,
            Self::Crash | Self::Wrong => r#" style="color:var(--bad,#d1322b)""#,
        }
    }
}

impl Sequence {
    /// The diagram as an `<svg>` element.
    pub fn svg(&self) -> String {
        let columns = self.columns();
        let ends = vec![None; self.lanes.len()];
        let y = MARGIN + HEAD_HEIGHT + ROW_HEIGHT;
        let (bars, held) = (String::new(), Vec::new());
        let mut page = Page { columns, ends, body: String::new(), bars, held, y };
        self.lines.iter().for_each(|line| page.line(line));
        page.finish(&self.lanes)
    }

    /// The x of each lane, and of the right edge; texts between two lanes fit.
    fn columns(&self) -> Vec<f64> {
        let width = |at: usize| text_width(&self.lanes[at].name) / 2.0 + MARGIN;
        let count = self.lanes.len();
        let mut gaps: Vec<f64> =
            (1..count).map(|at| LANE_GAP.max(width(at - 1) + width(at) + MARGIN)).collect();
        let (mut left, mut right) = (LANE_GAP / 2.0, LANE_GAP / 2.0);
        let mut whole = 0.0_f64;
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
                Line::Divider { text, .. } => {
                    let lines = wrapped(text, MAX_WIDE);
                    whole = lines.iter().map(|line| text_width(line)).fold(whole, f64::max);
                }
                Line::Hold { over, text, .. } if *over + 1 == count => {
                    right = right.max(text_width(text) + 4.0 * BAR_STEP);
                }
                Line::Hold { .. } | Line::Release { .. } | Line::Gap(_) => {}
            }
        }
        let mut at = left + MARGIN;
        let mut columns = vec![at; count.min(1)];
        for gap in gaps {
            at += gap;
            columns.push(at);
        }
        columns.push((at + right + MARGIN).max(whole + 4.0 * MARGIN));
        columns
    }
}

struct Page {
    /// The x of each lane, and of the right edge.
    columns: Vec<f64>,
    /// The y at which each lane ends, where it ends before the diagram.
    ends: Vec<Option<f64>>,
    body: String,
    /// The bars of holds that have ended; notes and arrows are drawn over them.
    bars: String,
    /// The holds that have not ended.
    held: Vec<Bar>,
    /// Top of the next line.
    y: f64,
}

/// The bar of a hold.
struct Bar {
    number: usize,
    lane: usize,
    /// The place among the bars of the lane.
    slot: usize,
    tone: Tone,
    /// Its top.
    from: f64,
}

impl Page {
    fn line(&mut self, line: &Line) {
        match line {
            Line::Arrow { from, arrow, to, tone, text } => {
                self.toned(*tone, |page| page.arrow(*from, *arrow, *to, text));
            }
            Line::Note { over, tone, lines, .. } => {
                let lines: Vec<String> =
                    lines.iter().flat_map(|line| wrapped(line, MAX_TEXT)).collect();
                let (x, width) = (self.columns[*over], note_width(&lines));
                self.toned(*tone, |page| page.note(x - width / 2.0, width, &lines, *tone));
                if *tone == Tone::Crash {
                    self.ends[*over] = Some(self.y - 10.0);
                }
            }
            Line::Divider { tone, text } => {
                let width = self.columns.last().copied().unwrap_or_default() - 2.0 * MARGIN;
                let lines = wrapped(text, MAX_WIDE);
                self.toned(*tone, |page| page.note(MARGIN, width, &lines, *tone));
            }
            Line::Hold { number, over, tone, text } => self.hold(*number, *over, *tone, text),
            Line::Release { number } => {
                if let Some(at) = self.held.iter().position(|bar| bar.number == *number) {
                    let bar = self.held.remove(at);
                    self.bar(&bar);
                }
            }
            Line::Gap(lines) => {
                let edge = self.columns.last().copied().unwrap_or_default();
                let (y, middle) = (self.y, edge / 2.0);
                let left = edge - MARGIN;
                self.body += &format!(
                    r#"<path d="M{MARGIN} {y:.0}H{left:.0}" stroke-dasharray="1 5" opacity="0.6"/>"#
                );
                self.text(middle, y + 15.0, "middle", &gap(*lines), r#" opacity="0.7""#);
                self.y += 28.0;
            }
        }
    }

    /// Draws in the colour of a tone.
    fn toned(&mut self, tone: Tone, draw: impl FnOnce(&mut Self)) {
        if tone == Tone::Plain {
            return draw(self);
        }
        self.body += &format!("<g{}>", tone.style());
        draw(self);
        self.body += "</g>";
    }

    fn arrow(&mut self, from: usize, arrow: Arrow, to: usize, text: &str) {
        let (x1, mut x2) = (self.columns[from], self.columns[to]);
        let lines = wrapped(text, MAX_TEXT);
        if from == to {
            x2 = x1 + LANE_GAP / 2.0;
        }
        for line in &lines {
            let middle = if from == to { x1 + MARGIN } else { f64::midpoint(x1, x2) };
            let anchor = if from == to { "start" } else { "middle" };
            self.text(middle, self.y + 11.0, anchor, line, HALO);
            self.y += ROW_HEIGHT;
        }
        let (y, side) = (self.y, if x2 > x1 { -1.0 } else { 1.0 });
        let dashes = if arrow.is_reply() { r#" stroke-dasharray="4 3""# } else { "" };
        if arrow.is_lost() && from != to {
            // A lost message ends on its way.
            x2 -= (x2 - x1) * 0.3;
        }
        self.body +=
            &format!(r#"<path d="M{x1:.0} {y:.0}H{x2:.0}"{dashes} stroke="currentColor"/>"#);
        let (tip, back) = (x2, x2 + side * 7.0);
        let (up, down) = (y - 4.0, y + 4.0);
        self.body += &if arrow.is_lost() {
            format!(
                r#"<path d="M{back:.0} {up:.0}L{tip:.0} {down:.0}M{back:.0} {down:.0}L{tip:.0} {up:.0}" stroke="currentColor" stroke-width="1.6"/>"#
            )
        } else {
            format!(
                r#"<path d="M{back:.0} {up:.0}L{tip:.0} {y:.0}L{back:.0} {down:.0}z" fill="currentColor" stroke="currentColor"/>"#
            )
        };
        self.y += 10.0;
    }

    fn note(&mut self, x: f64, width: f64, lines: &[String], tone: Tone) {
        let height = lines.len() as f64 * ROW_HEIGHT + 8.0;
        let y = self.y;
        let (shade, edge) = match tone {
            Tone::Plain => (0.07, 0.0),
            Tone::Fault => (0.12, 0.8),
            Tone::Crash | Tone::Wrong => (0.14, 1.0),
        };
        // An opaque background keeps the lanes from running through the text.
        self.body += &format!(
            r#"<rect x="{x:.0}" y="{y:.0}" width="{width:.0}" height="{height:.0}" rx="3" style="fill:var(--paper,Canvas)" stroke="none"/><rect x="{x:.0}" y="{y:.0}" width="{width:.0}" height="{height:.0}" rx="3" fill="currentColor" fill-opacity="{shade}" stroke="currentColor" stroke-width="{edge}"/>"#
        );
        for (number, line) in lines.iter().enumerate() {
            let down = y + 15.0 + number as f64 * ROW_HEIGHT;
            self.text(x + width / 2.0, down, "middle", line, "");
        }
        self.y += height + 10.0;
    }

    /// Begins the bar of a hold, beside those of its lane, and labels it.
    fn hold(&mut self, number: usize, lane: usize, tone: Tone, text: &str) {
        let taken = |slot: &usize| self.held.iter().any(|b| b.lane == lane && b.slot == *slot);
        let slot = (0..).find(|slot| !taken(slot)).expect("slots are endless");
        self.held.push(Bar { number, lane, slot, tone, from: self.y - BETWEEN });
        let bars = self.held.iter().filter(|bar| bar.lane == lane).map(|bar| bar.slot);
        let last = bars.max().unwrap_or(slot);
        let x = self.columns[lane] + last as f64 * BAR_STEP + BAR_WIDTH;
        let y = self.y;
        self.toned(tone, |page| page.text(x, y + 7.0, "start", text, HALO));
        self.y += ROW_HEIGHT;
    }

    /// Draws the bar of a hold down to here.
    fn bar(&mut self, bar: &Bar) {
        let x = self.columns[bar.lane] - BAR_WIDTH / 2.0 + bar.slot as f64 * BAR_STEP;
        let (y, height) = (bar.from, self.y - BETWEEN - bar.from);
        let style = bar.tone.style();
        self.bars += &format!(
            r#"<g{style}><rect x="{x:.1}" y="{y:.0}" width="{BAR_WIDTH}" height="{height:.0}" rx="2" style="fill:var(--paper,Canvas)" stroke="none"/><rect x="{x:.1}" y="{y:.0}" width="{BAR_WIDTH}" height="{height:.0}" rx="2" fill="currentColor" fill-opacity="0.35" stroke="currentColor"/></g>"#
        );
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str, more: &str) {
        let text = escaped(text);
        let stroke = if more.contains("style=") { "" } else { r#" stroke="none""# };
        self.body += &format!(
            r#"<text x="{x:.0}" y="{y:.0}" text-anchor="{anchor}" fill="currentColor"{stroke}{more}>{text}</text>"#
        );
    }

    fn finish(mut self, lanes: &[Lane]) -> String {
        for bar in std::mem::take(&mut self.held) {
            self.bar(&bar);
        }
        let bars = std::mem::take(&mut self.bars);
        let (lines, bottom) = (std::mem::take(&mut self.body), self.y + MARGIN);
        for (at, Lane { is_client, name }) in lanes.iter().enumerate() {
            let (x, width) = (self.columns[at], text_width(name) + 2.0 * MARGIN);
            let (left, round) = (x - width / 2.0, if *is_client { 14 } else { 3 });
            let top = MARGIN + HEAD_HEIGHT;
            let end = self.ends[at].unwrap_or(bottom);
            self.body += &format!(
                r#"<path d="M{x:.0} {top:.0}V{end:.0}" stroke-opacity="0.3"/><rect x="{left:.0}" y="{MARGIN}" width="{width:.0}" height="{HEAD_HEIGHT}" rx="{round}"/>"#
            );
            self.text(x, MARGIN + 18.0, "middle", name, r#" font-weight="600""#);
        }
        let (width, height) = (self.columns.last().copied().unwrap_or_default(), bottom + MARGIN);
        let heads = self.body;
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="sans-serif" font-size="12" fill="none" stroke="currentColor">{heads}{bars}{lines}</svg>"#
        )
    }
}

/// An edge around text in the colour of the page, so that lanes do not run through it.
const HALO: &str = r#" style="paint-order:stroke;stroke:var(--paper,Canvas);stroke-width:5px""#;

fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER_WIDTH
}

fn widest(text: &str) -> f64 {
    wrapped(text, MAX_TEXT).iter().map(|line| text_width(line)).fold(0.0, f64::max)
}

fn note_width(lines: &[String]) -> f64 {
    lines.iter().map(|line| widest(line)).fold(0.0, f64::max) + 2.0 * MARGIN
}

/// Text wrapped between words.
fn wrapped(text: &str, limit: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is always a last line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > limit {
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
