//! What a person reads: progress while a run works, and its summary.
//!
//! It renders outcomes and judges nothing. Progress goes to standard error, as a bar on a
//! terminal and as a line every few seconds elsewhere; the summary goes to standard output,
//! with colours on a terminal only.

pub mod coverage;
pub mod page;

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use harness::coverage::Coverage;
use indicatif::{ProgressBar, ProgressStyle};
use sim::scheduler::exhaustive::Counts;

use crate::command::WorldName;
use crate::exhaust::{self, Exhausted, Scope};
use crate::explore::{Exploration, Failure, Plan};
use crate::gherkin::{Finished, Summary};
use crate::invariants;
use crate::races::Finding;
use crate::story;
use crate::workloads::{BUYERS, Workload};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// How often a line of progress is due where there is no terminal.
const QUIET: Duration = Duration::from_secs(5);

/// Counts what is done.
pub struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    said: Mutex<(u64, Instant)>,
}

impl Progress {
    /// Begins to count these.
    pub fn begin(what: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_message(what);
            let style = ProgressStyle::with_template("{spinner} {pos} {msg} in {elapsed}");
            bar.set_style(style.expect("the template is well formed"));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { what, bar, said: Mutex::new((0, Instant::now())) }
    }

    /// One more is done.
    pub fn one(&self) {
        let mut said = self.said.lock().expect("no panic holds this lock");
        said.0 += 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if said.1.elapsed() >= QUIET => {
                eprintln!("{} {} so far", said.0, self.what);
                said.1 = Instant::now();
            }
            None => {}
        }
    }

    /// A scenario is done; a failed one is said at once.
    pub fn scenario(&self, finished: &Finished) {
        self.one();
        if finished.failure.is_some() {
            let line = format!("{BAD}failed{BAD:#}  {}", finished.scenario);
            match &self.bar {
                Some(bar) => bar.suspend(|| anstream::eprintln!("{line}")),
                None => anstream::eprintln!("{line}"),
            }
        }
    }

    /// All are done.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Says what is about to be explored.
pub fn exploring(plan: &Plan) {
    let Plan { workload, bug, faults, jobs, shard, .. } = plan;
    anstream::println!("Exploring {}: {}", workload.name, workload.about.to_lowercase());
    if let Some(bug) = bug {
        row("planted", bug);
    }
    let names: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    row("faults", &names);
    let of = if shard.of > 1 {
        format!(", shard {} of {}", shard.number, shard.of)
    } else {
        String::new()
    };
    row("cores", &format!("{jobs}{of}"));
}

/// Says what is about to be exhausted.
pub fn exhausting(scope: &Scope) {
    let about = exhaust::named(&scope.name).map_or("", |named| named.about);
    anstream::println!("Exhausting {}: {}", scope.name, about.to_lowercase());
    if let Some(bug) = &scope.bug {
        row("planted", bug);
    }
}

/// Says what was seen of a scope, what was spared, and whether that is all.
pub fn exhausted(found: &Exhausted) {
    let Counts { visited, given_up, states, raceless, asleep, longest, .. } = found.counts;
    let failed: u64 = found.failures.values().map(|failure| failure.count).sum();
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let took =
        format!("{DIM}{} ({states} states, {longest} decisions at most){DIM:#}", time(found.took));
    row("schedules", &format!("{}  {took}", verdict(count(failed), count(visited - failed))));
    let spared = raceless + asleep;
    row(
        "pruned",
        &format!("{spared} choices that only swap independent calls, {given_up} runs cut short"),
    );
    if found.complete {
        row(
            "scope",
            &format!("{GOOD}complete{GOOD:#}: there is no other schedule that makes a difference"),
        );
    } else {
        row("scope", &format!("{BAD}not complete{BAD:#}: the limit came first"));
    }
}

/// Says what an exploration came to.
pub fn explored(found: &Exploration) {
    row("schedules", &format!("{}  {DIM}{}{DIM:#}", outcome(found), pace(found)));
}

/// How many schedules an exploration had, how many failed, and how fast they were.
pub fn schedules(found: &Exploration) -> String {
    let failed = found.failed();
    format!("{} held, {failed} failed, {}", found.schedules - failed, pace(found))
}

/// The same for a terminal, without the pace.
fn outcome(found: &Exploration) -> String {
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let failed = found.failed();
    verdict(count(failed), count(found.schedules - failed))
}

fn pace(found: &Exploration) -> String {
    let rate = found.rate();
    let decisions = found.decisions.checked_div(found.schedules).unwrap_or_default();
    format!("{} ({rate:.0}/s, {decisions} decisions each)", time(found.took))
}

/// Says what failed, and how often.
pub fn failure(failure: &Failure) {
    let Failure { invariant, count, .. } = failure;
    let plural = if *count == 1 { "" } else { "s" };
    anstream::println!("\n  {BAD}{}{BAD:#}", story::promise(invariant));
    anstream::println!(
        "  {DIM}{invariant}, broken in {count} schedule{plural}; as small as it goes:{DIM:#}"
    );
}

/// Says that what failed comes down to a story that was told already.
pub fn same_story() {
    anstream::println!("  the same story as one before");
}

/// Says how many failures were not told.
pub fn untold(failures: usize) {
    if failures > 0 {
        anstream::println!("\n  and {failures} other failures, in the report");
    }
}

