//! The table in the terminal, and the comparison with the last run.

use std::fs;
use std::path::Path;

use crate::bare;
use crate::cell::{Cell, Load};
use crate::publish::Publishing;

/// The figures of the last run.
const LAST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/rehearsal/contention.json");

/// The bare insert beside a cell.
fn limit<'a>(cells: &'a [Cell], of: &Cell) -> Option<&'a Cell> {
    let is_limit =
        |cell: &&Cell| cell.lock == bare::NAME && cell.load == of.load && cell.buyers == of.buyers;
    cells.iter().find(is_limit)
}

/// The latency of a cell at p50, as a multiple of that of the bare insert.
fn ratio(cells: &[Cell], of: &Cell) -> Option<f64> {
    limit(cells, of).map(|limit| of.p50 as f64 / limit.p50.max(1) as f64)
}

/// Microseconds as milliseconds.
pub(crate) fn millis(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1_000.0)
}

/// The figures of a cell as text, in the order of the columns. One that does not apply is empty.
pub(crate) fn row(cells: &[Cell], cell: &Cell) -> [String; 11] {
    let calls = if cell.calls > 0.0 { format!("{:.2}", cell.calls) } else { String::new() };
    [
        cell.lock.clone(),
        cell.buyers.to_string(),
        format!("{:.0}", cell.goodput),
        millis(cell.p50),
        millis(cell.p95),
        millis(cell.p99),
        millis(cell.p999),
        ratio(cells, cell).map_or(String::new(), |ratio| format!("{ratio:.2}")),
        calls,
        format!("{:.2}", cell.wasted),
        cell.double_sales.to_string(),
    ]
}

pub(crate) fn print(cells: &[Cell], publishing: &[Publishing]) {
    for load in [Load::OneTicket, Load::Spread] {
        println!("\nBuyers on {load}, latencies in ms");
        println!(
            "{:<30} {:>6} {:>9} {:>8} {:>8} {:>8} {:>8} {:>7} {:>6} {:>7} {:>7}",
            "lock",
            "buyers",
            "goodput/s",
            "p50",
            "p95",
            "p99",
            "p99.9",
            "x bare",
            "calls",
            "wasted",
            "doubles"
        );
        for cell in cells.iter().filter(|cell| cell.load == load) {
            let [lock, buyers, goodput, p50, p95, p99, p999, ratio, calls, wasted, doubles] =
                row(cells, cell);
            println!(
                "{lock:<30} {buyers:>6} {goodput:>9} {p50:>8} {p95:>8} {p99:>8} {p999:>8} \
                 {ratio:>7} {calls:>6} {wasted:>7} {doubles:>7}"
            );
        }
    }
    println!();
    for Publishing { name, p50, p99 } in publishing {
        println!("{name:<30} p50 {} ms, p99 {} ms", millis(*p50), millis(*p99));
    }
}

/// Prints what changed since the last run by more than a fifth at p50, relative to the bare insert
/// where both runs have it, and keeps the figures of this run.
pub(crate) fn compare(cells: &[Cell]) -> anyhow::Result<()> {
    let last: Vec<Cell> = match fs::read_to_string(LAST) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Vec::new(),
    };
    let mut changed = 0;
    for cell in cells {
        let is_same = |old: &&Cell| {
            old.lock == cell.lock && old.load == cell.load && old.buyers == cell.buyers
        };
        let Some(old) = last.iter().find(is_same) else { continue };
        let change = match (ratio(cells, cell), ratio(&last, old)) {
            (Some(now), Some(then)) if cell.lock != bare::NAME => now / then,
            _ => cell.p50 as f64 / old.p50.max(1) as f64,
        };
        if !(0.8..=1.25).contains(&change) {
            changed += 1;
            println!(
                "since the last run: {}, {} buyers on {}: {change:.2} times the latency",
                cell.lock, cell.buyers, cell.load
            );
        }
    }
    if !last.is_empty() && changed == 0 {
        println!("since the last run: no figure changed by more than a fifth");
    }
    fs::create_dir_all(Path::new(LAST).parent().expect("it lies in a folder"))?;
    fs::write(LAST, serde_json::to_string_pretty(cells)? + "\n")?;
    Ok(())
}
