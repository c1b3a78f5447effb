//! The figures on the page `docs/locks.md`: its table, between two marks, and its plots.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use harness::report::plot::{Axis, Plot};

use crate::BUYERS;
use crate::cell::{Cell, Load};
use crate::publish::Publishing;
use crate::table::{millis, row};

/// The marks around the table.
const MARKS: (&str, &str) = ("<!-- figures -->\n", "<!-- end of figures -->\n");

/// Writes the table into the page, and the plots into the folder of its name.
pub(crate) fn write(page: &Path, cells: &[Cell], publishing: &[Publishing]) -> anyhow::Result<()> {
    let text = fs::read_to_string(page)?;
    let marks = || anyhow::anyhow!("{} has no marks for the figures", page.display());
    let (before, rest) = text.split_once(MARKS.0).ok_or_else(marks)?;
    let (_, after) = rest.split_once(MARKS.1).ok_or_else(marks)?;
    let table = table(cells, publishing)?;
    fs::write(page, format!("{before}{}{table}{}{after}", MARKS.0, MARKS.1))?;
    let folder = page.with_extension("");
    fs::create_dir_all(&folder)?;
    for load in [Load::OneTicket, Load::Spread] {
        let name = match load {
            Load::OneTicket => "one-ticket",
            Load::Spread => "many-tickets",
        };
        let logarithmic =
            |label: &str, values: &[f64]| Axis::logarithmic(label, values.iter().copied());
        let p50 = |cell: &Cell| cell.p50 as f64 / 1_000.0;
        let latency = plot(cells, load, "p50 in ms", p50, logarithmic);
        fs::write(folder.join(format!("latency-{name}.svg")), latency.file())?;
        let linear = |label: &str, values: &[f64]| {
            Axis::linear(label, values.iter().copied().fold(1.0, f64::max))
        };
        let goodput = plot(cells, load, "decisions a second", |cell| cell.goodput, linear);
        fs::write(folder.join(format!("goodput-{name}.svg")), goodput.file())?;
    }
    Ok(())
}

fn plot(
    cells: &[Cell],
    load: Load,
    label: &str,
    value: fn(&Cell) -> f64,
    axis: fn(&str, &[f64]) -> Axis,
) -> Plot {
    let cells = || cells.iter().filter(move |cell| cell.load == load);
    let mut lines: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for cell in cells() {
        let point = (cell.buyers as f64, value(cell));
        match lines.last_mut().filter(|(name, _)| *name == cell.lock) {
            Some((_, points)) => points.push(point),
            None => lines.push((cell.lock.clone(), vec![point])),
        }
    }
    let ticks = BUYERS.map(|buyers| (buyers as f64, buyers.to_string())).to_vec();
    let x = Axis { label: "buyers at once".to_owned(), is_log: true, ticks };
    let y = axis(label, &cells().map(value).collect::<Vec<_>>());
    Plot { title: format!("Buyers on {load}: {label}"), x, y, lines }
}

fn table(cells: &[Cell], publishing: &[Publishing]) -> anyhow::Result<String> {
    let mut text = String::new();
    for load in [Load::OneTicket, Load::Spread] {
        writeln!(text, "\n### Buyers on {load}\n")?;
        writeln!(
            text,
            "| lock | buyers | decisions a second | p50 | p95 | p99 | p99.9 | times the bare \
             insert | calls | wasted writes | double sales |"
        )?;
        writeln!(text, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for cell in cells.iter().filter(|cell| cell.load == load) {
            writeln!(text, "| {} |", row(cells, cell).join(" | "))?;
        }
    }
    writeln!(text, "\n### Publishing\n\n| | p50 | p99 |\n|---|---:|---:|")?;
    for Publishing { name, p50, p99 } in publishing {
        writeln!(text, "| {name} | {} | {} |", millis(*p50), millis(*p99))?;
    }
    writeln!(text)?;
    Ok(text)
}