/// Says which fault points were reached; returns whether they are enough.
pub fn covered(coverage: &Coverage, least: Option<f64>) -> bool {
    let enough = least.is_none_or(|least| coverage.percent() >= least);
    let text = coverage::share(coverage);
    match least {
        Some(least) if !enough => {
            row("coverage", &format!("{BAD}{text}{BAD:#}, and {least} % are demanded"));
            anstream::println!("\n{}", coverage::text(coverage));
        }
        _ => row("coverage", &format!("{text} {DIM}of what can go wrong where{DIM:#}")),
    }
    enough
}

/// Says where the report is.
pub fn written(out: &Path) {
    row("report", &out.join(page::FILE).display().to_string());
}

/// The summary of a run, printed as it becomes known.
pub struct Report {
    out: PathBuf,
    seed: u64,
    findings: Cell<usize>,
}

impl Report {
    /// Says what is about to be run.
    pub fn begin(world: WorldName, seed: u64, out: &Path) -> Self {
        match world {
            WorldName::Simulated => {
                anstream::println!("Rehearsing the ticketing system in simulation, seed {seed}");
            }
            WorldName::Real => {
                anstream::println!("Rehearsing the ticketing system on real servers");
            }
        }
        Self { out: out.to_owned(), seed, findings: Cell::new(0) }
    }

    /// Says which servers there are.
    pub fn servers(&self, source: &str, ready_in: Duration) {
        row("servers", &format!("{source} {DIM}ready in {}{DIM:#}", time(ready_in)));
    }

    /// Says what came of the scenarios.
    pub fn scenarios(&self, summary: &Summary) {
        let count = verdict(summary.failed(), summary.passed());
        let mut text = count;
        if summary.left_out > 0 {
            text += &format!(", {} left out: they need the other world", summary.left_out);
        }
        row("scenarios", &format!("{text}  {DIM}{}{DIM:#}", time(summary.took)));
        for why in &summary.unreadable {
            self.finding("a feature cannot be read", why);
        }
        for finished in &summary.scenarios {
            let Some(failure) = &finished.failure else { continue };
            let title = format!("{} › {}", finished.feature, finished.scenario);
            let mut text = format!("at {}\n", finished.place);
            if let Some(step) = &failure.step {
                text += &format!("in  {step}\n");
            }
            text += &failure.why;
            if let Some(trace) = &finished.trace {
                text += &format!("\ntrace: {}", trace.display());
            }
            text +=
                &format!("\nagain: rehearse --seed {} --name '{}'", self.seed, finished.scenario);
            self.finding(&title, &text);
        }
    }

    /// Says what came of a workload.
    pub fn workload(&self, workload: &Workload, found: &Exploration) {
        let (took, rate) = (time(found.took), found.rate());
        let took = format!("{DIM}{took} ({rate:.0} schedules/s){DIM:#}");
        row(workload.name, &format!("{}  {took}", outcome(found)));
        self.findings.set(self.findings.get() + found.failures.len());
    }

    /// Says what came of the races.
    pub fn races(&self, schedules: u64, took: Duration, findings: &[Finding]) {
        let failed = findings.len();
        let passed = usize::try_from(schedules).unwrap_or(usize::MAX).saturating_sub(failed);
        let rate = schedules as f64 / took.as_secs_f64().max(1e-9);
        row(
            "races",
            &format!(
                "{} of {BUYERS} buyers and one ticket  {DIM}{} ({rate:.0} schedules/s){DIM:#}",
                verdict(failed, passed),
                time(took)
            ),
        );
        for finding in findings.iter().take(3) {
            let mut text = finding.how.join("\n");
            let trace = self.out.join("traces").join(format!("race-{}.trace.jsonl", finding.seed));
            text += &format!("\ntrace: {}", trace.display());
            text += &format!("\nagain: rehearse --seed {} --schedules 1", finding.seed);
            self.finding(&format!("the race of seed {}", finding.seed), &text);
        }
        if failed > 3 {
            anstream::println!("  and {} more races", failed - 3);
        }
    }

    /// Says how it all ended.
    pub fn end(&self, held: bool, took: Duration) {
        row(
            "promises",
            &format!("{} checked after every scenario and race", invariants::ALL.len()),
        );
        let reports =
            format!("{}: index.html, junit.xml, cucumber.json, traces/", self.out.display());
        row("reports", &reports);
        let took = time(took);
        if held {
            anstream::println!("\n{GOOD}Everything held{GOOD:#}, in {took}.");
        } else {
            let findings = self.findings.get();
            let plural = if findings == 1 { "" } else { "s" };
            anstream::println!("\n{BAD}{findings} finding{plural}{BAD:#}, in {took}.");
        }
    }

    fn finding(&self, title: &str, text: &str) {
        self.findings.set(self.findings.get() + 1);
        anstream::println!("\n  {BAD}{title}{BAD:#}");
        for line in text.lines() {
            anstream::println!("    {line}");
        }
        anstream::println!();
    }
}

fn row(name: &str, text: &str) {
    anstream::println!("  {name:<10} {text}");
}

fn verdict(failed: usize, passed: usize) -> String {
    if failed == 0 {
        format!("{GOOD}{passed} held{GOOD:#}")
    } else {
        format!("{passed} held, {BAD}{failed} failed{BAD:#}")
    }
}

/// A duration as people say it: 0.42 s, 12 ms.
fn time(duration: Duration) -> String {
    if duration < Duration::from_millis(100) {
        format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}
