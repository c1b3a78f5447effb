//! A plot as SVG: a few lines over one axis, with a logarithmic scale where values span orders of
//! magnitude. Within a page it follows the colours of the page; as a file it has its own, for both
//! themes.

use maud::{Markup, PreEscaped, html};

/// The size of the drawing, in its own units.
const SIZE: (f64, f64) = (720.0, 300.0);

/// The space left of, above, right of and below the lines.
const MARGINS: (f64, f64, f64, f64) = (62.0, 12.0, 12.0, 40.0);

/// The patterns of the lines, told apart without colour.
const DASHES: [&str; 9] =
    ["", "7 4", "2 3", "10 3 2 3", "1 6", "14 5", "4 2", "12 3 4 3", "3 1 1 1"];

/// The space right of a plot in a file, for its legend.
const LEGEND: f64 = 190.0;

/// The style of a plot in a file.
const STYLE: &str = "text{fill:#555;font:12px system-ui,sans-serif}\
.title{fill:#222;font-size:14px;font-weight:600}.grid{stroke:#ddd}.line{fill:none;stroke-width:2}\
.line0{stroke:#0b62d6}.line1{stroke:#0a7d4f}.line2{stroke:#c0322b}.line3{stroke:#a15c00}\
.line4{stroke:#6b3fc4}.line5{stroke:#00798c}.line6{stroke:#b0318a}.line7{stroke:#555}\
.line8{stroke:#7a4a1e}\
@media(prefers-color-scheme:dark){text{fill:#aab}.title{fill:#eee}.grid{stroke:#445}\
.line0{stroke:#6ea8ff}.line1{stroke:#4cc38a}.line2{stroke:#ff7b72}.line3{stroke:#e3a34f}\
.line4{stroke:#b59cff}.line5{stroke:#54c7d6}.line6{stroke:#f08bd0}.line7{stroke:#aab}.line8{stroke:#d2a679}}";

/// A plot.
#[derive(Debug, Clone)]
pub struct Plot {
    /// The title.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines: name and points.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// An axis.
#[derive(Debug, Clone)]
pub struct Axis {
    /// The quantity and its unit.
    pub label: String,
    /// True if the scale is logarithmic.
    pub is_log: bool,
    /// The places that are labelled.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A linear axis from zero, with about five labels.
    pub fn linear(label: &str, largest: f64) -> Self {
        let rough = (largest / 5.0).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|n| *n >= rough);
        let step = step.unwrap_or(10.0 * power).max(1.0);
        let count = (largest / step).ceil().max(1.0);
        let at = |n: u32| (f64::from(n) * step, format!("{}", f64::from(n) * step));
        let ticks = (0..=count as u32).map(at).collect();
        Self { label: label.to_owned(), is_log: false, ticks }
    }

    /// A logarithmic axis around these values, with a label at each power of ten.
    pub fn logarithmic(label: &str, values: impl Iterator<Item = f64>) -> Self {
        let powers = values.filter(|value| *value > 0.0).map(f64::log10);
        let (low, high) = powers.fold((f64::MAX, f64::MIN), |(low, high), power| {
            (low.min(power.floor()), high.max(power.ceil()))
        });
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high.max(low + 1.0)) };
        let at = |n: i32| (10_f64.powi(n), format!("{}", 10_f64.powi(n)));
        let ticks = (low as i32..=high as i32).map(at).collect();
        Self { label: label.to_owned(), is_log: true, ticks }
    }

    /// The place of a value between 0, the first tick, and 1, the last one.
    fn place(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.is_log { value.max(1e-9).log10() } else { value };
        let first = self.ticks.first().map_or(0.0, |(at, _)| scale(*at));
        let last = self.ticks.last().map_or(1.0, |(at, _)| scale(*at));
        ((scale(value) - first) / (last - first).max(1e-9)).clamp(0.0, 1.0)
    }
}

impl Plot {
    /// The plot as SVG with its title and a legend, for a page.
    pub fn draw(&self) -> Markup {
        html! {
            figure class="plot" {
                figcaption { (self.title) }
                svg viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } role="img" aria-label=(self.title) {
                    (self.contents())
                }
                ul class="legend" {
                    @for (number, (name, _)) in self.lines.iter().enumerate() {
                        li {
                            svg viewBox="0 0 40 10" aria-hidden="true" { (sample(number, 0.0, 5.0)) }
                            (name)
                        }
                    }
                }
            }
        }
    }

    /// The plot as an SVG file of its own.
    pub fn file(&self) -> String {
        let (width, height, head) = (SIZE.0 + LEGEND, SIZE.1, 30.0);
        let image = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height + head) }
                role="img" aria-label=(self.title) {
                style { (PreEscaped(STYLE)) }
                text class="title" x="8" y="18" { (self.title) }
                g transform={ "translate(0 " (head) ")" } {
                    (self.contents())
                    @for (number, (name, _)) in self.lines.iter().enumerate() {
                        @let y = MARGINS.1 + 8.0 + 20.0 * number as f64;
                        (sample(number, SIZE.0, y))
                        text x=(SIZE.0 + 48.0) y=(y + 4.0) { (name) }
                    }
                }
            }
        };
        image.into_string() + "\n"
    }

    /// The axes and the lines.
    fn contents(&self) -> Markup {
        let (left, top, right, bottom) = MARGINS;
        let (width, height) = (SIZE.0 - left - right, SIZE.1 - top - bottom);
        let x = |value: f64| left + width * self.x.place(value);
        let y = |value: f64| top + height * (1.0 - self.y.place(value));
        let points = |points: &[(f64, f64)]| {
            let points = points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value)));
            points.collect::<Vec<_>>().join(" ")
        };
        html! {
            @for (at, label) in &self.y.ticks {
                line class="grid" x1=(left) x2=(left + width) y1=(y(*at)) y2=(y(*at)) {}
                text x=(left - 6.0) y=(y(*at) + 4.0) text-anchor="end" { (label) }
            }
            @for (at, label) in &self.x.ticks {
                line class="grid" x1=(x(*at)) x2=(x(*at)) y1=(top) y2=(top + height) {}
                text x=(x(*at)) y=(top + height + 16.0) text-anchor="middle" { (label) }
            }
            text x=(left + width / 2.0) y=(SIZE.1 - 6.0) text-anchor="middle" { (self.x.label) }
            text transform={ "translate(14 " (top + height / 2.0) ") rotate(-90)" }
                text-anchor="middle" { (self.y.label) }
            @for (number, (_, line)) in self.lines.iter().enumerate() {
                polyline class={ "line line" (number % DASHES.len()) }
                    stroke-dasharray=(DASHES[number % DASHES.len()]) points=(points(line)) {}
            }
        }
    }
}

/// A sample of the line of this number, for a legend.
fn sample(number: usize, x: f64, y: f64) -> Markup {
    let pattern = number % DASHES.len();
    html! {
        line class={ "line line" (pattern) } x1=(x) x2=(x + 40.0) y1=(y) y2=(y)
            stroke-dasharray=(DASHES[pattern]) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_place_between_the_labels() {
        let axis = Axis::logarithmic("ms", [2.0, 30.0, 0.0].into_iter());
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["1", "10", "100"]);
        assert!((axis.place(10.0) - 0.5).abs() < 1e-9);
        let axis = Axis::linear("s", 47.0);
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["0", "10", "20", "30", "40", "50"]);
        assert!((axis.place(25.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn each_line_is_drawn_and_named() {
        let plot = Plot {
            title: "Latency".to_owned(),
            x: Axis::linear("s", 2.0),
            y: Axis::logarithmic("ms", [1.0, 10.0].into_iter()),
            lines: vec![("a < b".to_owned(), vec![(0.0, 1.0), (2.0, 10.0)])],
        };
        let drawn = plot.draw().into_string();
        assert!(drawn.contains("points=\"62.0,260.0 708.0,12.0\""), "{drawn}");
        assert!(drawn.contains("a &lt; b"), "{drawn}");
    }
}
